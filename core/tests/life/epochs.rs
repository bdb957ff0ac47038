//! Deletion epochs, step by step, with a token whose root keys the test sees to.

use std::collections::BTreeMap;

use claviger_core::epoch::{Epochs, Phase};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::{KekOrigin, KekRow, Withdrawal};
use claviger_core::rotation::RotationState;
use claviger_core::service::{Pace, Service, Steer, Step, Tried, Unopened};
use claviger_core::store::{AuditRange, Change, Key, Range, Row, Versioned};
use claviger_core::token::ROOTS_MAX;
use claviger_core::view::EpochsView;

use super::roots;
use super::steps::{enrollment, secret};
use super::world::{REASON, World, origin};

/// No tenant has so many rows.
const ROWS: usize = 10;

/// No read of the store returns more.
const ROWS_AT_ONCE: u32 = 10_000;

/// Rounds in which everything that can move has.
const ROUNDS: usize = 60;

#[tokio::test]
async fn rows_that_do_not_open_hold_up_their_own_tenant_and_its_root_key_alone() {
    let world = World::new().await;
    let (service, [blocked, other]) = (world.service(), world.tenants);
    let [broken, good] = [enrolled(&world, blocked, 1).await, enrolled(&world, blocked, 2).await];
    for key in [3, 4] {
        enrolled(&world, other, key).await;
    }
    bend(service, broken).await;

    ended(&world, other).await;
    let told = view(service).await;
    assert_eq!((told.state.as_str(), told.late, told.waiting.len()), ("open", false, 1), "{told:?}");
    assert_eq!((&told.waiting[0].held_by, told.waiting[0].late), (&vec![blocked.to_string()], false), "{told:?}");
    assert_eq!(root_keys(service).await, [(1, vec![blocked]), (2, vec![blocked, other])]);
    assert_eq!((alarms(service).await, service.epoch_alarms()), (vec![blocked.to_string()], 1));
    assert_eq!(service.rotation(blocked).await.unwrap().1.state, RotationState::Blocked);

    // The next one ends as well, and takes along what of the tenant opens.
    ended(&world, other).await;
    assert_eq!(root_keys(service).await, [(1, vec![blocked]), (3, vec![blocked, other])]);
    assert_eq!(service.reprobe(blocked, good, &origin()).await.unwrap().0.id, good);

    // When their time is over, the root key that nobody needs goes.
    edit(service, |epochs| epochs.aging.iter_mut().for_each(|aging| aging.moved_ms = 0)).await;
    go_on(&world).await;
    let told = view(service).await;
    assert_eq!(*world.token.root_keys(), [1, 3], "{told:?}");
    assert_eq!(told.waiting.iter().map(|epoch| epoch.late).collect::<Vec<_>>(), [true, true], "backups open: {told:?}");
    service.delete_with_keys(blocked, broken, REASON, &origin()).await.unwrap();
    service.steer_rotation(blocked, Steer::Resume, &origin()).await.unwrap();
    go_on(&world).await;
    assert_eq!((view(service).await.waiting, &*world.token.root_keys()), (Vec::new(), &vec![3]));
    assert_eq!(service.reprobe(blocked, good, &origin()).await.unwrap().0.id, good);
}

#[tokio::test]
async fn an_epoch_that_is_put_back_beside_a_token_that_has_come_further_begins_its_move_anew() {
    let world = World::new().await;
    let service = world.service();
    enrolled(&world, world.tenants[0], 1).await;
    go_on(&world).await;
    *world.token.root_keys() = vec![1, 3, 4];

    edit(service, |epochs| (epochs.number, epochs.phase) = (2, Phase::Making { root: 2 })).await;
    go_on(&world).await;

    let told = view(service).await;
    assert_eq!((told.state.as_str(), told.waiting[0].roots_below), ("open", 5), "{told:?}");
    assert_eq!(*world.token.root_keys(), [1, 3, 4, 5]);
}

#[tokio::test]
async fn without_room_for_a_root_key_an_epoch_waits_and_says_so_once() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let full: Vec<u32> = (1..).take(ROOTS_MAX).collect();
    *world.token.root_keys() = full.clone();

    ended(&world, tenant).await;
    let told = view(service).await;
    assert_eq!((told.late, told.unerased.len(), told.epoch), (true, 1, 1), "what was deleted is noted yet: {told:?}");
    // A crash right after the epoch's first commit leaves it no other way.
    edit(service, |epochs| (epochs.number, epochs.phase) = (2, Phase::Making { root: 17 })).await;
    go_on(&world).await;
    assert_eq!((alarms(service).await.len(), &*world.token.root_keys()), (1, &full));
    assert!(view(service).await.waiting.is_empty());

    world.token.root_keys().remove(1);
    go_on(&world).await;
    let told = view(service).await;
    assert_eq!((told.state.as_str(), told.waiting[0].roots_below), ("open", 17), "{told:?}");
}

