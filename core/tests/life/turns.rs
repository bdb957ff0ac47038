//! A rotation of the root key comes to each tenant in turn, and whoever is bound to a tenant does not hold it up.

use claviger_core::id::TenantId;
use claviger_core::rotation::RotationState;
use claviger_core::service::{Pace, Service, ServiceError, Steer};

use super::epochs::{enrolled, move_on};
use super::world::{REASON, World, origin};
use crate::seed::Seed;

/// Power cuts: one after each write or sync of a turn's beginning, and some after it.
const CUTS: u64 = 24;

/// How much later the second of two begins at most, in turns of the scheduler.
const LATER: usize = 60;

/// One row a second.
const SLOWLY: Pace = Pace { rekey: false, per_second: Some(1) };

#[tokio::test]
async fn at_no_moment_could_who_is_bound_to_a_tenant_have_its_turn_wait() {
    let mut begun = 0;
    for operations in 0..CUTS {
        let mut world = World::new().await;
        for tenant in world.tenants {
            enrolled(&world, tenant, 1).await;
        }
        world.service().rotate_root(Pace::default(), REASON, &origin()).await.unwrap();
        world.cut_after(operations);
        let _ = world.service().advance_root(&origin()).await;
        world.crash(&mut Seed::new(operations)).await;

        for tenant in world.tenants {
            if world.service().rotation(tenant).await.is_ok() {
                begun += 1;
                let refused = world.service().steer_own_rotation(tenant, Steer::Pause, &origin()).await;
                assert!(matches!(&refused, Err(ServiceError::Conflict { code: "root_rotation", .. })), "{refused:?}");
            }
        }
    }
    assert!(begun > 0 && begun < CUTS, "{begun} of {CUTS} cuts were after the turn's beginning");
}

#[tokio::test]
async fn a_rotation_of_its_own_goes_on_at_the_pace_of_all_when_the_turn_of_its_tenant_comes() {
    for paused in [false, true] {
        let world = World::new().await;
        let service = world.service();
        for tenant in world.tenants {
            enrolled(&world, tenant, 1).await;
            service.rotate_kek(tenant, SLOWLY, REASON, &origin()).await.unwrap();
            if paused {
                service.steer_own_rotation(tenant, Steer::Pause, &origin()).await.unwrap();
            }
        }
        service.rotate_root(Pace { per_second: Some(500), ..SLOWLY }, REASON, &origin()).await.unwrap();

        service.advance_root(&origin()).await.unwrap();

        let first = turn_of(service).await;
        let (_, rotation, _) = service.rotation(first).await.unwrap();
        assert_eq!((rotation.state, rotation.per_second), (RotationState::Running, Some(500)), "paused: {paused}");
    }
}

#[tokio::test]
async fn no_rotation_is_begun_in_its_turn_by_who_is_bound_to_a_tenant() {
    let world = World::new().await;
    let service = world.service();
    enrolled(&world, world.tenants[0], 1).await;
    enrolled(&world, world.tenants[1], 1).await;
    service.rotate_root(Pace::default(), REASON, &origin()).await.unwrap();
    move_on(&world).await;
    let tenant = turn_of(service).await;
    let (_, moved, left) = service.rotation(tenant).await.unwrap();
    assert_eq!((moved.state, left), (RotationState::Done, 0), "its rows have moved");

    let refused = service.rotate_own_kek(tenant, SLOWLY, REASON, &origin()).await;

    assert!(matches!(&refused, Err(ServiceError::Conflict { code: "root_rotation", .. })), "{refused:?}");
    while service.root_rotation().await.unwrap().rotation.sum.state == RotationState::Running {
        move_on(&world).await;
    }
    service.rotate_own_kek(tenant, SLOWLY, REASON, &origin()).await.unwrap();
}

#[tokio::test]
async fn what_waits_with_the_rotation_of_the_root_key_goes_on_with_it_whatever_is_cut() {
    let mut resumed = 0;
    for operations in 0..CUTS {
        let mut world = World::new().await;
        let service = world.service();
        for tenant in world.tenants {
            enrolled(&world, tenant, 1).await;
        }
        service.rotate_root(Pace::default(), REASON, &origin()).await.unwrap();
        service.advance_root(&origin()).await.unwrap();
        let tenant = turn_of(service).await;
        service.steer_root_rotation(Steer::Pause, &origin()).await.unwrap();
        assert_eq!(states(service, tenant).await, [RotationState::Paused; 2]);

        world.cut_after(operations);
        let _ = world.service().steer_root_rotation(Steer::Resume, &origin()).await;
        world.crash(&mut Seed::new(operations)).await;

        let [all, its_own] = states(world.service(), tenant).await;
        assert_eq!(all, its_own, "cut after {operations}");
        resumed += u64::from(all == RotationState::Running);
    }
    assert!(resumed > 0 && resumed < CUTS, "{resumed} of {CUTS} cuts were after it");
}

#[tokio::test]
async fn of_two_that_are_begun_at_once_one_is_refused() {
    for later in 0..LATER {
        let world = World::new().await;
        let service = world.service();
        let origin = origin();
        let begun = async |rekey, later| {
            for _ in 0..later {
                tokio::task::yield_now().await;
            }
            service.rotate_root(Pace { rekey, per_second: None }, REASON, &origin).await
        };

        let (one, other) = tokio::join!(begun(false, 0), begun(true, later));

        assert!(one.is_ok() != other.is_ok(), "{later} later: {one:?} {other:?}");
        let rekey = service.root_rotation().await.unwrap().rotation.sum.rekey;
        assert_eq!(rekey, other.is_ok(), "the one that was taken goes on");
    }
}

/// The tenant whose turn it is.
async fn turn_of(service: &Service) -> TenantId {
    service.root_rotation().await.unwrap().rotation.at.unwrap()
}

/// How the rotation of the root key stands, and a tenant's.
async fn states(service: &Service, tenant: TenantId) -> [RotationState; 2] {
    let all = service.root_rotation().await.unwrap().rotation.sum.state;
    [all, service.rotation(tenant).await.unwrap().1.state]
}
