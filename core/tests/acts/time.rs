//! What time does: requests expire, destructions wait, and what is over is forgotten.

use claviger_core::credential::State;
use claviger_core::id::OperatorId;
use claviger_core::store::{Change, Key, Row, Versioned};

use super::world::{DAY_MS, REASON, World, code};

#[tokio::test]
async fn a_request_expires_after_a_day() {
    let world = World::new(24).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    world.clock.step(DAY_MS);
    assert_eq!(world.state(approval.id).await, "expired");
    assert_eq!(code(world.approve(approval.id, &world.fresh(&world.bob)).await), "approval_closed");
    world.service.execute_due().await.unwrap();
    world.service.execute_due().await.unwrap();
    assert_eq!(world.entries("approval.expire").await, 1);
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
    world.clock.step(30 * DAY_MS);
    world.service.execute_due().await.unwrap();
    assert_eq!(code(world.service.approval(approval.id, &world.ann).await), "not_found");
}

#[tokio::test]
async fn a_destruction_freezes_at_once_waits_a_day_and_can_be_called_off() {
    let world = World::new(24).await;
    world.freeze_by_hand(State::Active).await;
    let approval = world.asked(world.delete(), &world.ann).await;
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
    let done = world.approve(approval.id, &world.bob).await.unwrap();
    assert_eq!(done.approval.state.as_str(), "approved");
    world.clock.step(DAY_MS - 1);
    world.service.execute_due().await.unwrap();
    assert!(world.row().await.is_some());
    let viewer = world.operator("cy", "compliance", None, 0).await;
    world.service.cancel(approval.id, REASON, &viewer, &world.origin(&viewer)).await.unwrap();
    world.clock.step(2);
    world.service.execute_due().await.unwrap();
    assert_eq!(world.row().await.unwrap().state, State::Frozen);

    let ann = world.fresh(&world.ann);
    let again = world.asked(world.delete(), &ann).await;
    world.approve(again.id, &world.fresh(&world.bob)).await.unwrap();
    world.clock.step(DAY_MS);
    world.service.execute_due().await.unwrap();
    world.service.execute_due().await.unwrap();
    assert_eq!((world.row().await, world.state(again.id).await.as_str()), (None, "executed"));
    assert_eq!(world.entries("credential.delete").await, 1);
    for key in [Key::Sealed(world.credential), Key::Index([7; 32])] {
        assert_eq!(world.service.store().get(key).await.unwrap(), None);
    }
}

#[tokio::test]
async fn asking_twice_is_asking_once() {
    let world = World::new(24).await;
    let first = world.asked(world.delete(), &world.ann).await;
    assert_eq!(world.asked(world.delete(), &world.ann).await.id, first.id);
    assert_ne!(world.asked(world.delete(), &world.bob).await.id, first.id);
}

#[tokio::test]
async fn a_second_operator_is_a_day_older_than_the_request() {
    let world = World::new(0).await;
    let now = world.bob.proven_ms;
    for (name, made, factors, counts) in [
        ("new", now, now, false),
        ("nearly", now - DAY_MS + 1, now - DAY_MS + 1, false),
        ("new-factors", now - 2 * DAY_MS, now - DAY_MS + 1, false),
        ("old", now - DAY_MS, now - DAY_MS, true),
    ] {
        let who = world.operator(name, "admin", None, made).await;
        set_factors(&world, who.operator, factors).await;
        let approval = world.asked(world.unfreeze(), &world.ann).await;
        let approved = world.approve(approval.id, &who).await;
        if counts {
            approved.unwrap();
        } else {
            assert_eq!(code(approved), "second_operator_too_new", "{name}");
            assert_eq!(world.state(approval.id).await, "waiting");
        }
    }
}

#[tokio::test]
async fn waiting_with_an_old_request_makes_nobody_old_enough() {
    let world = World::new(0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    let new = world.operator("new", "admin", None, world.ann.proven_ms - DAY_MS + 1).await;
    world.clock.step(DAY_MS - 1);
    assert_eq!(code(world.approve(approval.id, &world.fresh(&new)).await), "second_operator_too_new");
    let later = world.asked(world.delete(), &world.fresh(&world.ann)).await;
    world.approve(later.id, &world.fresh(&new)).await.unwrap();
}

async fn set_factors(world: &World, id: OperatorId, factors_ms: u64) {
    let found = world.service.store().get(Key::Operator(id)).await.unwrap();
    let Some(Versioned { row: Row::Operator(mut row), .. }) = found else { panic!("no operator") };
    row.factors_ms = factors_ms;
    world.put(vec![Change::set(Key::Operator(id), Row::Operator(row))]).await;
}
