//! What is under a KEK that is gone goes as well: with all that hangs on it, in one look, and each with its entry.

use claviger_core::audit::Entry;
use claviger_core::credential::Contact;
use claviger_core::id::{AppId, CredentialId, OperatorId, TenantId, VirtualKeyId};
use claviger_core::identity::{Factors, Operator, Totp};
use claviger_core::store::{AuditRange, Change, Key, Range, Row, Store, VenueToken};
use claviger_core::virtual_key::{Proof, VirtualKey};
use claviger_venues::VenueId;

use super::roots::sealed;
use super::steps::{enrollment, secret};
use super::world::{World, origin};

#[tokio::test]
async fn what_opens_no_more_goes_with_its_keys_and_an_entry_each() {
    let world = World::new().await;
    let [tenant, other] = world.tenants;
    let (service, store) = (world.service(), world.service().store());
    let mut number = 0;
    for of in [tenant, tenant, tenant, other] {
        number += 1;
        let row = service.enroll(enrollment(of, number), secret, None::<fn() -> _>, &origin()).await.unwrap();
        for proof in [Proof::Bearer, Proof::Hmac(sealed(of))] {
            put_key(store, of, row.id, proof).await;
        }
    }
    let id = CredentialId::from_bytes([8; 16]);
    let token = VenueToken { sealed: sealed(tenant), issued_ms: 1, expires_ms: 2 };
    let operator = with_codes(sealed(tenant));
    let rows = vec![
        Change::create(Key::Contact(id), Row::Contact(Contact { sealed: sealed(tenant), set_ms: 1 })),
        Change::create(Key::Token(id), Row::Token(token)),
        Change::create(Key::Operator(operator.id), Row::Operator(operator.clone())),
    ];
    store.put_cas(rows, Vec::new()).await.unwrap();
    let before = actions(store).await.len();

    let lost = service.drop_kek(tenant, 1, &origin()).await.unwrap().unwrap();

    assert!(lost.len() >= 6, "{lost:?}");
    assert_eq!(keys(store, tenant).await, 0, "also those that were sealed under nothing");
    assert_eq!(keys(store, other).await, 2);
    let Some(Row::Operator(left)) = store.get(Key::Operator(operator.id)).await.unwrap().map(|found| found.row) else {
        panic!("the operator stays")
    };
    assert_eq!(left.factors, Factors::default());
    let told = actions(store).await.split_off(before);
    let count = |action: &str| told.iter().filter(|told| *told == action).count();
    assert_eq!((count("credential.delete"), count("virtual-key.revoke")), (3, 6), "{told:?}");
    assert_eq!((count("contact.drop"), count("token.drop"), count("totp.drop")), (1, 1, 1), "{told:?}");
    // Once for all of them: looking for each credential's keys would be a look at all keys for each.
    let deleted = told.iter().rposition(|action| action == "credential.delete").unwrap();
    let revoked = told.iter().position(|action| action == "virtual-key.revoke").unwrap();
    assert!(deleted < revoked, "{told:?}");
}

pub(super) async fn put_key(store: &dyn Store, tenant: TenantId, credential: CredentialId, proof: Proof) {
    store.put_cas(key_rows(tenant, credential, proof), Vec::new()).await.unwrap();
}

/// The rows of a virtual key that is made.
pub(super) fn key_rows(tenant: TenantId, credential: CredentialId, proof: Proof) -> Vec<Change> {
    let id = VirtualKeyId::new(&claviger_core::clock::SystemClock);
    let mut name = [7; 32];
    name[..16].copy_from_slice(id.as_bytes());
    let key = VirtualKey {
        id,
        tenant,
        app: AppId::from_bytes([5; 16]),
        credential,
        venue: VenueId::Binance,
        label: String::new(),
        key_id: String::new(),
        name,
        proof,
        created_ms: 1,
    };
    let named = Change::create(Key::VirtualName(name), Row::VirtualRef(tenant, id));
    vec![Change::create(Key::VirtualKey(tenant, id), Row::VirtualKey(key)), named]
}

fn with_codes(sealed: Vec<u8>) -> Operator {
    let factors = Factors { totp: Some(Totp { sealed, last_step: 1 }), ..Factors::default() };
    let (id, name, role) = (OperatorId::from_bytes([6; 16]), "codes".to_owned(), "viewer".to_owned());
    Operator { id, name, tenant: None, role, factors, factors_ms: 1, created_ms: 1 }
}

async fn keys(store: &dyn Store, tenant: TenantId) -> usize {
    store.scan(Range::VirtualKeys(tenant), None, 100).await.unwrap().rows.len()
}

async fn actions(store: &dyn Store) -> Vec<String> {
    let leaves = store.audit_scan(AuditRange { limit: 10_000, ..AuditRange::default() }).await.unwrap();
    leaves.iter().map(|leaf| Entry::from_leaf(&leaf.bytes).unwrap().action).collect()
}
