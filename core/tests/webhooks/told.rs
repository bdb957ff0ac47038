//! What becomes a message, and for whom.

use claviger_core::audit::{Draft, EntryOutcome};
use claviger_core::id::IncidentId;
use claviger_core::incident::{PublicIncident, Severity};
use claviger_core::service::{Pace, Step, Unopened};
use claviger_core::store::{Change, Key, Row};
use claviger_core::webhook::EventKind;

use super::world::{World, freeze, verifies};

#[tokio::test]
async fn an_event_is_stored_with_its_entry_and_told_to_its_tenant_alone() {
    let world = World::new().await;
    let [one, other] = world.tenants;
    let (mine, theirs) = (world.made(one).await, world.made(other).await);

    let stored = world.service.store().append(vec![freeze(Some(one), "tenant")]).await.unwrap();
    assert!(world.service.store().get(Key::Event(stored[0].seq)).await.unwrap().is_some(), "with the entry itself");
    world.service.tell_webhooks().await.unwrap();
    assert_eq!(world.service.store().get(Key::Event(stored[0].seq)).await.unwrap(), None);
    let everybodys = world.happens(freeze(None, "venue")).await;

    let told = world.deliveries(one, mine.row.id).await;
    assert_eq!(told.iter().map(|row| row.message.entry).collect::<Vec<_>>(), [Some(everybodys), Some(stored[0].seq)]);
    let told = world.deliveries(other, theirs.row.id).await;
    assert_eq!(told.iter().map(|row| row.message.entry).collect::<Vec<_>>(), [Some(everybodys)]);
    let body = String::from_utf8(told[0].message.body(other)).unwrap();
    assert!(body.contains(&other.to_string()) && !body.contains(&one.to_string()), "{body}");
}

#[tokio::test]
async fn where_nobody_hears_nothing_is_stored() {
    let world = World::new().await;
    let [one, other] = world.tenants;
    let made = world.made(other).await;
    let seq = world.service.store().append(vec![freeze(Some(one), "tenant")]).await.unwrap()[0].seq;
    assert_eq!(world.service.store().get(Key::Event(seq)).await.unwrap(), None);
    // One that is removed hears nothing of what was stored for it before.
    let seq = world.service.store().append(vec![freeze(Some(other), "tenant")]).await.unwrap()[0].seq;
    world.service.remove_webhook(other, made.row.id, &world.origin()).await.unwrap();
    world.service.tell_webhooks().await.unwrap();
    assert_eq!(world.service.store().get(Key::Event(seq)).await.unwrap(), None);
    assert_eq!(world.service.waiting_deliveries(None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn what_touches_everybody_reaches_each_of_many_webhooks_once() {
    let world = World::new().await;
    let mut webhooks = Vec::new();
    for n in 0..8 {
        let tenant = world.service.make_tenant(&format!("t{n}"), &world.origin()).await.unwrap().id;
        for _ in 0..10 {
            webhooks.push((tenant, world.made(tenant).await.row.id));
        }
        let full = world.service.make_webhook(tenant, "one more", "https://x.example/", &world.origin()).await;
        assert!(full.is_err(), "ten are the most");
    }
    world.happens(freeze(None, "everything")).await;
    for (tenant, id) in webhooks {
        assert_eq!(world.deliveries(tenant, id).await.len(), 1, "{id}");
    }
}

#[tokio::test]
async fn an_incident_of_no_one_tenants_is_told_once_everybody_can_read_of_it() {
    let world = World::new().await;
    let [one, _] = world.tenants;
    let made = world.made(one).await;
    let id = IncidentId::from_bytes([3; 16]);
    let step = |action: &str| Draft::new(action, EntryOutcome::Allowed).on("incident", id.to_string());
    world.happens(step("incident.open")).await;
    world.happens(step("incident.contain")).await;
    assert_eq!(world.deliveries(one, made.row.id).await, []);

    let (title, summary) = ("A disk".to_owned(), "It was lost.".to_owned());
    let (severity, post_mortem) = (Severity::Low, None);
    let public = PublicIncident { id, severity, title, summary, detected_ms: 1, published_ms: 2, post_mortem };
    let change = Change::create(Key::PublicIncident(id), Row::PublicIncident(public));
    world.service.store().put_cas(vec![change], vec![step("incident.publish")]).await.unwrap();
    world.service.tell_webhooks().await.unwrap();
    world.happens(step("incident.close")).await;
    let kinds: Vec<EventKind> = world.deliveries(one, made.row.id).await.iter().map(|row| row.message.kind).collect();
    assert_eq!(kinds, [EventKind::IncidentClosed, EventKind::IncidentPublished]);
}

#[tokio::test]
async fn secrets_move_with_their_tenants_kek_and_are_counted() {
    let world = World::new().await;
    let [one, _] = world.tenants;
    let before = world.made(one).await;
    let after = world.service.rotate_webhook(one, before.row.id, &world.origin()).await.unwrap();
    assert_eq!(world.service.store().sealed_under(one).await.unwrap(), [(1, 1)].into(), "a row of two secrets");

    for rekey in [false, true] {
        let pace = Pace { rekey, per_second: None };
        world.service.rotate_kek(one, pace, "because the test says so", &world.origin()).await.unwrap();
        let mut unopened = Unopened::default();
        while world.service.move_rows(one, &mut unopened, &world.origin()).await.unwrap() != Step::Ended {}
        let (_, rotation, left) = world.service.rotation(one).await.unwrap();
        assert_eq!((rotation.done, rotation.unopened, left), (1, 0, 0));
        let message = world.pinged(one, before.row.id).await;
        assert_eq!(verifies(&message, &after.secret), [true, false]);
        assert_eq!(verifies(&message, &before.secret), [false, true]);
    }
    assert_eq!(world.service.store().sealed_under(one).await.unwrap(), [(3, 1)].into());

    // A row that was moved elsewhere opens for nobody.
    let theirs = world.made(one).await.row;
    let mut bent = world.webhook(one, before.row.id).await;
    (bent.sealed, bent.previous) = (theirs.sealed, None);
    let change = Change::set(Key::Webhook(one, bent.id), Row::Webhook(Box::new(bent.clone())));
    world.service.store().put_cas(vec![change], vec![]).await.unwrap();
    world.service.ping_webhook(one, bent.id, &world.origin()).await.unwrap();
    let due = world.waiting(one, bent.id).await[0];
    assert_eq!(world.service.signed_message(&due).await.unwrap(), None);
    let failed = world.deliveries(one, bent.id).await.into_iter().find(|row| row.id == due.delivery).unwrap();
    let fault = failed.last.unwrap().fault;
    assert!(fault.contains("does not open"), "{fault}");
}
