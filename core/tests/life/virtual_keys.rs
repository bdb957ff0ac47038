//! Virtual keys as they are listed.

use claviger_core::id::{CredentialId, VirtualKeyId};
use claviger_core::virtual_key::Proof;

use super::lost::put_key;
use super::world::World;

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
