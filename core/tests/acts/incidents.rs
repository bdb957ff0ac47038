//! Incidents over time: clocks, who closes them, what detectors add, and what is forgotten.

use std::io::{self, Write};
use std::sync::Arc;

use claviger_core::audit::{Draft, EntryOutcome, Personal};
use claviger_core::backup::{Backup, Sink};
use claviger_core::credential::State;
use claviger_core::id::{CredentialId, IncidentId, TenantId};
use claviger_core::identity::OperatorPrincipal;
use claviger_core::incident::{Detector, Duty, Incident, IncidentState, NoteKind, PublicIncident, Severity};
use claviger_core::service::{NewIncident, ServiceError, Sighting};
use claviger_core::store::{AuditRange, Change, Key, OpenIntent, Order, Range, Row, Scope, Stop, Versioned};

use super::world::{DAY_MS, REASON, World, code};

const HOUR_MS: u64 = DAY_MS / 24;
const CAUSE: &str = "a cable was loose";
const MEASURES: &str = "the cable is screwed on";

#[tokio::test]
async fn clocks_run_out_at_their_hour_and_stay_red_until_they_are_met() {
    let world = World::new(0).await;
    let incident = opened(&world, Scope::Tenant(world.tenant)).await;
    let overdue = async || -> Vec<&'static str> {
        let running = world.service.running_incidents(None).await.unwrap();
        running.overdue.iter().map(|(_, deadline)| deadline.duty.as_str()).collect()
    };
    world.clock.step(24 * HOUR_MS);
    assert_eq!(overdue().await, [""; 0]);
    world.clock.step(1);
    assert_eq!(overdue().await, ["publish"]);
    world.clock.step(48 * HOUR_MS);
    assert_eq!(overdue().await, ["publish", "notify"]);
    let elsewhere = world.service.running_incidents(Some(TenantId::from_bytes([9; 16]))).await.unwrap();
    assert_eq!((elsewhere.open, elsewhere.overdue.len()), (0, 0));

    published(&world, &incident).await;
    assert_eq!(overdue().await, ["notify"]);
    met(&world, &incident, Duty::Notify).await.unwrap();
    assert_eq!(overdue().await, [""; 0]);
    assert_eq!(code(met(&world, &incident, Duty::Notify).await), "clock_met");
    assert_eq!(code(met(&world, &incident, Duty::DoraFinal).await), "not_found");
}

#[tokio::test]
async fn a_tenant_under_dora_has_its_clocks_and_others_do_not() {
    let mut world = World::new(0).await;
    world.service = world.service.with_dora(vec!["t".to_owned(), "gone".to_owned()]);
    let tenant = world.tenant;
    world.put(vec![Change::set(Key::TenantName("t".to_owned()), Row::TenantRef(tenant))]).await;
    let clocks = async |tenant, scope| -> usize {
        let new = NewIncident { tenant, ..new(scope) };
        let opened = world.service.open_incident(new, &world.ann, &world.origin(&world.ann)).await.unwrap();
        opened.deadlines.len()
    };
    let other = TenantId::from_bytes([8; 16]);
    assert_eq!(clocks(Some(tenant), Scope::Tenant(tenant)).await, 5);
    assert_eq!(clocks(Some(other), Scope::Tenant(other)).await, 2);
    assert_eq!(clocks(None, Scope::All).await, 5, "all tenants, and so this one");
}

#[tokio::test]
async fn no_path_closes_without_both_clocks_a_second_person_and_a_review() {
    let world = World::new(0).await;
    let incident = opened(&world, Scope::Tenant(world.tenant)).await;
    assert_eq!(code(closed(&world, &incident, &world.bob, MEASURES).await), "clocks_open");
    published(&world, &incident).await;
    assert_eq!(code(closed(&world, &incident, &world.bob, MEASURES).await), "clocks_open");
    met(&world, &incident, Duty::Notify).await.unwrap();
    assert_eq!(code(closed(&world, &incident, &world.bob, "none").await), "text_invalid");
    assert_eq!(code(closed(&world, &incident, &world.ann, MEASURES).await), "second_operator_required");

    let done = closed(&world, &incident, &world.bob, MEASURES).await.unwrap();
    assert_eq!(done.state(), IncidentState::Closed);
    assert_eq!(code(closed(&world, &incident, &world.bob, MEASURES).await), "incident_closed");
    assert_eq!(code(noted(&world, &incident, "too late").await), "incident_closed");
    assert_eq!(code(contained(&world, &incident, Stop::Frozen, "").await), "incident_closed");
    for action in ["incident.open", "incident.publish", "incident.clock", "incident.close"] {
        assert_eq!(world.entries(action).await, 1, "{action}");
    }
    assert_eq!(world.service.running_incidents(None).await.unwrap().open, 0);
    let public = world.service.public_incidents().await.unwrap();
    assert_eq!(public.incidents[0].post_mortem.as_ref().unwrap().measures, MEASURES);
}

