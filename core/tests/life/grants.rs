//! Grants as they are listed.

use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::identity::{Credentials, Grant};
use claviger_core::policy::{Budget, Limits};
use claviger_core::service::Service;
use claviger_core::store::{Change, Key, Row};

use super::world::{World, origin};

#[tokio::test]
async fn the_grants_for_one_credential_are_found_page_by_page() {
    let world = World::new().await;
    let [tenant, other] = world.tenants;
    let service = world.service();
    let (wanted, rest) = (CredentialId::from_bytes([1; 16]), CredentialId::from_bytes([2; 16]));
    let apps =
        [made(service, tenant, "desk").await, made(service, tenant, "idle").await, made(service, tenant, "bot").await];
    let stranger = made(service, other, "desk").await;
    let mut expected = Vec::new();
    for (app, grants) in [(apps[0], 30), (apps[2], 9)] {
        for number in 0..grants {
            let credentials = match number % 3 {
                0 => Credentials::All,
                1 => Credentials::These(vec![rest, wanted]),
                _ => Credentials::These(vec![rest]),
            };
            let wants = credentials.has(wanted);
            let id = put_grant(service, tenant, app, credentials).await;
            expected.extend(wants.then_some((app, id)));
        }
    }
    put_grant(service, other, stranger, Credentials::All).await;
    expected.sort();
    assert_eq!(expected.len(), 26);

    for limit in [1, 2, 3, 7, 20, 200] {
        assert_eq!(listed(service, tenant, Some(wanted), limit).await, expected, "by {limit}");
    }
    assert_eq!(listed(service, tenant, None, 10).await.len(), 39);
    assert_eq!(listed(service, other, Some(rest), 10).await.len(), 1);
    let odd = service.grants(tenant, None, Some(vec![200]), 10).await.unwrap_err();
    assert!(odd.to_string().contains("next_cursor"), "{odd}");
}

async fn listed(service: &Service, tenant: TenantId, of: Option<CredentialId>, limit: usize) -> Vec<(AppId, GrantId)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = service.grants(tenant, of, after, limit).await.unwrap();
        assert!(page.rows.len() <= limit);
        found.extend(page.rows.iter().map(|grant| (grant.app, grant.id)));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

async fn made(service: &Service, tenant: TenantId, name: &str) -> AppId {
    service.make_app(tenant, name, &origin()).await.unwrap().app.id
}

async fn put_grant(service: &Service, tenant: TenantId, app: AppId, credentials: Credentials) -> GrantId {
    let id = GrantId::new(&claviger_core::clock::SystemClock);
    let (orders, budget) = (Limits::default(), Budget::default());
    let (operations, networks, hours) = (vec!["read".to_owned()], Vec::new(), Vec::new());
    let grant = Grant {
        id,
        tenant,
        app,
        credentials,
        operations,
        networks,
        hours,
        orders,
        budget,
        enroll: false,
        created_ms: 1,
    };
    service.store().put_cas(vec![Change::create(Key::Grant(app, id), Row::Grant(grant))], Vec::new()).await.unwrap();
    id
}
