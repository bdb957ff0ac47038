//! Tenants' own KEKs: what taking them away does, whatever came back since.

use claviger_core::id::TenantId;
use claviger_core::keeper::{KekOrigin, KekRow};
use claviger_core::service::{Brought, Pace, Service, ServiceError};
use claviger_core::store::{Change, Key, Row, Versioned};

use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::epochs::{enrolled, kek, move_on, put, sealed};
use super::steps::{enrollment, secret};
use super::world::{REASON, World, origin};

/// Two keys that a tenant brings.
const ONE: &[u8; 32] = &[1; 32];
const TWO: &[u8; 32] = &[2; 32];

#[tokio::test]
async fn what_came_back_alone_is_taken_away_again() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let [one, two] = with_two_of_its_own(&world).await;

    withdraw(service, tenant).await.unwrap();
    assert_eq!(here(service, tenant).await, [1], "the token made that one");

    for back in [one, two] {
        put(service, Key::Kek(tenant, back.version), Row::Kek(back.clone())).await;
        withdraw(service, tenant).await.unwrap();
        assert_eq!(here(service, tenant).await, [1], "version {} came back", back.version);
    }
    let mark = || async { service.store().get(Key::Withdrawn(tenant)).await.unwrap() };
    let before = mark().await;
    withdraw(service, tenant).await.unwrap();
    assert!(matches!(&before, Some(Versioned { row: Row::Withdrawn(_), .. })) && before == mark().await, "{before:?}");
}

#[tokio::test]
async fn what_came_back_alone_is_taken_away_also_after_the_token_made_another() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let [_, two] = with_two_of_its_own(&world).await;
    withdraw(service, tenant).await.unwrap();
    put(service, Key::Kek(tenant, 3), Row::Kek(two)).await;
    service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    move_on(&world).await;

    withdraw(service, tenant).await.unwrap();

    assert_eq!(here(service, tenant).await, [1, 4]);
}

/// Each sees that the other one is missing yet, and neither ends the stop.
#[tokio::test]
async fn one_that_comes_back_while_the_other_does_is_told_to_look_again() {
    let mut world = World::new().await;
    // The keeper hears of the tenants.
    world.restart().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let first = enrolled(&world, tenant, 1).await;
    enrolled(&world, tenant, 2).await;
    bring(service, tenant, ONE).await.unwrap();
    move_on(&world).await;
    let under_one = sealed(service, first).await;
    bring(service, tenant, TWO).await.unwrap();
    move_on(&world).await;
    put(service, Key::Sealed(first), under_one).await;
    let two = kek(service, tenant, 3).await;
    withdraw(service, tenant).await.unwrap();

    let other = vec![Change::set(Key::Kek(tenant, 3), Row::Kek(two))];
    world.meddler.overtake(move |change| change.key == Key::Kek(tenant, 2), other);
    let overtaken = bring(service, tenant, ONE).await;

    assert!(world.meddler.is_done());
    assert!(matches!(overtaken, Err(ServiceError::Changed)), "{overtaken:?}");
    let back = bring(service, tenant, ONE).await.unwrap();
    assert_eq!(back, Brought::Back { version: 2, missing: Vec::new() });
    assert_eq!(service.store().get(Key::Withdrawn(tenant)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrollment_that_a_withdrawal_overtakes_is_told_no_untruth() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let kek = kek(service, tenant, 1).await;
    let overtaken = || {
        let withdrawn = put(service, Key::Kek(tenant, 1), Row::Kek(kek.withdrawn()));
        block_in_place(|| Handle::current().block_on(withdrawn));
        secret()
    };

    let enrolled = service.enroll(enrollment(tenant, 1), overtaken, None::<fn() -> _>, &origin()).await;

    assert!(matches!(enrolled, Err(ServiceError::Changed)), "{enrolled:?}");
}

/// Has the first tenant's second and third KEK be its own, each with something under it.
async fn with_two_of_its_own(world: &World) -> [KekRow; 2] {
    let (service, tenant) = (world.service(), world.tenants[0]);
    let first = enrolled(world, tenant, 1).await;
    enrolled(world, tenant, 2).await;
    let mut before = None;
    for _ in 2..=3 {
        before = (service.rotation(tenant).await.is_ok()).then_some(sealed(service, first).await);
        service.rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
        move_on(world).await;
    }
    put(service, Key::Sealed(first), before.unwrap()).await;
    let mut own = Vec::new();
    for version in 2..=3 {
        let row = KekRow { origin: KekOrigin::Imported, ..kek(service, tenant, version).await };
        put(service, Key::Kek(tenant, version), Row::Kek(row.clone())).await;
        own.push(row);
    }
    let rows: Vec<_> = service.keks(tenant).await.unwrap().iter().map(|kek| kek.rows).collect();
    assert_eq!(rows, [0, 1, 1]);
    own.try_into().unwrap()
}

async fn bring(service: &Service, tenant: TenantId, key: &[u8; 32]) -> Result<Brought, ServiceError> {
    service.import_kek(tenant, key.to_vec(), Pace::default(), REASON, &origin()).await
}

async fn withdraw(service: &Service, tenant: TenantId) -> Result<(), ServiceError> {
    service.withdraw_kek(tenant, REASON, &origin()).await.map(drop)
}

/// Versions whose key is in the store.
async fn here(service: &Service, tenant: TenantId) -> Vec<u32> {
    let keks = service.keks(tenant).await.unwrap();
    keks.iter().filter(|kek| !kek.is_withdrawn).map(|kek| kek.version).collect()
}
