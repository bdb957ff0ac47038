//! The life of an act that was asked for.

use claviger_core::act::Act;
use claviger_core::credential::State;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::identity::{LoginKind, OperatorPrincipal};
use claviger_core::service::{Ask, Reply};
use claviger_core::store::{Order, Scope};

use super::world::{REASON, World, code};

#[tokio::test]
async fn one_asks_the_other_approves_and_it_is_done() {
    let world = World::new(0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
    assert_eq!(code(world.approve(approval.id, &world.ann).await), "second_operator_required");
    let done = world.approve(approval.id, &world.bob).await.unwrap();
    assert_eq!(done.approval.state.as_str(), "executed");
    assert_eq!(world.row().await.unwrap().state, State::Active);
    for action in ["approval.request", "approval.approve", "approval.execute", "credential.unfreeze"] {
        assert_eq!(world.entries(action).await, 1, "{action}");
    }
    // What the same approver says once more is harmless.
    world.approve(approval.id, &world.bob).await.unwrap();
    assert_eq!(world.entries("credential.unfreeze").await, 1);
    assert_eq!(code(world.ask(world.unfreeze(), &world.ann).await), "not_stopped");
}

#[tokio::test]
async fn an_act_takes_the_plan_a_reason_a_proof_the_version_and_its_name() {
    let world = World::new(0).await;
    let plan = world.plan(&world.delete(), &world.ann).await;
    let good = Ask { act: world.delete(), digest: &plan.digest, if_match: plan.etag, confirm: "main", reason: REASON };
    let other = world.plan(&world.unfreeze(), &world.ann).await.digest;
    let late = OperatorPrincipal { proven_ms: world.ann.proven_ms - 5 * 60 * 1_000 - 1, ..world.ann.clone() };
    for (ask, who, wanted) in [
        (Ask { digest: &other, ..good.clone() }, &world.ann, "plan_changed"),
        (Ask { digest: "", ..good.clone() }, &world.ann, "plan_changed"),
        (Ask { reason: "too short", ..good.clone() }, &world.ann, "reason_missing"),
        (Ask { confirm: "yes", ..good.clone() }, &world.ann, "confirm_missing"),
        (Ask { if_match: Some(1), ..good.clone() }, &world.ann, "changed"),
        (good.clone(), &late, "step_up_required"),
    ] {
        assert_eq!(code(world.service.ask(ask, who, &world.origin(who)).await), wanted);
    }
    assert_eq!(world.entries("approval.request").await, 0);
    assert!(matches!(world.service.ask(good, &world.ann, &world.origin(&world.ann)).await, Ok(Reply::Waiting(..))));
    let id = world.service.approvals(&world.ann, Order::Oldest, None, 10).await.unwrap().rows[0].id;
    let late = OperatorPrincipal { proven_ms: 0, ..world.bob.clone() };
    assert_eq!(code(world.approve(id, &late).await), "step_up_required");
}

#[tokio::test]
async fn a_plan_changes_nothing_and_is_good_for_a_while() {
    let world = World::new(0).await;
    let plan = world.plan(&world.unfreeze(), &world.ann).await;
    assert!(plan.second && plan.name == "main" && plan.blast_radius["apps"] == 0);
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
    world.clock.step(plan.expires_ms - world.ann.proven_ms - 1);
    let ann = world.fresh(&world.ann);
    let ask = |digest| Ask { act: world.unfreeze(), digest, if_match: None, confirm: "", reason: REASON };
    assert!(matches!(world.service.ask(ask(&plan.digest), &ann, &world.origin(&ann)).await, Ok(Reply::Waiting(..))));
    world.clock.step(1);
    assert_eq!(code(world.service.ask(ask(&plan.digest), &ann, &world.origin(&ann)).await), "plan_changed");
}

#[tokio::test]
async fn what_is_not_as_it_was_is_asked_for_anew() {
    let world = World::new(0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    world.freeze_by_hand(State::ReduceOnly).await;
    assert_eq!(code(world.approve(approval.id, &world.bob).await), "approval_stale");
    assert_eq!(world.state(approval.id).await, "stale");
    assert_eq!(code(world.approve(approval.id, &world.bob).await), "approval_closed");
    assert_eq!(world.row().await.unwrap().state, State::ReduceOnly);
    let again = world.asked(world.unfreeze(), &world.ann).await;
    world.approve(again.id, &world.bob).await.unwrap();
}

#[tokio::test]
async fn no_means_no_and_calling_off_too() {
    let world = World::new(0).await;
    let first = world.asked(world.unfreeze(), &world.ann).await;
    let denied = world.service.deny(first.id, REASON, &world.bob, &world.origin(&world.bob)).await.unwrap();
    assert_eq!(denied.state.as_str(), "denied");
    assert_eq!(code(world.approve(first.id, &world.bob).await), "approval_closed");
    let second = world.asked(world.unfreeze(), &world.ann).await;
    let viewer = world.operator("vic", "viewer", None, 0).await;
    let cancel = world.service.cancel(second.id, REASON, &viewer, &world.origin(&viewer)).await;
    assert_eq!(code(cancel), "role_denied");
    let compliance = world.operator("cy", "compliance", None, 0).await;
    let cancel = world.service.cancel(second.id, REASON, &compliance, &world.origin(&compliance)).await;
    assert_eq!(cancel.unwrap().state.as_str(), "cancelled");
    assert_eq!(code(world.approve(second.id, &world.bob).await), "approval_closed");
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
}

#[tokio::test]
async fn an_emergency_takes_one_and_is_reviewed_by_another() {
    let world = World::new(0).await;
    let ann = OperatorPrincipal { kind: LoginKind::BreakGlass, ..world.ann.clone() };
    let Reply::ToReview(approval) = world.ask(world.unfreeze(), &ann).await.unwrap() else { panic!("it waits") };
    assert_eq!(world.row().await.unwrap().state, State::Active);
    assert_eq!(world.entries("alarm.break-glass").await, 1);
    assert_eq!(world.state(approval.id).await, "to-review");
    assert_eq!(code(world.approve(approval.id, &world.ann).await), "second_operator_required");
    let bob = OperatorPrincipal { kind: LoginKind::BreakGlass, ..world.bob.clone() };
    assert_eq!(code(world.approve(approval.id, &bob).await), "second_operator_required");
    world.approve(approval.id, &world.bob).await.unwrap();
    assert_eq!(world.state(approval.id).await, "reviewed");
    // Nothing else is done so.
    assert!(matches!(world.ask(world.delete(), &ann).await, Ok(Reply::Waiting(..))));
}

#[tokio::test]
async fn another_tenants_acts_are_not_there() {
    let world = World::new(0).await;
    let elsewhere = world.operator("eve", "admin", Some(TenantId::from_bytes([9; 16])), 0).await;
    let within = world.operator("ian", "admin", Some(world.tenant), 0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    assert_eq!(code(world.service.approval(approval.id, &elsewhere).await), "not_found");
    assert_eq!(code(world.approve(approval.id, &elsewhere).await), "not_found");
    assert!(world.service.approvals(&elsewhere, Order::Oldest, None, 10).await.unwrap().rows.is_empty());
    assert_eq!(code(world.ask(world.unfreeze(), &elsewhere).await), "not_found");
    // What an act calls its tenant does not bring somebody else's scope into it.
    let kill = Act::ResumeScope { tenant: Some(world.tenant), scope: Scope::All };
    assert_eq!(code(world.service.plan(&kill, &within).await), "not_found");
    assert_eq!(
        code(world.service.plan(&Act::ResumeScope { tenant: None, scope: Scope::All }, &within).await),
        "tenant_bound"
    );
    let none = Act::UnfreezeCredential { tenant: world.tenant, credential: CredentialId::MAX };
    assert_eq!(code(world.service.plan(&none, &within).await), "not_found");
    world.approve(approval.id, &within).await.unwrap();
}