#[tokio::test]
async fn what_is_revoked_is_named_and_never_more_than_a_tenant() {
    let world = World::new(0).await;
    world.freeze_by_hand(State::Active).await;
    let incident = opened(&world, Scope::Credential(world.credential)).await;
    assert_eq!(code(contained(&world, &incident, Stop::Revoked, "yes").await), "confirm_missing");
    assert_eq!(world.row().await.unwrap().state, State::Active);
    let (done, _) = contained(&world, &incident, Stop::Revoked, &world.credential.to_string()).await.unwrap();
    assert_eq!((done.containment, world.row().await.unwrap().state), (Some(Stop::Revoked), State::Revoked));
    let (looser, _) = contained(&world, &incident, Stop::Frozen, "").await.unwrap();
    assert_eq!(looser.containment, Some(Stop::Revoked), "what is revoked stays so");

    let new = NewIncident { tenant: None, ..new(Scope::All) };
    let wide = world.service.open_incident(new, &world.ann, &world.origin(&world.ann)).await.unwrap();
    assert_eq!(code(contained(&world, &wide, Stop::Revoked, "").await), "scope_too_wide");
    assert!(world.service.store().get(Key::Stopped(Scope::All)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_a_detector_sees_again_is_the_same_incident_until_it_is_closed() {
    let world = World::new(0).await;
    for _ in 0..30 {
        world.service.alarmed(tamper(&world, Scope::Credential(world.credential))).await;
    }
    let all = incidents(&world).await;
    let [incident] = all.as_slice() else { panic!("{} incidents", all.len()) };
    assert_eq!((incident.sightings, incident.notes, incident.severity), (30, 20, Severity::High));
    assert_eq!(world.entries("alarm.tamper").await, 30);

    world.service.alarmed(tamper(&world, Scope::Tenant(world.tenant))).await;
    assert_eq!(incidents(&world).await.len(), 2, "another scope is another incident");
    published(&world, incident).await;
    met(&world, incident, Duty::Notify).await.unwrap();
    closed(&world, incident, &world.ann, MEASURES).await.unwrap();
    world.service.alarmed(tamper(&world, Scope::Credential(world.credential))).await;
    assert_eq!(incidents(&world).await.len(), 3, "after the end it is a new one");
}

#[tokio::test]
async fn what_is_seen_once_everybody_was_told_is_another_incident_with_clocks_of_its_own() {
    let world = World::new(0).await;
    let seen = async || {
        world.service.alarmed(tamper(&world, Scope::Tenant(world.tenant))).await;
        incidents(&world).await.iter().map(|incident| incident.sightings).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, [1]);
    let first = incidents(&world).await.remove(0);
    published(&world, &first).await;
    assert_eq!(seen().await, [2], "not everybody was told yet");
    met(&world, &first, Duty::Notify).await.unwrap();
    world.clock.step(HOUR_MS);
    assert_eq!(seen().await, [2, 1]);
    let second = incidents(&world).await.remove(1);
    assert!(second.deadlines.iter().all(|deadline| deadline.met_ms.is_none()));
    assert_eq!(second.detected_ms, first.detected_ms + HOUR_MS);

    closed(&world, &first, &world.bob, MEASURES).await.unwrap();
    assert_eq!(seen().await, [2, 2], "the end of the first is none of the second");
    published(&world, &second).await;
    met(&world, &second, Duty::Notify).await.unwrap();
    closed(&world, &second, &world.bob, MEASURES).await.unwrap();
    world.clock.step(1);
    assert_eq!(seen().await, [2, 2, 1]);
}

#[tokio::test]
async fn the_entry_of_a_clock_names_it() {
    let world = World::new(0).await;
    let incident = opened(&world, Scope::Tenant(world.tenant)).await;
    for duty in [Duty::Publish, Duty::Notify] {
        met(&world, &incident, duty).await.unwrap();
        assert!(log(&world).await.contains(&format!("\"clock\":\"{}\"", duty.as_str())), "{duty:?}");
    }
}

#[tokio::test]
async fn a_tenant_has_a_thousand_open_and_another_has_room() {
    let world = World::new(0).await;
    let first = opened(&world, Scope::Tenant(world.tenant)).await;
    let more = (1..1_000_u16).flat_map(|at| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&at.to_be_bytes());
        let row = Incident { id: IncidentId::from_bytes(id), ..first.clone() };
        [
            Change::create(Key::OpenIncident(row.tenant, row.id), Row::Mark),
            Change::create(Key::Incident(row.id), Row::Incident(Box::new(row))),
        ]
    });
    world.put(more.collect()).await;
    let open = async |tenant| {
        let new = NewIncident { tenant, ..new(Scope::Tenant(world.tenant)) };
        world.service.open_incident(new, &world.ann, &world.origin(&world.ann)).await
    };
    assert_eq!(code(open(Some(world.tenant)).await), "incidents_full");
    open(Some(TenantId::from_bytes([9; 16]))).await.unwrap();
    open(None).await.unwrap();
    assert_eq!(world.service.running_incidents(None).await.unwrap().open, 1_002);

    published(&world, &first).await;
    met(&world, &first, Duty::Notify).await.unwrap();
    closed(&world, &first, &world.bob, MEASURES).await.unwrap();
    open(Some(world.tenant)).await.unwrap();
}

#[tokio::test]
async fn everybody_reads_the_newest_two_hundred_once_a_second() {
    let world = World::new(0).await;
    let incident = opened(&world, Scope::Tenant(world.tenant)).await;
    published(&world, &incident).await;
    let shown = async || world.service.public_incidents().await.unwrap();
    let row = shown().await.incidents[0].clone();
    let put = async |at: u8| {
        let row = PublicIncident { id: IncidentId::from_bytes([at; 16]), ..row.clone() };
        world.put(vec![Change::set(Key::PublicIncident(row.id), Row::PublicIncident(row))]).await;
    };
    for at in 2..=210 {
        put(at).await;
    }
    assert_eq!(shown().await.incidents.len(), 1, "as it was within the last second");
    world.clock.step(1_000);
    let all: Vec<_> = shown().await.incidents.iter().map(|row| row.id.as_bytes()[0]).collect();
    assert_eq!(all, (11..=210).rev().collect::<Vec<u8>>());
    // What is published by this service shows at once.
    put(211).await;
    published(&world, &incident).await;
    assert_eq!(shown().await.incidents[0].id.as_bytes()[0], 211);
}

#[tokio::test]
async fn an_alarm_of_a_backup_and_its_incident_are_one_commit() {
    let world = World::new(0).await;
    let backup = Backup { name: "b".to_owned(), at_ms: 0, entries: 0, bytes: 0, sha256: [0; 32], checked: None };
    let before = commits(&world).await;
    world.service.judge_backup(backup, Some("it is gone".to_owned())).await.unwrap();
    assert_eq!(commits(&world).await, before + 1);
    assert_eq!([world.entries("alarm.backup").await, world.entries("incident.open").await], [1, 1]);
}

#[tokio::test]
async fn many_at_once_are_one_incident_and_lose_no_alarm() {
    let world = Arc::new(World::new(0).await);
    let sightings = (0..64).map(|_| {
        let world = world.clone();
        tokio::spawn(async move { world.service.alarmed(tamper(&world, Scope::Credential(world.credential))).await })
    });
    for sighting in sightings.collect::<Vec<_>>() {
        sighting.await.unwrap();
    }
    let all = incidents(&world).await;
    assert_eq!(all.len(), 1);
    // Whoever comes too late again and again leaves an alarm at least.
    assert!(all[0].sightings >= 20, "{} sightings", all[0].sightings);
    assert_eq!(world.entries("alarm.tamper").await, 64);
}

#[tokio::test]
async fn a_flood_of_sightings_is_gathered_by_tenant() {
    let world = World::new(0).await;
    for at in 0..80_u8 {
        let scope = Scope::Credential(CredentialId::from_bytes([at; 16]));
        world.service.alarmed(tamper(&world, scope)).await;
    }
    let all = incidents(&world).await;
    assert_eq!(all.len(), 51);
    let gathered = all.iter().find(|incident| incident.scope == Scope::Tenant(world.tenant));
    assert_eq!(gathered.map(|incident| incident.sightings), Some(30));
    assert_eq!(world.entries("alarm.tamper").await, 80);
}

#[tokio::test]
async fn an_erased_owner_is_not_named_by_an_incident() {
    let world = World::new(0).await;
    let entry = Draft::new("credential.create", EntryOutcome::Allowed);
    let personal = Personal { owner: "owner".to_owned() };
    let entry = entry.tenant(world.tenant.to_string()).personal(personal);
    world.service.store().append(vec![entry]).await.unwrap();
    let incident = opened(&world, Scope::Owner(world.tenant, "owner".to_owned())).await;
    world.service.erase_owner(world.tenant, "owner", REASON, &world.origin(&world.ann)).await.unwrap();
    let (_, after) = world.service.incident(incident.id, &world.ann).await.unwrap();
    assert_eq!(after.scope, Scope::Owner(world.tenant, String::new()));
}

#[tokio::test]
async fn the_log_has_the_hash_of_every_text_and_not_the_text() {
    let world = World::new(0).await;
    let incident = opened(&world, Scope::Tenant(world.tenant)).await;
    noted(&world, &incident, "somebody saw something").await.unwrap();
    let log = log(&world).await;
    assert!(!log.contains("somebody saw something"));
    // printf %s 'somebody saw something' | sha256sum
    assert!(log.contains(HASH), "{log}");
    let notes = world.service.store().scan(Range::IncidentNotes(incident.id), None, 10).await.unwrap().rows;
    assert!(matches!(&notes[1], Versioned { row: Row::IncidentNote(note), .. } if note.kind == NoteKind::Known));
}

async fn log(world: &World) -> String {
    let all = AuditRange { from: 0, limit: 1_000, tenant: None };
    let leaves = world.service.store().audit_scan(all).await.unwrap();
    leaves.iter().map(|leaf| String::from_utf8_lossy(&leaf.bytes).into_owned()).collect()
}

/// How many commits the store has seen, as a backup says.
async fn commits(world: &World) -> u64 {
    world.service.store().backup(Box::new(Nowhere)).await.unwrap().commits
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

const HASH: &str = "a0213f0ada1974f15171f23064c59fd92fc1ef7258bbc056a8391d0ccccd8ae7";

fn new(scope: Scope) -> NewIncident {
    let (title, summary) = ("a test".to_owned(), "It was a test.".to_owned());
    NewIncident { severity: Severity::Low, title, summary, detected_ms: None, tenant: None, scope }
}

fn tamper(world: &World, scope: Scope) -> Sighting {
    Sighting { detector: Detector::Tamper, tenant: Some(world.tenant), scope, text: "it was seen".to_owned() }
}

async fn opened(world: &World, scope: Scope) -> Incident {
    let new = NewIncident { tenant: Some(world.tenant), ..new(scope) };
    world.service.open_incident(new, &world.ann, &world.origin(&world.ann)).await.unwrap()
}

async fn published(world: &World, incident: &Incident) {
    let summary = Some("It was a test.");
    world.service.publish_incident(incident.id, summary, &world.ann, &world.origin(&world.ann)).await.unwrap();
}

type Done<T = Incident> = Result<T, ServiceError>;

async fn met(world: &World, incident: &Incident, duty: Duty) -> Done {
    world.service.meet_deadline(incident.id, duty, "by letter", &world.ann, &world.origin(&world.ann)).await
}

async fn noted(world: &World, incident: &Incident, text: &str) -> Done {
    world.service.note_incident(incident.id, NoteKind::Known, text, &world.ann, &world.origin(&world.ann)).await
}

async fn contained(world: &World, incident: &Incident, stop: Stop, confirm: &str) -> Done<(Incident, Vec<OpenIntent>)> {
    let origin = world.origin(&world.ann);
    world.service.contain_incident(incident.id, stop, confirm, REASON, &world.ann, &origin).await
}

async fn closed(world: &World, incident: &Incident, by: &OperatorPrincipal, measures: &str) -> Done {
    world.service.close_incident(incident.id, CAUSE, measures, by, &world.origin(by)).await
}

async fn incidents(world: &World) -> Vec<Incident> {
    world.service.incidents(&world.ann, Order::Oldest, None, 1_000).await.unwrap().rows
}