#[tokio::test]
async fn a_rotation_that_was_paused_goes_on_when_the_turn_of_its_tenant_comes() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    enrolled(&world, tenant, 1).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    service.steer_rotation(tenant, Steer::Pause, &origin()).await.unwrap();

    service.rotate_root(Pace::default(), REASON, &origin()).await.unwrap();
    go_on(&world).await;

    assert_eq!(service.root_rotation().await.unwrap().rotation.sum.state, RotationState::Done);
    assert_eq!(root_keys(service).await.last().unwrap().1, world.tenants);
}

#[tokio::test]
async fn a_tenants_own_rotation_that_waits_behind_the_move_holds_up_no_epoch() {
    let world = World::new().await;
    let (service, [tenant, other]) = (world.service(), world.tenants);
    enrolled(&world, tenant, 1).await;
    moved(&world, other).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    service.steer_rotation(tenant, Steer::Pause, &origin()).await.unwrap();

    go_on(&world).await;

    let told = view(service).await;
    assert_eq!((told.state.as_str(), told.waiting.len()), ("open", 1), "{told:?}");
    assert_eq!(root_keys(service).await, [(2, vec![tenant, other])]);
    let (_, rotation, left) = service.rotation(tenant).await.unwrap();
    assert_eq!((rotation.state, left), (RotationState::Paused, 1), "it waits for its operator yet");
}

#[tokio::test]
async fn a_tenants_own_rotation_goes_on_when_something_came_late_under_an_older_root_key() {
    let world = World::new().await;
    let (service, [tenant, other]) = (world.service(), world.tenants);
    let late = enrolled(&world, tenant, 1).await;
    let before = sealed(service, late).await;
    moved(&world, other).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    service.steer_rotation(tenant, Steer::Pause, &origin()).await.unwrap();
    put(service, Key::Sealed(late), before).await;

    go_on(&world).await;

    assert_eq!(view(service).await.state, "open");
    assert_eq!(root_keys(service).await, [(2, vec![tenant, other])]);
    assert_eq!(service.rotation(tenant).await.unwrap().1.state, RotationState::Done);
}

#[tokio::test]
async fn a_tenant_that_took_its_kek_away_in_the_middle_of_a_rotation_holds_up_itself_and_keeps_what_it_needs() {
    let world = World::new().await;
    let (service, [tenant, other]) = (world.service(), world.tenants);
    enrolled(&world, tenant, 1).await;
    enrolled(&world, other, 2).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    go_on(&world).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    let newest = kek(service, tenant, 3).await;
    let taken = KekRow { origin: KekOrigin::Imported, ..newest }.withdrawn();
    put(service, Key::Kek(tenant, 3), Row::Kek(taken)).await;
    let mark = Withdrawal { tenant, by: String::new(), at_ms: 0 };
    put(service, Key::Withdrawn(tenant), Row::Withdrawn(mark)).await;

    ended(&world, other).await;

    let left: Vec<u32> = service.keks(tenant).await.unwrap().iter().map(|kek| kek.version).collect();
    assert_eq!(left, [2, 3], "something is under version 2, and the third is the tenant's own");
    let told = view(service).await;
    assert_eq!((told.state.as_str(), &told.waiting[0].held_by), ("open", &vec![tenant.to_string()]), "{told:?}");
}

#[tokio::test]
async fn a_kek_that_nothing_is_under_is_lost_when_its_root_key_is_gone() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let unused = kek(service, tenant, 1).await;
    assert_eq!(service.try_kek(&unused).await.unwrap(), Tried::Unused);
    *world.token.root_keys() = vec![2];

    assert_eq!(service.try_kek(&unused).await.unwrap(), Tried::Rootless);

    service.drop_kek(tenant, 1, &origin()).await.unwrap();
    enrolled(&world, tenant, 1).await;
}

#[tokio::test]
async fn a_kek_is_not_judged_by_one_row_that_is_damaged() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let whole = enrolled(&world, tenant, 1).await;
    let first = Key::Sealed(CredentialId::from_bytes([0; 16]));
    service.store().put_cas(vec![Change::set(first, Row::Sealed(roots::sealed(tenant)))], Vec::new()).await.unwrap();
    let kek = kek(service, tenant, 1).await;
    assert_eq!(service.try_kek(&kek).await.unwrap(), Tried::Opens);

    service.delete_with_keys(tenant, whole, REASON, &origin()).await.unwrap();

    assert_eq!(service.try_kek(&kek).await.unwrap(), Tried::Fails);
}

#[tokio::test]
async fn what_is_under_a_newer_kek_is_found_behind_any_number_of_older_rows() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    enrolled(&world, tenant, 1).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    move_on(&world).await;
    let id = |number: u32| {
        CredentialId::from_bytes([[0; 12].as_slice(), &number.to_be_bytes()].concat().try_into().unwrap())
    };
    let old = roots::sealed(tenant);
    let rows = (0..ROWS_AT_ONCE).map(|number| Change::set(Key::Sealed(id(number)), Row::Sealed(old.clone())));
    service.store().put_cas(rows.collect(), Vec::new()).await.unwrap();
    let newer = kek(service, tenant, 2).await;
    assert_eq!(service.try_kek(&newer).await.unwrap(), Tried::Opens);

    let lost = service.drop_kek(tenant, 2, &origin()).await.unwrap().unwrap();

    assert!(lost.iter().any(|lost| lost.starts_with("credential")), "{lost:?}");
}

