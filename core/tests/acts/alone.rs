//! An admin alone does not become a second person, whatever they try.

use claviger_core::act::Act;
use claviger_core::credential::State;
use claviger_core::identity::role::{Permission, Role};
use claviger_core::identity::{Factors, LoginKind, OperatorPrincipal, PasswordHash};
use claviger_core::service::{Reply, ServiceError};
use claviger_core::store::{Change, Key, Row, Versioned};

use super::world::{DAY_MS, World, code, joined, principal};

/// What waits for the other stays waiting, whoever of themselves the admin sends.
#[tokio::test]
async fn the_same_person_by_another_login_name_or_role_is_the_same_person() {
    let world = World::new(0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    let id = world.ann.operator;
    let second_login = principal(id, "ann", "admin", None, &world.clock);
    let renamed = principal(id, "somebody-else", "admin", None, &world.clock);
    let other_role = principal(id, "ann", "compliance", None, &world.clock);
    let bound = principal(id, "ann", "admin", Some(world.tenant), &world.clock);
    let passkey = OperatorPrincipal { kind: LoginKind::Passkey, ..second_login.clone() };
    let break_glass = OperatorPrincipal { kind: LoginKind::BreakGlass, ..second_login.clone() };
    for myself in [second_login, renamed, other_role, bound, passkey, break_glass] {
        assert_eq!(code(world.approve(approval.id, &myself).await), "second_operator_required");
        let denied = world.service.deny(approval.id, super::world::REASON, &myself, &world.origin(&myself)).await;
        assert_eq!(code(denied), "second_operator_required");
    }
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
}

#[tokio::test]
async fn making_raising_and_widening_wait_for_the_other() {
    let world = World::new(0).await;
    let viewer = world.operator("vic", "viewer", None, 0).await;
    let all: Role = Role { name: "helper".to_owned(), permissions: Permission::all().collect(), flagged_only: false };
    for act in [
        Act::CreateOperator { name: "me-too".to_owned(), role: "admin".to_owned(), tenant: None },
        Act::CreateOperator { name: "me-too".to_owned(), role: "viewer".to_owned(), tenant: Some(world.tenant) },
        Act::ChangeRole { tenant: None, operator: viewer.operator, role: "compliance".to_owned() },
        Act::ResetFactors { tenant: None, operator: viewer.operator },
        Act::SetRole { role: all },
    ] {
        let approval = world.asked(act, &world.ann).await;
        assert_eq!(code(world.approve(approval.id, &world.ann).await), "second_operator_required");
    }
    assert_eq!(world.service.operator("me-too").await.unwrap(), None);
    assert_eq!(world.service.operator("vic").await.unwrap().unwrap().role, "viewer");
    assert_eq!(world.service.role("helper").await.unwrap(), None);
}

/// Neither who asks nor who approves can be the person whom they have made.
#[tokio::test]
async fn an_invitation_takes_the_halves_of_both() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    let made = Act::CreateOperator { name: "new".to_owned(), role: "viewer".to_owned(), tenant: None };
    let reset = Act::ResetFactors { tenant: None, operator: cy.operator };
    for (act, name) in [(made, "new"), (reset, "cy")] {
        let (asked, of_ann) = world.invites(act.clone(), &world.ann).await;
        // It is shown once.
        assert!(matches!(world.ask(act, &world.ann).await, Ok(Reply::Waiting(_, None))));
        let of_bob = world.approve(asked.id, &world.bob).await.unwrap().secret.unwrap();
        let (ann, bob) = (of_ann.reveal(), of_bob.reveal());
        for alone in [ann.to_owned(), bob.to_owned(), format!("{ann}.{ann}"), format!("{bob}.{bob}"), format!("{bob}.")]
        {
            assert!(world.service.whom_invites(&alone).await.is_err(), "one is enough");
        }
        for both in [joined(&of_ann, &of_bob), joined(&of_bob, &of_ann)] {
            assert_eq!(world.service.whom_invites(&both).await.unwrap().name, name);
        }
        // Approving once more shows nothing.
        assert!(world.approve(asked.id, &world.bob).await.unwrap().secret.is_none());
    }
}

/// Whoever could be somebody else by their invitation approves nothing as them for a day.
#[tokio::test]
async fn who_was_reset_lately_is_no_second_person() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "compliance", None, 0).await;
    let earlier = world.asked(world.unfreeze(), &world.ann).await;
    let reset = Act::ResetFactors { tenant: None, operator: cy.operator };
    let (asked, half) = world.invites(reset, &world.ann).await;
    let done = world.approve(asked.id, &world.bob).await.unwrap();
    let invitation = joined(&half, &done.secret.unwrap());
    assert_eq!(world.service.whom_invites(&invitation).await.unwrap().id, cy.operator);

    let later = world.asked(world.unfreeze(), &world.ann).await;
    for approval in [earlier, later] {
        let they = principal(cy.operator, "cy", "compliance", None, &world.clock);
        assert_eq!(code(world.approve(approval.id, &they).await), "second_operator_too_new");
    }
    assert_eq!(world.row().await.unwrap().state, State::Frozen);
}

