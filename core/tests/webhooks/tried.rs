//! How often a message is tried, and what comes of it.

use std::io::{self, Write};

use claviger_core::backup::Sink;
use claviger_core::clock::Clock as _;
use claviger_core::id::{DeliveryId, TenantId, WebhookId};
use claviger_core::service::{Posted, ServiceError};
use claviger_core::store::{Change, Key, Row, Store};
use claviger_core::webhook::{Delivery, DeliveryState, EventKind, Message, OVERLAP_MS, Why};

use super::world::{HOUR_MS, World, answered, freeze, verifies};

#[tokio::test]
async fn a_secret_signs_along_for_a_day_and_is_destroyed() {
    let world = World::new().await;
    let [tenant, _] = world.tenants;
    let first = world.made(tenant).await;
    let id = first.row.id;
    let second = world.service.rotate_webhook(tenant, id, &world.origin()).await.unwrap();
    assert_ne!(first.secret, second.secret);

    let message = world.pinged(tenant, id).await;
    assert_eq!(verifies(&message, &first.secret), [false, true]);
    assert_eq!(verifies(&message, &second.secret), [true, false]);
    let mut bent = message.clone();
    bent.body[0] ^= 1;
    assert_eq!(verifies(&bent, &second.secret), [false, false]);

    world.clock.step(OVERLAP_MS - 1);
    world.service.tidy_webhooks().await.unwrap();
    assert_eq!(verifies(&world.pinged(tenant, id).await, &first.secret), [false, true]);
    world.clock.step(1);
    let message = world.pinged(tenant, id).await;
    assert_eq!((verifies(&message, &first.secret), verifies(&message, &second.secret)), (vec![false], vec![true]));
    assert!(world.webhook(tenant, id).await.previous.is_some());
    world.service.tidy_webhooks().await.unwrap();
    assert_eq!(world.webhook(tenant, id).await.previous, None, "it is not stored any more");
}

#[tokio::test]
async fn a_webhook_that_takes_nothing_for_three_days_is_disabled_and_enabled_by_what_it_takes() {
    let world = World::new().await;
    let [tenant, _] = world.tenants;
    let id = world.made(tenant).await.row.id;
    world.happens(freeze(Some(tenant), "tenant")).await;
    let mut ids = Vec::new();
    while !world.waiting(tenant, id).await.is_empty() {
        let message = world.tried(tenant, id, Posted::Failed("nobody answers".to_owned())).await.unwrap();
        let header = |name: &str| message.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
        ids.push((header("webhook-id"), message.body.clone()));
    }
    assert_eq!(ids.len(), 12);
    assert!(ids.iter().all(|sent| *sent == ids[0]), "each attempt is the same message");
    let delivery = world.deliveries(tenant, id).await.remove(0);
    assert!(
        matches!(delivery.state, DeliveryState::GivenUp(at) if at - delivery.since_ms > 70 * HOUR_MS),
        "{delivery:?}"
    );
    assert_eq!(delivery.last.unwrap().fault, "nobody answers");
    assert_eq!(world.webhook(tenant, id).await.disabled.unwrap().why, Why::Failing);

    world.happens(freeze(Some(tenant), "tenant")).await;
    assert_eq!(world.deliveries(tenant, id).await.len(), 1, "nothing is kept for it");
    world.pinged(tenant, id).await;
    assert_eq!(world.webhook(tenant, id).await.disabled, None);
    world.happens(freeze(Some(tenant), "tenant")).await;
    assert_eq!(world.deliveries(tenant, id).await.len(), 3);
    assert_eq!(actions(&world).await, ["webhook.create", "webhook.disable", "webhook.test", "webhook.enable"]);
}

#[tokio::test]
async fn one_message_that_is_never_taken_does_not_disable_what_takes_others() {
    let world = World::new().await;
    let [tenant, _] = world.tenants;
    let id = world.made(tenant).await.row.id;
    world.happens(freeze(Some(tenant), "tenant")).await;
    world.tried(tenant, id, answered(500)).await.unwrap();
    world.clock.step(1);
    let poison = world.deliveries(tenant, id).await[0].id;
    world.pinged(tenant, id).await;
    while !world.waiting(tenant, id).await.is_empty() {
        world.tried(tenant, id, answered(500)).await.unwrap();
    }
    let delivery = world.deliveries(tenant, id).await.into_iter().find(|row| row.id == poison).unwrap();
    assert!(matches!(delivery.state, DeliveryState::GivenUp(_)));
    assert_eq!(world.webhook(tenant, id).await.disabled, None);

    // It is sent again when somebody asks, under its own id, and not twice at once.
    let again = world.service.redeliver(tenant, id, poison, &world.origin()).await.unwrap();
    assert_eq!((again.id, again.attempts), (poison, 0));
    let twice = world.service.redeliver(tenant, id, poison, &world.origin()).await;
    assert!(matches!(twice, Err(ServiceError::Conflict { code: "delivery_waiting", .. })), "{twice:?}");
    world.tried(tenant, id, answered(204)).await.unwrap();
    let delivery = world.deliveries(tenant, id).await.into_iter().find(|row| row.id == poison).unwrap();
    assert!(matches!(delivery.state, DeliveryState::Taken(_)));
}

