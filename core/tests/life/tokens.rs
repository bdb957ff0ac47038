//! Tokens that venues hand out: stored for the credential that is there, and for no other.

use claviger_core::credential::Credential;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::service::{Enrollment, Service};
use claviger_core::store::{Change, Key, Row, VenueToken, Versioned};
use claviger_venues::{SecretKind, VenueId};

use super::steps::{enrollment, secret};
use super::world::{World, origin};

/// Whoever rotates meanwhile stores a token, too.
#[tokio::test]
async fn a_late_token_takes_no_place_of_a_newer_versions() {
    let (world, id) = logged_out().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let row = credential(service, tenant, id).await;
    let rotated = Credential { version: row.version + 1, epoch: row.epoch + 1, ..row };
    let newer = Row::Token(VenueToken { sealed: vec![1], issued_ms: 0, expires_ms: u64::MAX });
    let rotation = vec![
        Change::set(Key::Credential(tenant, id), Row::Credential(rotated)),
        Change::set(Key::Token(id), newer.clone()),
    ];
    world.meddler.overtake(move |change| change.key == Key::Token(id), rotation);

    let probed = service.reprobe(tenant, id, &origin()).await;

    assert!(world.meddler.is_done() && probed.is_err(), "{probed:?}");
    assert_eq!(token(service, id).await, Some(newer));
}

#[tokio::test]
async fn a_token_is_stored_though_its_credential_is_written_meanwhile() {
    let (world, id) = logged_out().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let same = Row::Credential(credential(service, tenant, id).await);
    let written = vec![Change::set(Key::Credential(tenant, id), same)];
    world.meddler.overtake(move |change| change.key == Key::Token(id), written);

    let probed = service.reprobe(tenant, id, &origin()).await;

    assert!(world.meddler.is_done(), "{probed:?}");
    assert!(matches!(token(service, id).await, Some(Row::Token(_))));
}

/// A world with a credential that is a login, of which no token is known any more.
async fn logged_out() -> (World, CredentialId) {
    let mut world = World::new().await;
    let login = Enrollment {
        venue: VenueId::Topstepx,
        kind: SecretKind::Login,
        key_id: "ada".to_owned(),
        ..enrollment(world.tenants[0], 1)
    };
    let enrolled = world.service().enroll(login, secret, None::<fn() -> _>, &origin()).await.unwrap();
    world.restart().await;
    let gone = Change::remove(Key::Token(enrolled.id));
    world.service().store().put_cas(vec![gone], Vec::new()).await.unwrap();
    (world, enrolled.id)
}

async fn credential(service: &Service, tenant: TenantId, id: CredentialId) -> Credential {
    match service.store().get(Key::Credential(tenant, id)).await.unwrap() {
        Some(Versioned { row: Row::Credential(row), .. }) => row,
        other => panic!("{other:?}"),
    }
}

async fn token(service: &Service, id: CredentialId) -> Option<Row> {
    service.store().get(Key::Token(id)).await.unwrap().map(|found| found.row)
}
