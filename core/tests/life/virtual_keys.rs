//! Virtual keys as they are listed, and that none is left of a credential that is deleted.

use claviger_core::id::{CredentialId, TenantId, VirtualKeyId};
use claviger_core::service::{NewVirtualKey, Service, ServiceError};
use claviger_core::store::{Change, Key};
use claviger_core::virtual_key::Proof;

use super::epochs::enrolled;
use super::lost::{key_rows, put_key};
use super::world::{REASON, World, origin};

#[tokio::test]
async fn the_keys_of_one_credential_are_found_page_by_page() {
    let world = World::new().await;
    let [tenant, other] = world.tenants;
    let (service, store) = (world.service(), world.service().store());
    let (wanted, rest) = (CredentialId::from_bytes([1; 16]), CredentialId::from_bytes([2; 16]));
    for number in 0..130 {
        put_key(store, tenant, if number % 13 == 0 { wanted } else { rest }, Proof::Bearer).await;
        put_key(store, other, wanted, Proof::Bearer).await;
    }
    let all = service.virtual_keys(tenant, None, None, 200).await.unwrap().rows;
    let expected: Vec<VirtualKeyId> = all.iter().filter(|key| key.credential == wanted).map(|key| key.id).collect();
    assert_eq!((all.len(), expected.len()), (130, 10));

    for limit in [1, 2, 3, 7, 50, 200] {
        let (mut found, mut after, mut requests) = (Vec::new(), None, 0);
        loop {
            let page = service.virtual_keys(tenant, Some(wanted), after, limit).await.unwrap();
            assert!(page.rows.len() <= limit);
            found.extend(page.rows.iter().map(|key| key.id));
            requests += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "by {limit}");
        assert!(requests <= 15, "by {limit}: {requests} requests");
    }
}

#[tokio::test]
async fn one_that_is_made_while_its_credential_is_deleted_goes_with_it() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    for all_of_the_owner in [false, true] {
        let id = enrolled(&world, tenant, 1).await;
        put_key(service.store(), tenant, id, Proof::Bearer).await;
        let gone = Key::Credential(tenant, id);
        let late = key_rows(tenant, id, Proof::Bearer);
        world.meddler.overtake(move |change| change.key == gone && change.row.is_none(), late);

        let done = if all_of_the_owner {
            service.erase_owner(tenant, "owner 1", REASON, &origin()).await.unwrap()
        } else {
            service.delete_with_keys(tenant, id, REASON, &origin()).await.unwrap()
        };

        assert!(world.meddler.is_done());
        assert_eq!((done.virtual_keys, left(service, tenant).await), (2, 0), "{all_of_the_owner}");
    }
}

#[tokio::test]
async fn none_is_made_for_a_credential_that_is_deleted_meanwhile() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let app = service.make_app(tenant, "desk", &origin()).await.unwrap().app.id;
    let credential = enrolled(&world, tenant, 1).await;
    let label = String::new();
    let new = NewVirtualKey { tenant, app, credential, label, public_key: None };
    let is_made = |change: &Change| matches!(change.key, Key::VirtualKey(..));
    let Some(row) = service.store().get(Key::Credential(tenant, credential)).await.unwrap() else { panic!("no row") };
    let written = vec![Change::set(Key::Credential(tenant, credential), row.row)];
    world.meddler.overtake(is_made, written);
    service.make_virtual_key(new.clone(), &origin()).await.unwrap();
    assert_eq!((world.meddler.is_done(), left(service, tenant).await), (true, 1), "it is there still");

    let deleted = vec![Change::remove(Key::Credential(tenant, credential)), Change::remove(Key::Sealed(credential))];
    world.meddler.overtake(is_made, deleted);
    let made = service.make_virtual_key(new, &origin()).await;

    assert!(world.meddler.is_done());
    assert!(matches!(made, Err(ServiceError::NotFound("credential"))), "{made:?}");
    assert_eq!(left(service, tenant).await, 1);
}

async fn left(service: &Service, tenant: TenantId) -> usize {
    service.virtual_keys(tenant, None, None, 100).await.unwrap().rows.len()
}