#[tokio::test]
async fn whoever_is_gone_gets_nothing_more_and_whoever_asks_gets_time() {
    let world = World::new().await;
    let [tenant, _] = world.tenants;
    let id = world.made(tenant).await.row.id;
    for _ in 0..2 {
        world.happens(freeze(Some(tenant), "tenant")).await;
    }
    let busy = Posted::Answered { status: 503, retry_after: Some("7200".to_owned()) };
    world.tried(tenant, id, busy).await.unwrap();
    world.clock.step(1);
    world.tried(tenant, id, answered(410)).await.unwrap();
    assert_eq!(world.webhook(tenant, id).await.disabled.unwrap().why, Why::Gone);
    let asked = world.waiting(tenant, id).await;
    assert_eq!(asked.len(), 1);
    let now = claviger_core::clock::Clock::unix_ms(&world.clock);
    assert!((now + 2 * HOUR_MS - 1..now + 3 * HOUR_MS).contains(&asked[0].at_ms), "{asked:?} {now}");
    assert_eq!(world.tried(tenant, id, answered(200)).await, None, "what was to be sent is given up");
    assert_eq!(world.waiting(tenant, id).await, []);
}

#[tokio::test]
async fn a_delivery_is_listed_for_thirty_days() {
    let world = World::new().await;
    let [tenant, _] = world.tenants;
    let id = world.made(tenant).await.row.id;
    world.pinged(tenant, id).await;
    world.clock.step(29 * 24 * HOUR_MS);
    world.pinged(tenant, id).await;
    world.service.tidy_webhooks().await.unwrap();
    assert_eq!(world.deliveries(tenant, id).await.len(), 2);
    world.clock.step(24 * HOUR_MS + 1);
    world.service.tidy_webhooks().await.unwrap();
    assert_eq!(world.deliveries(tenant, id).await.len(), 1);
}

#[tokio::test]
async fn old_deliveries_are_forgotten_page_by_page_past_what_is_sent_again() {
    let world = World::new().await;
    let [tenant, _] = world.tenants;
    let id = world.made(tenant).await.row.id;
    let store = world.service.store();
    let mut rows = Vec::new();
    for _ in 0..1_200 {
        world.clock.step(1);
        rows.push(taken(&world, tenant, id));
    }
    let oldest = rows[0].id;
    let created = rows
        .into_iter()
        .map(|row| Change::create(Key::WebhookDelivery(tenant, id, row.id), Row::WebhookDelivery(Box::new(row))));
    store.put_cas(created.collect(), Vec::new()).await.unwrap();
    world.clock.step(30 * 24 * HOUR_MS);
    let young = taken(&world, tenant, id);
    let key = Key::WebhookDelivery(tenant, id, young.id);
    store.put_cas(vec![Change::create(key, Row::WebhookDelivery(Box::new(young.clone())))], Vec::new()).await.unwrap();
    world.service.redeliver(tenant, id, oldest, &world.origin()).await.unwrap();
    world.clock.step(1);
    let before = commits(store).await;

    world.service.tidy_webhooks().await.unwrap();

    let left: Vec<_> = world.deliveries(tenant, id).await.into_iter().map(|row| row.id).collect();
    assert_eq!(left, [young.id, oldest], "what waits stays, and what is younger");
    assert_eq!(commits(store).await, before + 3, "1,200 of them in three pages");
    world.tried(tenant, id, answered(200)).await.unwrap();
    world.service.tidy_webhooks().await.unwrap();
    assert_eq!(world.deliveries(tenant, id).await.len(), 2, "it was sent again lately");
    world.clock.step(31 * 24 * HOUR_MS);
    world.service.tidy_webhooks().await.unwrap();
    assert_eq!(world.deliveries(tenant, id).await.len(), 0);
}

/// A delivery of this moment that was taken at once.
fn taken(world: &World, tenant: TenantId, webhook: WebhookId) -> Delivery {
    let now = world.clock.unix_ms();
    let message =
        Message { kind: EventKind::Ping, at_ms: now, resource: String::new(), id: String::new(), entry: None };
    let id = DeliveryId::new(&world.clock);
    Delivery { id, tenant, webhook, message, since_ms: now, attempts: 1, state: DeliveryState::Taken(now), last: None }
}

/// How many commits a store has made.
async fn commits(store: &dyn Store) -> u64 {
    store.backup(Box::new(Nowhere)).await.unwrap().commits
}

struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Nowhere {
    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// What the log says of webhooks.
async fn actions(world: &World) -> Vec<String> {
    let range = claviger_core::store::AuditRange { tenant: None, from: 0, limit: 99 };
    let leaves = world.service.store().audit_scan(range).await.unwrap();
    let actions = leaves.iter().map(|leaf| claviger_core::audit::Entry::from_leaf(&leaf.bytes).unwrap().action);
    actions.filter(|action| action.starts_with("webhook.")).collect()
}
