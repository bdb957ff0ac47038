//! Owners whom operators erase: stopped when it is asked for, erased in time, and not named by what is closed.

use claviger_core::act::{Act, Approval, ApprovalState};
use claviger_core::audit::{Draft, EntryOutcome, Personal};
use claviger_core::id::TenantId;
use claviger_core::identity::{LoginKind, OperatorPrincipal};
use claviger_core::service::Reply;
use claviger_core::store::{Change, Key, Row, Scope, Stop, Versioned};

use super::world::{DAY_MS, REASON, World, code};

const OWNER: &str = "owner";
const OTHER: &str = "other";

#[tokio::test]
async fn an_owner_stops_when_it_is_asked_for_and_is_erased_a_day_after_it_was_approved() {
    let world = known(24).await;
    let approval = world.asked(erase(&world), &world.ann).await;
    assert_eq!(stopped(&world).await, Some(Stop::Frozen));
    assert_eq!(code(world.approve(approval.id, &world.ann).await), "second_operator_required");
    assert_eq!(world.approve(approval.id, &world.bob).await.unwrap().approval.state.as_str(), "approved");
    world.clock.step(DAY_MS - 1);
    world.service.execute_due().await.unwrap();
    assert!(world.row().await.is_some());

    world.clock.step(1);
    world.service.execute_due().await.unwrap();
    world.service.execute_due().await.unwrap();
    assert!(world.row().await.is_none() && is_erased(&world).await);
    assert_eq!((world.entries("owner.erase").await, world.entries("approval.execute").await), (1, 1));
    let closed = world.service.approval(approval.id, &world.ann).await.unwrap();
    assert_eq!(
        (closed.state.as_str(), closed.act.owner(), closed.name.as_str()),
        ("executed", Some(nobody(&world)), "")
    );
    assert!(closed.lines.is_empty());
    assert_eq!(code(world.ask(erase(&world), &world.ann).await), "not_found");
}

/// Done and not written down, or done by the owner's own app: either way nothing is left to do.
#[tokio::test]
async fn an_owner_who_was_erased_meanwhile_is_erased() {
    let world = known(0).await;
    let approval = world.asked(erase(&world), &world.ann).await;
    assert_eq!(world.approve(approval.id, &world.bob).await.unwrap().approval.state.as_str(), "approved");
    world.service.erase_owner(world.tenant, OWNER, REASON, &world.origin(&world.ann)).await.unwrap();
    world.service.execute_due().await.unwrap();
    assert_eq!(world.state(approval.id).await, "executed");
    assert_eq!(world.entries("owner.erase").await, 1);
}

#[tokio::test]
async fn what_is_called_off_stays_stopped_and_no_closed_act_names_the_owner() {
    let world = known(0).await;
    let asked = world.asked(erase(&world), &world.ann).await;
    world.service.cancel(asked.id, REASON, &world.bob, &world.origin(&world.bob)).await.unwrap();
    world.service.execute_due().await.unwrap();
    assert_eq!(stopped(&world).await, Some(Stop::Frozen));

    let resume = world.asked(resume(&world), &world.ann).await;
    world.approve(resume.id, &world.bob).await.unwrap();
    assert_eq!(stopped(&world).await, None);
    for id in [asked.id, resume.id] {
        let closed = world.service.approval(id, &world.ann).await.unwrap();
        assert_eq!((closed.act.owner(), closed.name.as_str(), closed.lines.len()), (Some(nobody(&world)), "", 0));
    }
}

