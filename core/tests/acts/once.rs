//! Whoever approves at the same time, an act is done once.

use std::sync::Arc;

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
