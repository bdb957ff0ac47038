//! Wraps for the day when the token is gone, and who waits on that day.

use std::io;

use claviger_core::envelope::{Envelope, Mode, Purpose};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::{KekOrigin, KekRow, Withdrawal};
use claviger_core::recovery::{PrivateKey, RecoveryKey, split};
use claviger_core::service::{Brought, Pace, Pass, Recovery, Service, ServiceError, Step, Unopened};
use claviger_core::store::{Change, Key, Row, VenueToken, Versioned};
use claviger_venues::SecretKind;

use super::steps::{enrollment, secret};
use super::world::{REASON, World, origin};

/// More than one step looks at, and than one batch reads.
const MANY: u32 = 300;
const ALL: u64 = 300;

/// What the tenant keeps to itself.
const OWN: [u8; 32] = [7; 32];

#[tokio::test]
async fn a_look_at_all_rows_goes_on_where_the_keeper_was_lost() {
    let (mut world, key, _) = with_recovery().await;
    let mut pass = Pass::default();
    assert!(world.service().wrap_more(&key, &mut pass).await.unwrap(), "there is more");

    world.service().keeper().detach();
    for _ in 0..3 {
        assert!(world.service().wrap_more(&key, &mut pass).await.is_err());
    }
    world.restart().await;
    while world.service().wrap_more(&key, &mut pass).await.unwrap() {}

    let (found, _) = world.service().recovery_state();
    assert_eq!((found.rows, found.lacking), (ALL, 0), "each was looked at once, and none passed over: {found:?}");
}

#[tokio::test]
async fn a_row_at_which_every_keeper_ends_is_passed_over() {
    let (mut world, ..) = with_recovery().await;
    let broken = world.tenants[1];
    world.token.root_keys().push(2);
    world.service().rotate_kek(broken, Pace::default(), REASON, &origin()).await.unwrap();
    enrolled(&world, broken, MANY).await;
    let other = PrivateKey::generate().unwrap();
    let newer = with_newer(&mut world, &other).await;
    world.token.root_keys().pop();

    let mut pass = Pass::default();
    for _ in 0..6 {
        match world.service().wrap_more(&newer, &mut pass).await {
            Ok(true) => {}
            Ok(false) => break,
            // A keeper whose token lacks a root key ends.
            Err(_) => world.restart().await,
        }
    }

    let (found, _) = world.service().recovery_state();
    assert_eq!((found.rows, found.lacking), (ALL + 1, 1), "{found:?}");
    assert_eq!(world.service().recoverable(&other).await.unwrap().opened, ALL);
}

#[tokio::test]
async fn a_row_whose_kek_is_anothers_gets_no_wrap_and_holds_up_no_other() {
    let (mut world, key, private) = with_recovery().await;
    // One that there is a wrap of already, to another key.
    let broken = world.tenants[1];
    enrolled(&world, broken, MANY).await;
    world.service().rotate_kek(broken, Pace::default(), REASON, &origin()).await.unwrap();
    let moved = kek(world.service(), broken, 2).await;
    put(world.service(), Key::Kek(broken, 1), Row::Kek(moved)).await;
    let other = PrivateKey::generate().unwrap();
    let newer = with_newer(&mut world, &other).await;

    let mut pass = Pass::default();
    while world.service().wrap_more(&newer, &mut pass).await.unwrap() {}

    let (found, _) = world.service().recovery_state();
    assert_eq!((found.rows, found.lacking), (ALL + 1, 1), "{found:?}");
    assert_eq!(world.service().recoverable(&other).await.unwrap().opened, ALL);
    assert_eq!(world.service().recoverable(&private).await.unwrap().opened, 1, "{key:?}");
}

#[tokio::test]
async fn a_tenant_with_one_wrap_among_many_rows_waits_for_no_kek() {
    let (world, _, private) = with_recovery().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let last = enrolled(&world, tenant, MANY).await;
    let newest = kek(service, tenant, 1).await;
    // As a backup has it.
    let stripped = KekRow { origin: KekOrigin::Imported, ..newest }.withdrawn();
    put(service, Key::Kek(tenant, 1), Row::Kek(stripped)).await;

    let Recovery { opened, waiting, lost, .. } = service.recoverable(&private).await.unwrap();
    assert_eq!((opened, waiting, lost.len()), (1, Vec::new(), 300));

    service.delete_with_keys(tenant, last, "because the test says so", &origin()).await.unwrap();
    let Recovery { opened, waiting, lost, .. } = service.recoverable(&private).await.unwrap();
    assert_eq!((opened, waiting, lost.len()), (0, vec![tenant], 0), "its wraps went with its KEK");
}

#[tokio::test]
async fn what_lives_for_one_login_is_not_said_to_be_lost() {
    let (world, _, private) = with_recovery().await;
    let service = world.service();
    let id = enrolled(&world, world.tenants[1], MANY).await;
    let Some(Versioned { row: Row::Sealed(sealed), .. }) = service.store().get(Key::Sealed(id)).await.unwrap() else {
        panic!("no bytes")
    };
    let mut envelope = Envelope::from_bytes(&sealed).unwrap();
    (envelope.binding.purpose, envelope.binding.kind) = (Purpose::VenueToken, SecretKind::Bearer);
    let token = VenueToken { sealed: envelope.to_bytes(), issued_ms: 0, expires_ms: u64::MAX };
    put(service, Key::Token(id), Row::Token(token)).await;

    let Recovery { opened, lost, .. } = service.recoverable(&private).await.unwrap();

    assert_eq!((opened, lost.len()), (1, 300));
    assert!(lost.iter().all(|lost| !lost.contains(&id.to_string())), "{lost:?}");
}

