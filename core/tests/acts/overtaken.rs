//! Acts whose commit comes after somebody else's: what they rest on is as it was planned, or they are not done.

use claviger_core::act::Act;
use claviger_core::credential::{Credential, State};
use claviger_core::id::OperatorId;
use claviger_core::identity::role::{Permission, Role};
use claviger_core::service::Ask;
use claviger_core::store::{Change, Key, Row};
use claviger_venues::{Ceiling, CeilingClass, Products};

use super::world::{REASON, World, code};

#[tokio::test]
async fn a_wider_ceiling_is_for_the_version_that_it_was_asked_for() {
    let world = World::new(0).await;
    let ceiling = Ceiling { class: CeilingClass::Trade, products: Products::SPOT };
    let act = Act::WidenCeiling { tenant: world.tenant, credential: world.credential, ceiling };
    let asked = world.asked(act, &world.ann).await;
    let rotated = Credential { version: 2, ..world.row().await.unwrap() };
    let rotation = Change::set(Key::Credential(world.tenant, world.credential), Row::Credential(rotated));
    let allowance = Key::Allowance(world.credential);
    let which = allowance.clone();
    world.meddler.overtake(move |change| change.key == which, vec![rotation]);

    let approved = world.approve(asked.id, &world.bob).await;

    assert!(world.meddler.is_done());
    assert_eq!(code(approved), "approval_stale");
    assert_eq!(world.service.store().get(allowance).await.unwrap(), None);
}

/// Whoever widens it raises all who have it, and this one has it not yet.
#[tokio::test]
async fn a_role_is_given_as_narrow_as_it_was_when_nobody_else_had_to_agree() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "compliance", None, 0).await.operator;
    world.put(vec![desk(&["credential.read"])]).await;
    let give = || Act::ChangeRole { tenant: None, operator: cy, role: "desk".to_owned() };
    let wider = vec![desk(&["credential.read", "approval.approve", "operator.create"])];
    world.meddler.overtake(move |change| change.key == Key::Operator(cy), wider);

    let given = world.ask(give(), &world.ann).await;

    assert!(world.meddler.is_done());
    assert_eq!(code(given), "changed");
    assert_eq!(role_of(&world, cy).await, "compliance");
    world.asked(give(), &world.ann).await;
}

/// The other way round: who was planned to be raised is not all who have it.
#[tokio::test]
async fn a_role_that_is_widened_while_it_is_given_is_planned_anew() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "compliance", None, 0).await.operator;
    world.put(vec![desk(&["credential.read"])]).await;
    let Some(Row::Role(role)) = desk(&["credential.read", "approval.approve"]).row else { panic!("no role") };
    let act = Act::SetRole { role };
    let plan = world.plan(&act, &world.ann).await;
    world.ask(Act::ChangeRole { tenant: None, operator: cy, role: "desk".to_owned() }, &world.ann).await.unwrap();
    assert_eq!(role_of(&world, cy).await, "desk");

    let ask = Ask { act, digest: &plan.digest, if_match: plan.etag, confirm: &plan.name, reason: REASON };
    let widened = world.service.ask(ask, &world.ann, &world.origin(&world.ann)).await;

    assert_eq!(code(widened), "changed");
}

#[tokio::test]
async fn what_was_asked_for_by_who_is_removed_meanwhile_is_not_approved() {
    for is_later in [false, true] {
        let world = World::new(24).await;
        let act = if is_later { world.delete() } else { world.unfreeze() };
        let asked = world.asked(act, &world.ann).await;
        let removed = vec![Change::remove(Key::Operator(world.ann.operator))];
        world.meddler.overtake(move |change| change.key == Key::Approval(asked.id), removed);

        let approved = world.approve(asked.id, &world.bob).await;

        assert!(world.meddler.is_done());
        assert_eq!(code(approved), "requester_gone");
        assert_eq!(
            (world.state(asked.id).await.as_str(), world.row().await.unwrap().state),
            ("waiting", State::Frozen)
        );
    }
}

/// What the approval rests on is what the act writes.
#[tokio::test]
async fn who_asks_for_new_factors_of_their_own_is_given_them() {
    let world = World::new(0).await;
    let act = Act::ResetFactors { tenant: None, operator: world.ann.operator };
    let asked = world.asked(act, &world.ann).await;
    world.approve(asked.id, &world.bob).await.unwrap();
    assert_eq!(world.entries("operator.reset").await, 1);
}

/// The row of a role that allows this.
fn desk(words: &[&str]) -> Change {
    let permissions = words.iter().map(|word| word.parse::<Permission>().unwrap()).collect();
    let role = Role { name: "desk".to_owned(), permissions, flagged_only: false };
    Change::set(Key::Role("desk".to_owned()), Row::Role(role))
}

async fn role_of(world: &World, operator: OperatorId) -> String {
    world.service.operator_by_id(operator).await.unwrap().unwrap().0.role
}
