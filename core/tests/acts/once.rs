//! Whoever approves at the same time, an act is done once.

use std::sync::Arc;

use claviger_core::act::Act;
use claviger_core::credential::State;
use claviger_core::service::ServiceError;

use super::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_approvals_at_once_are_one_act() {
    let world = Arc::new(World::new(0).await);
    let mut approvers = Vec::new();
    for n in 0..64 {
        approvers.push(world.operator(&format!("op-{n}"), "compliance", None, 0).await);
    }
    let approval = world.asked(world.unfreeze(), &world.ann).await;
    let epoch = world.row().await.unwrap().epoch;
    let mut under_way = tokio::task::JoinSet::new();
    for who in approvers {
        let world = world.clone();
        under_way.spawn(async move { world.approve(approval.id, &who).await });
    }
    let mut done = 0;
    while let Some(result) = under_way.join_next().await {
        match result.unwrap() {
            Ok(_) => done += 1,
            Err(ServiceError::Conflict { code, .. }) => assert_eq!(code, "approval_closed"),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(done, 1);
    let row = world.row().await.unwrap();
    assert_eq!((row.state, row.epoch), (State::Active, epoch + 1));
    for action in ["approval.approve", "approval.execute", "credential.unfreeze"] {
        assert_eq!(world.entries(action).await, 1, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn either_it_is_called_off_or_it_is_done() {
    for _ in 0..32 {
        let world = Arc::new(World::new(0).await);
        let approval = world.asked(world.unfreeze(), &world.ann).await;
        let (a, b) = (world.clone(), world.clone());
        let approve = tokio::spawn(async move { a.approve(approval.id, &a.bob).await.is_ok() });
        let cancel = tokio::spawn(async move {
            b.service.cancel(approval.id, super::world::REASON, &b.ann, &b.origin(&b.ann)).await.is_ok()
        });
        let (approved, cancelled) = (approve.await.unwrap(), cancel.await.unwrap());
        assert!(approved != cancelled);
        let state = world.row().await.unwrap().state;
        assert_eq!(state, if approved { State::Active } else { State::Frozen });
    }
}

/// Somebody is left who may do everything, whoever lowers and removes whom at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_do_not_undo_each_other() {
    for removes in [true, false] {
        let world = Arc::new(World::new(0).await);
        let (ann, bob) = (world.ann.clone(), world.bob.clone());
        // Both are prepared on what stands; only then is one of them written, and the other.
        let origin = world.origin(&ann);
        let of_bob = world.service.prepare_remove_operator(bob.operator, &origin).await.unwrap();
        let origin = world.origin(&bob);
        if removes {
            let of_ann = world.service.prepare_remove_operator(ann.operator, &origin).await.unwrap();
            world.service.commit_operator(of_bob).await.unwrap();
            assert!(matches!(world.service.commit_operator(of_ann).await, Err(ServiceError::Changed)));
        } else {
            let lower = Act::ChangeRole { tenant: None, operator: ann.operator, role: "viewer".to_owned() };
            world.ask(lower, &bob).await.unwrap();
            assert!(matches!(world.service.commit_operator(of_bob).await, Err(ServiceError::Changed)));
        }
        let admins = world.service.operators(None, 10).await.unwrap().rows;
        assert_eq!(admins.iter().filter(|left| left.role == "admin").count(), 1);
    }
}