pub(super) async fn enrolled(world: &World, tenant: TenantId, key: u32) -> CredentialId {
    let enrolled = world.service().enroll(enrollment(tenant, key), secret, None::<fn() -> _>, &origin()).await;
    enrolled.unwrap().id
}

/// Deletes something of a tenant's, ends the epoch, and goes on with what follows.
async fn ended(world: &World, tenant: TenantId) {
    due(world, tenant).await;
    go_on(world).await;
}

/// The same, until all has moved and the KEKs before the newest are there yet.
async fn moved(world: &World, tenant: TenantId) {
    let service = world.service();
    due(world, tenant).await;
    while service.root_rotation().await.is_err() {
        service.advance_epoch(&origin()).await.unwrap();
    }
    for _ in 0..ROUNDS {
        move_on(world).await;
    }
    assert_eq!(service.root_rotation().await.unwrap().rotation.sum.state, RotationState::Done);
}

/// Deletes something of a tenant's in an epoch that is over.
async fn due(world: &World, tenant: TenantId) {
    let service = world.service();
    let first = service.store().scan(Range::Credentials(tenant), None, 1).await.unwrap().rows.pop();
    let id = match first {
        Some(Versioned { row: Row::Credential(row), .. }) => row.id,
        _ => enrolled(world, tenant, 99).await,
    };
    service.delete_with_keys(tenant, id, REASON, &origin()).await.unwrap();
    edit(service, |epochs| epochs.began_ms = 0).await;
}

/// What the service's job does, until nothing is left that it could.
async fn go_on(world: &World) {
    for _ in 0..ROUNDS {
        world.service().advance_epoch(&origin()).await.unwrap();
        move_on(world).await;
    }
}

/// The part of it that moves rows.
pub(super) async fn move_on(world: &World) {
    let service = world.service();
    service.advance_root(&origin()).await.unwrap();
    service.bury_roots().await.unwrap();
    for tenant in service.rotations_under_way().await.unwrap() {
        // What does not open is noted for as long as the rotation goes on.
        let mut unopened = Unopened::default();
        for _ in 0..ROWS {
            if let Step::Ended = service.move_rows(tenant, &mut unopened, &origin()).await.unwrap() {
                break;
            }
        }
    }
}

async fn edit<T>(service: &Service, change: impl FnOnce(&mut Epochs) -> T) {
    if service.store().get(Key::Epochs).await.unwrap().is_none() {
        service.advance_epoch(&origin()).await.unwrap();
    }
    let mut epochs = service.epoch_state().await.unwrap().epochs;
    change(&mut epochs);
    put(service, Key::Epochs, Row::Epochs(epochs)).await;
}

pub(super) async fn put(service: &Service, key: Key, row: Row) {
    service.store().put_cas(vec![Change::set(key, row)], Vec::new()).await.unwrap();
}

pub(super) async fn sealed(service: &Service, id: CredentialId) -> Row {
    service.store().get(Key::Sealed(id)).await.unwrap().unwrap().row
}

async fn bend(service: &Service, id: CredentialId) {
    let Row::Sealed(mut bytes) = sealed(service, id).await else { panic!("no bytes") };
    *bytes.last_mut().unwrap() ^= 1;
    put(service, Key::Sealed(id), Row::Sealed(bytes)).await;
}

pub(super) async fn kek(service: &Service, tenant: TenantId, version: u32) -> KekRow {
    match service.store().get(Key::Kek(tenant, version)).await.unwrap() {
        Some(Versioned { row: Row::Kek(kek), .. }) => kek,
        other => panic!("no KEK: {other:?}"),
    }
}

async fn view(service: &Service) -> EpochsView {
    EpochsView::of(&service.epoch_state().await.unwrap(), service.clock().unix_ms())
}

/// Root keys that wrap KEKs, and whose.
async fn root_keys(service: &Service) -> Vec<(u32, Vec<TenantId>)> {
    let mut roots = BTreeMap::<u32, Vec<TenantId>>::new();
    for kek in service.stored_keks().await.unwrap() {
        let of = roots.entry(kek.blob.root).or_default();
        if !of.contains(&kek.tenant) {
            of.push(kek.tenant);
        }
    }
    roots.into_iter().collect()
}

/// Whose alarms of deletion epochs are in the log.
async fn alarms(service: &Service) -> Vec<String> {
    let range = AuditRange { tenant: None, from: 0, limit: 10_000 };
    let leaves = service.store().audit_scan(range).await.unwrap();
    let entries = leaves.iter().map(|leaf| serde_json::from_slice::<serde_json::Value>(&leaf.bytes).unwrap());
    let alarms = entries.filter(|entry| entry["action"] == "alarm.deletion");
    alarms.map(|entry| entry["tenant"].as_str().unwrap_or_default().to_owned()).collect()
}