#[tokio::test]
async fn a_reset_ends_every_factor_and_the_invitation_before() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    let reset = Act::ResetFactors { tenant: None, operator: cy.operator };
    let mut invitations = Vec::new();
    for _ in 0..2 {
        let (mut row, _) = world.service.operator_by_id(cy.operator).await.unwrap().unwrap();
        row.factors.password = Some(PasswordHash { salt: [1; 16], hash: [2; 32] });
        row.factors.break_glass = vec![[3; 32]];
        world.put(vec![Change::set(Key::Operator(cy.operator), Row::Operator(row))]).await;
        let (asked, half) = world.invites(reset.clone(), &world.ann).await;
        invitations.push(joined(&half, &world.approve(asked.id, &world.bob).await.unwrap().secret.unwrap()));
        let (row, _) = world.service.operator_by_id(cy.operator).await.unwrap().unwrap();
        assert_eq!(row.factors, Factors { invitation: row.factors.invitation.clone(), ..Factors::default() });
        world.clock.step(1);
    }
    assert!(matches!(world.service.whom_invites(&invitations[0]).await, Err(ServiceError::Unauthenticated(_))));
    assert_eq!(world.service.whom_invites(&invitations[1]).await.unwrap().id, cy.operator);
}

/// Factors that the person set after the plan are not taken away by it.
#[tokio::test]
async fn a_reset_that_is_overtaken_is_stale() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    let asked = world.asked(Act::ResetFactors { tenant: None, operator: cy.operator }, &world.ann).await;
    let (mut row, _) = world.service.operator_by_id(cy.operator).await.unwrap().unwrap();
    row.factors_ms = 1;
    world.put(vec![Change::set(Key::Operator(cy.operator), Row::Operator(row))]).await;
    assert_eq!(code(world.approve(asked.id, &world.bob).await), "approval_stale");
}

/// Two steps: what another approved in good faith is no key for the next day.
#[tokio::test]
async fn who_was_made_or_raised_lately_is_no_second_person() {
    let world = World::new(0).await;
    let made = Act::CreateOperator { name: "new".to_owned(), role: "compliance".to_owned(), tenant: None };
    let asked = world.asked(made, &world.ann).await;
    let done = world.approve(asked.id, &world.bob).await.unwrap();
    assert!(done.secret.is_some_and(|secret| secret.reveal().starts_with("clv_invite_")));
    let viewer = world.operator("vic", "viewer", None, 0).await;
    let raise = Act::ChangeRole { tenant: None, operator: viewer.operator, role: "compliance".to_owned() };
    let asked = world.asked(raise, &world.ann).await;
    world.approve(asked.id, &world.bob).await.unwrap();

    let approval = world.asked(world.unfreeze(), &world.ann).await;
    for name in ["new", "vic"] {
        let id = world.service.operator(name).await.unwrap().unwrap().id;
        let they = principal(id, name, "compliance", None, &world.clock);
        assert_eq!(code(world.approve(approval.id, &they).await), "second_operator_too_new", "{name}");
    }
    world.clock.step(DAY_MS);
    let later = world.asked(world.unfreeze(), &world.fresh(&world.ann)).await;
    let permissions = Role::built_in("compliance").unwrap().permissions;
    let vic = OperatorPrincipal { permissions, ..world.fresh(&viewer) };
    world.approve(later.id, &vic).await.unwrap();
}

#[tokio::test]
async fn lowering_takes_nobody_else() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "compliance", None, 0).await;
    let lower = Act::ChangeRole { tenant: None, operator: cy.operator, role: "viewer".to_owned() };
    assert!(matches!(world.ask(lower, &world.ann).await, Ok(Reply::Done)));
    let row = world.service.operator("cy").await.unwrap().unwrap();
    // Nobody is made young by being lowered, nor old by being lowered and raised.
    assert_eq!((row.role.as_str(), row.factors_ms), ("viewer", 0));
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have() {
    let world = World::new(0).await;
    let few: Role = Role {
        name: "few".to_owned(),
        permissions: ["operator.create", "operator.change", "role.change"].iter().map(|p| p.parse().unwrap()).collect(),
        flagged_only: false,
    };
    let who = OperatorPrincipal { permissions: few.permissions, ..world.operator("few", "viewer", None, 0).await };
    for act in [
        Act::CreateOperator { name: "x".to_owned(), role: "admin".to_owned(), tenant: None },
        Act::ChangeRole { tenant: None, operator: who.operator, role: "compliance".to_owned() },
        Act::ResetFactors { tenant: None, operator: world.bob.operator },
        Act::SetRole { role: Role { permissions: Permission::all().collect(), ..few.clone() } },
    ] {
        assert_eq!(code(world.ask(act, &who).await), "role_denied");
    }
    let built_in = Act::SetRole { role: Role::built_in("viewer").unwrap() };
    assert_eq!(code(world.ask(built_in, &world.ann).await), "role_built_in");
}

#[tokio::test]
async fn what_a_dismissed_operator_asked_for_is_not_approved() {
    let world = World::new(0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    let key = Key::Operator(world.ann.operator);
    let Some(Versioned { row: Row::Operator(mut row), .. }) = world.service.store().get(key.clone()).await.unwrap()
    else {
        panic!("no operator")
    };
    row.role = "viewer".to_owned();
    world.put(vec![Change::set(key.clone(), Row::Operator(row))]).await;
    assert_eq!(code(world.approve(approval.id, &world.bob).await), "requester_gone");
    world.put(vec![Change::remove(key)]).await;
    assert_eq!(code(world.approve(approval.id, &world.bob).await), "requester_gone");
}

#[tokio::test]
async fn a_login_that_ended_decides_nothing() {
    let world = World::new(0).await;
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    world.put(vec![Change::remove(Key::Login(world.bob.guard.0))]).await;
    assert!(matches!(world.approve(approval.id, &world.bob).await, Err(ServiceError::Unauthenticated(_))));
    assert_eq!(world.state(approval.id).await, "waiting");
}