#[tokio::test]
async fn what_waits_for_a_kek_is_found_by_the_new_tokens_blind_index_when_it_is_back() {
    let (mut world, _, private) = with_recovery().await;
    let tenant = world.tenants[1];
    let [waits, gone] = [enrolled(&world, tenant, 1).await, enrolled(&world, tenant, 2).await];
    let waits_too = enrolled(&world, tenant, 3).await;
    let service = world.service().clone();
    service.import_kek(tenant, OWN.to_vec(), Pace::default(), REASON, &origin()).await.unwrap();
    while service.move_rows(tenant, &mut Unopened::default(), &origin()).await.unwrap() != Step::Ended {}
    service.withdraw_kek(tenant, "because the test says so", &origin()).await.unwrap();
    // As if it were in the token.
    let Some(Versioned { row: Row::Sealed(sealed), .. }) = service.store().get(Key::Sealed(gone)).await.unwrap() else {
        panic!("no bytes")
    };
    let mut envelope = Envelope::from_bytes(&sealed).unwrap();
    envelope.binding.mode = Mode::Resident;
    put(&service, Key::Sealed(gone), Row::Sealed(envelope.to_bytes())).await;
    drop(service);
    world.token.index_anew();

    let plan = world.service().plan_recovery(&[]).await.unwrap();
    let mut done = Recovery::default();
    let mut cut_off = |_| Err(io::ErrorKind::Other.into());
    world.service().recover(&private, &plan, &origin(), &mut cut_off).await.unwrap_err();
    // Once more than there is anything to do.
    for _ in 0..2 {
        let mut heard = |event| {
            done.add(event);
            Ok(())
        };
        world.service().recover(&private, &plan, &origin(), &mut heard).await.unwrap();
    }

    assert_eq!(plan.waiting, [tenant]);
    assert_eq!(done.lost.iter().filter(|lost| lost.contains(&gone.to_string())).count(), 1, "{:?}", done.lost);
    for waits in [waits, waits_too] {
        assert!(done.lost.iter().all(|lost| !lost.contains(&waits.to_string())), "{:?}", done.lost);
    }
    let left: Vec<u32> = world.service().keks(tenant).await.unwrap().iter().map(|kek| kek.version).collect();
    assert_eq!(left, [2], "the lost token's KEK is gone");
    world.restart().await;
    let again = async |n| world.service().enroll(enrollment(tenant, n), secret, None::<fn() -> _>, &origin()).await;
    let early = again(1).await;
    assert!(matches!(early, Err(ServiceError::Conflict { code: "kek_withdrawn", .. })), "{early:?}");
    let back = world.service().import_kek(tenant, OWN.to_vec(), Pace::default(), REASON, &origin()).await.unwrap();
    assert_eq!(back, Brought::Back { version: 2, missing: Vec::new() });
    for (number, waits) in [(1, waits), (3, waits_too)] {
        let twice = again(number).await;
        assert!(matches!(twice, Err(ServiceError::Conflict { code: "already_enrolled", .. })), "{twice:?}");
        assert_eq!(world.service().reprobe(tenant, waits, &origin()).await.unwrap().0.id, waits);
    }
    again(2).await.unwrap();

    // While an older one is missing, it may be what is under that.
    let mark = Withdrawal { tenant, by: "test".to_owned(), at_ms: 0 };
    put(world.service(), Key::Withdrawn(tenant), Row::Withdrawn(mark)).await;
    let unknown = again(4).await;
    assert!(matches!(unknown, Err(ServiceError::Conflict { code: "kek_withdrawn", .. })), "{unknown:?}");
}

/// With a recovery key that the keeper knows, and many rows from before.
async fn with_recovery() -> (World, RecoveryKey, PrivateKey) {
    let mut world = World::new().await;
    for n in 0..MANY {
        enrolled(&world, world.tenants[0], n).await;
    }
    let private = PrivateKey::generate().unwrap();
    let key = with_newer(&mut world, &private).await;
    (world, key, private)
}

/// Has another recovery key take the place of the one that there is.
async fn with_newer(world: &mut World, private: &PrivateKey) -> RecoveryKey {
    let (key, _) = split(private, (2, 2), 0).unwrap();
    let key = key.certified(&mut world.token.clone()).unwrap();
    world.service().set_recovery_key(key.clone(), &origin()).await.unwrap();
    world.restart().await;
    key
}

async fn enrolled(world: &World, tenant: TenantId, key: u32) -> CredentialId {
    let enrolled = world.service().enroll(enrollment(tenant, key), secret, None::<fn() -> _>, &origin()).await;
    enrolled.unwrap().id
}

async fn kek(service: &Service, tenant: TenantId, version: u32) -> KekRow {
    match service.store().get(Key::Kek(tenant, version)).await.unwrap() {
        Some(Versioned { row: Row::Kek(kek), .. }) => kek,
        other => panic!("no KEK: {other:?}"),
    }
}

async fn put(service: &Service, key: Key, row: Row) {
    service.store().put_cas(vec![Change::set(key, row)], Vec::new()).await.unwrap();
}
