//! Which keys are shown to expire soon.

use claviger_core::agenda::{Due, Errand};
use claviger_core::credential::Upkeep;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::store::{Change, Key, Row};

use super::world::{DAY_MS, World};

/// Plans looks at so many of another tenant's keys, all due before that of the world's.
async fn plan(world: &World, others: u32) {
    let expires_ms = world.clock_ms() + DAY_MS;
    let look = |tenant, credential, at_ms| {
        Change::set(Key::Due(Errand::Expiry, at_ms, credential), Row::Due(Due { at_ms, tenant, credential }))
    };
    let other = |n: u32| CredentialId::from_bytes(u128::from(n).to_be_bytes());
    let foreign = (0..others).map(|n| look(TenantId::MAX, other(n), expires_ms - 1));
    world.put(foreign.chain([look(world.tenant, world.credential, expires_ms)]).collect()).await;
    let mut row = world.row().await.unwrap();
    row.upkeep = Upkeep { expires_ms: Some(expires_ms), ..row.upkeep };
    world.put(vec![Change::set(Key::Credential(world.tenant, world.credential), Row::Credential(row))]).await;
}

#[tokio::test]
async fn a_tenants_key_is_found_behind_those_of_others() {
    let world = World::new(0).await;
    plan(&world, 2_500).await;
    let found = world.service.expiring(Some(world.tenant)).await.unwrap();
    let ids: Vec<CredentialId> = found.credentials.iter().map(|row| row.id).collect();
    assert_eq!((ids, found.more), (vec![world.credential], false));
    let others = world.service.expiring(Some(TenantId::MIN)).await.unwrap();
    assert_eq!((others.credentials.len(), others.more), (0, false));
}

#[tokio::test]
async fn where_too_many_are_due_there_may_be_more() {
    let world = World::new(0).await;
    plan(&world, 20_000).await;
    let found = world.service.expiring(Some(world.tenant)).await.unwrap();
    assert_eq!((found.credentials.len(), found.more), (0, true));
}
