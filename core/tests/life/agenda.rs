//! What is planned for a credential changes whenever it is looked at, and refuses nobody what does not rest on it.

use claviger_core::agenda::Agenda;
use claviger_core::credential::Credential;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::service::{NewKey, Service, ServiceError};
use claviger_core::store::{Change, Key, Row, Versioned};

use super::epochs::enrolled;
use super::steps::secret;
use super::world::{World, origin};

const USED_MS: Option<u64> = Some(7);

#[tokio::test]
async fn a_look_of_the_monitor_does_not_undo_a_rotation() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(&world, tenant, 1).await;
    let version = row(service, tenant, id).await.0;
    looked_at(&world, id).await;

    let rotated = service.rotate(tenant, id, version, another_key(), secret, &origin()).await.unwrap();

    assert!(world.meddler.is_done());
    assert_eq!((rotated.credential.version, agenda(service, id).await.used_ms), (2, USED_MS));

    // What the caller has read is another matter.
    let (version, row) = row(service, tenant, id).await;
    let written = vec![Change::set(Key::Credential(tenant, id), Row::Credential(row))];
    world.meddler.overtake(move |change| change.key == Key::Agenda(id), written);
    let refused = service.rotate(tenant, id, version, another_key(), secret, &origin()).await;
    assert!(world.meddler.is_done());
    assert!(matches!(refused, Err(ServiceError::Changed)), "{refused:?}");
}

#[tokio::test]
async fn a_look_of_the_monitor_does_not_undo_an_expiry() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(&world, tenant, 1).await;
    let version = row(service, tenant, id).await.0;
    looked_at(&world, id).await;

    let (_, set) = service.set_expiry(tenant, id, version, Some(u64::MAX), &origin()).await.unwrap();

    assert!(world.meddler.is_done());
    let planned = agenda(service, id).await;
    assert_eq!((set.upkeep.expires_ms, planned.used_ms), (Some(u64::MAX), USED_MS));
    assert!(planned.expiry_ms.is_some());
}

/// Has the plan written just before it is next changed.
async fn looked_at(world: &World, id: CredentialId) {
    let agenda = Agenda { used_ms: USED_MS, ..agenda(world.service(), id).await };
    let written = vec![Change::set(Key::Agenda(id), Row::Agenda(agenda))];
    world.meddler.overtake(move |change| change.key == Key::Agenda(id), written);
}

fn another_key() -> NewKey {
    NewKey { key_id: "K".repeat(64), ceiling: None, expires_ms: None }
}

async fn row(service: &Service, tenant: TenantId, id: CredentialId) -> (u64, Credential) {
    match service.store().get(Key::Credential(tenant, id)).await.unwrap() {
        Some(Versioned { version, row: Row::Credential(row) }) => (version, row),
        other => panic!("{other:?}"),
    }
}

async fn agenda(service: &Service, id: CredentialId) -> Agenda {
    match service.store().get(Key::Agenda(id)).await.unwrap() {
        Some(Versioned { row: Row::Agenda(agenda), .. }) => agenda,
        other => panic!("{other:?}"),
    }
}
