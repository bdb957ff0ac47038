//! A new grant takes what the policy says that is in force when it is made.

use std::sync::Arc;

use claviger_core::act::Act;
use claviger_core::id::AppId;
use claviger_core::identity::{App, Credentials, Terms};
use claviger_core::policy::{Budget, Limits};
use claviger_core::service::ServiceError;
use claviger_core::store::{Change, Key, Row, StoredPolicy};

use super::world::{World, code};

const STRICT: &str = "approve_new_grants = true\n";

fn terms() -> Terms {
    Terms {
        credentials: Credentials::All,
        operations: vec!["read".to_owned()],
        networks: Vec::new(),
        hours: Vec::new(),
        orders: Limits::default(),
        budget: Budget::default(),
        enroll: false,
    }
}

async fn with_app(world: &World) -> AppId {
    let (tenant, id) = (world.tenant, AppId::new(world.clock.as_ref()));
    let app = App { id, tenant, name: "bot".to_owned(), authenticators: Vec::new(), created_ms: 0 };
    let text = STRICT.to_owned();
    let policy = StoredPolicy { tenant, version: 1, text, by: "ann".to_owned(), created_ms: 0, was_in_force: true };
    let changes =
        vec![Change::set(Key::App(id), Row::App(app)), Change::set(Key::Policy(tenant, 1), Row::Policy(policy))];
    world.put(changes).await;
    id
}

fn in_force(world: &World) -> Change {
    Change::set(Key::PolicyInForce(world.tenant), Row::PolicyRef(1))
}

#[tokio::test]
async fn a_plan_rests_on_the_policy_in_force() {
    let world = World::new(0).await;
    let app = with_app(&world).await;
    world.put(vec![in_force(&world)]).await;
    let act = Act::MakeGrant { tenant: world.tenant, app, terms: Box::new(terms()) };
    let asked = world.asked(act, &world.ann).await;
    world.put(vec![in_force(&world)]).await;
    assert_eq!(code(world.approve(asked.id, &world.bob).await), "approval_stale");
}

/// Once a policy that wants a second operator is in force, no grant is made without one, however close they come.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_grant_slips_past_a_policy_that_comes_into_force() {
    for _ in 0..64 {
        let world = Arc::new(World::new(0).await);
        let app = with_app(&world).await;
        let (a, b) = (world.clone(), world.clone());
        let gives = tokio::spawn(async move {
            let origin = a.origin(&a.ann);
            a.service.make_grant(a.tenant, app, &terms(), &origin).await
        });
        tokio::spawn(async move { b.put(vec![in_force(&b)]).await }).await.unwrap();
        let store = world.service.store();
        match gives.await.unwrap() {
            Ok(None) | Err(ServiceError::Changed) => {}
            Ok(Some(grant)) => {
                let grant = store.get(Key::Grant(app, grant.id)).await.unwrap().unwrap().version;
                let policy = store.get(Key::PolicyInForce(world.tenant)).await.unwrap().unwrap().version;
                assert!(grant < policy, "the grant was made after the policy came into force");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}