/// Two are due, and while the first one is done the second is called off, a moment before its own time.
#[tokio::test]
async fn an_erasure_that_was_called_off_while_another_was_done_is_not_done() {
    let world = known(24).await;
    let known = Draft::new("test", EntryOutcome::Allowed).tenant(world.tenant.to_string());
    let known = known.personal(Personal { owner: OTHER.to_owned() });
    world.service.store().append(vec![known]).await.unwrap();
    let first = world.asked(erase(&world), &world.ann).await;
    world.approve(first.id, &world.bob).await.unwrap();
    world.clock.step(1);
    let act = Act::EraseOwner { tenant: world.tenant, owner: OTHER.to_owned() };
    let second = world.asked(act, &world.ann).await;
    let second = world.approve(second.id, &world.bob).await.unwrap().approval;
    let gone = Key::Credential(world.tenant, world.credential);
    let called_off = Approval { state: ApprovalState::Cancelled, ..second.clone() };
    let called_off = Change::set(Key::Approval(second.id), Row::Approval(Box::new(called_off)));
    world.meddler.overtake(move |change| change.key == gone && change.row.is_none(), vec![called_off]);

    world.clock.step(DAY_MS);
    world.service.execute_due().await.unwrap();

    assert!(world.meddler.is_done());
    assert_eq!((world.state(first.id).await, world.state(second.id).await), ("executed".into(), "cancelled".into()));
    assert!(!world.service.store().is_erased(world.tenant, OTHER.to_owned()).await.unwrap());
}

#[tokio::test]
async fn an_erasure_that_may_be_half_done_is_not_called_off() {
    let world = known(24).await;
    let approval = world.asked(erase(&world), &world.ann).await;
    world.approve(approval.id, &world.bob).await.unwrap();
    world.clock.step(DAY_MS);

    let cancelled = world.service.cancel(approval.id, REASON, &world.bob, &world.origin(&world.bob)).await;

    assert_eq!(code(cancelled), "approval_closed");
    assert_eq!(world.state(approval.id).await, "approved");
    world.service.execute_due().await.unwrap();
    assert_eq!(world.state(approval.id).await, "executed");
}

/// Whoever erases the owner: what others asked for, or have to look at, names the person no longer than the log does.
#[tokio::test]
async fn no_open_act_names_an_owner_who_was_erased() {
    let world = known(0).await;
    let waiting = world.asked(erase(&world), &world.ann).await;
    let emergency = OperatorPrincipal { kind: LoginKind::BreakGlass, ..world.ann.clone() };
    let Reply::ToReview(done) = world.ask(resume(&world), &emergency).await.unwrap() else {
        panic!("not done at once")
    };
    assert_eq!(done.act.owner(), Some((world.tenant, OWNER)));

    world.service.erase_owner(world.tenant, OWNER, REASON, &world.origin(&world.ann)).await.unwrap();

    for (id, state) in [(waiting.id, "stale"), (done.id, "to-review")] {
        let open = world.service.approval(id, &world.ann).await.unwrap();
        assert_eq!((open.state.as_str(), open.act.owner(), open.name.as_str()), (state, Some(nobody(&world)), ""));
        assert!(open.lines.is_empty(), "{:?}", open.lines);
    }
    world.approve(done.id, &world.bob).await.unwrap();
    assert_eq!(world.state(done.id).await, "reviewed");
}

fn erase(world: &World) -> Act {
    Act::EraseOwner { tenant: world.tenant, owner: OWNER.to_owned() }
}

fn resume(world: &World) -> Act {
    let scope = Scope::Owner(world.tenant, OWNER.to_owned());
    Act::ResumeScope { tenant: Some(world.tenant), scope }
}

/// What an act names that names no owner any more.
fn nobody(world: &World) -> (TenantId, &'static str) {
    (world.tenant, "")
}

/// A world in which the log speaks of the owner.
async fn known(delay_hours: u64) -> World {
    let world = World::new(delay_hours).await;
    let (scope, origin) = (Scope::Credential(world.credential), world.origin(&world.ann));
    world.service.stop(Some(world.tenant), scope, Stop::Frozen, REASON, &origin).await.unwrap();
    world
}

async fn stopped(world: &World) -> Option<Stop> {
    let key = Key::Stopped(Scope::Owner(world.tenant, OWNER.to_owned()));
    match world.service.store().get(key).await.unwrap() {
        Some(Versioned { row: Row::Stopped(stop), .. }) => Some(stop),
        _ => None,
    }
}

async fn is_erased(world: &World) -> bool {
    world.service.store().is_erased(world.tenant, OWNER.to_owned()).await.unwrap()
}
