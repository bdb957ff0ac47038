//! What all operators share is filled by none of them, and an emergency always finds room.

use claviger_core::act::{Act, Approval, ApprovalState, Person};
use claviger_core::credential::State;
use claviger_core::id::{ApprovalId, OperatorId, TenantId};
use claviger_core::identity::{LoginKind, OperatorPrincipal};
use claviger_core::service::Reply;
use claviger_core::store::{Change, Key, Row};

use super::world::{World, code};

fn new_operator(tenant: Option<TenantId>) -> Act {
    Act::CreateOperator { name: "new".to_owned(), role: "viewer".to_owned(), tenant }
}

/// Puts `count` requests of one operator there.
async fn fill(world: &World, act: Act, by: OperatorId, count: usize, state: ApprovalState) {
    let like = Approval {
        id: ApprovalId::MIN,
        act,
        name: "x".to_owned(),
        lines: Vec::new(),
        blast_radius: std::collections::BTreeMap::new(),
        digest: String::new(),
        window: 0,
        requester: Person { id: by, name: "x".to_owned() },
        reason: String::new(),
        created_ms: 0,
        expires_ms: u64::MAX,
        approved: None,
        closed: None,
        state,
        changed_ms: u64::MAX,
        invited: None,
    };
    let one = |_| {
        let id = ApprovalId::new(world.clock.as_ref());
        Change::set(Key::Approval(id), Row::Approval(Box::new(Approval { id, ..like.clone() })))
    };
    world.put((0..count).map(one).collect()).await;
}

#[tokio::test]
async fn one_operator_does_not_fill_the_room_of_others() {
    let world = World::new(0).await;
    fill(&world, new_operator(None), world.ann.operator, 99, ApprovalState::Waiting).await;
    let last = world.asked(world.unfreeze(), &world.ann).await;
    assert_eq!(code(world.ask(new_operator(None), &world.ann).await), "approvals_full");
    // What waits already is found, and others are heard.
    assert_eq!(world.asked(world.unfreeze(), &world.ann).await.id, last.id);
    world.asked(new_operator(None), &world.bob).await;
    world.approve(last.id, &world.bob).await.unwrap();
    world.asked(new_operator(None), &world.ann).await;
}

#[tokio::test]
async fn closed_requests_count_too_until_they_are_forgotten() {
    let world = World::new(0).await;
    fill(&world, new_operator(None), world.ann.operator, 1_000, ApprovalState::Cancelled).await;
    assert_eq!(code(world.ask(new_operator(None), &world.ann).await), "approvals_full");
    world.asked(new_operator(None), &world.bob).await;
}

#[tokio::test]
async fn one_tenant_does_not_fill_the_room_of_others() {
    let world = World::new(0).await;
    for _ in 0..4 {
        let by = OperatorId::new(world.clock.as_ref());
        fill(&world, new_operator(Some(world.tenant)), by, 100, ApprovalState::Waiting).await;
    }
    let within = world.operator("ian", "admin", Some(world.tenant), 0).await;
    assert_eq!(code(world.ask(world.unfreeze(), &within).await), "approvals_full");
    world.asked(new_operator(None), &world.ann).await;
}

#[tokio::test]
async fn an_emergency_finds_room_whatever_waits_and_ends_equal_requests() {
    let world = World::new(0).await;
    let waits = world.asked(world.unfreeze(), &world.bob).await;
    for _ in 0..10 {
        let by = OperatorId::new(world.clock.as_ref());
        fill(&world, new_operator(None), by, 100, ApprovalState::Waiting).await;
    }
    assert_eq!(code(world.ask(world.unfreeze(), &world.ann).await), "approvals_full");
    let ann = OperatorPrincipal { kind: LoginKind::BreakGlass, ..world.ann.clone() };
    assert!(matches!(world.ask(world.unfreeze(), &ann).await, Ok(Reply::ToReview(_))));
    assert_eq!(world.row().await.unwrap().state, State::Active);
    assert_eq!(world.state(waits.id).await, "cancelled");
    let closed = world.service.approval(waits.id, &world.ann).await.unwrap().closed.unwrap();
    assert_eq!(closed.by.id, world.ann.operator);
    assert_eq!(world.entries("approval.cancel").await, 1);
    assert_eq!(code(world.approve(waits.id, &world.ann).await), "approval_closed");
}
