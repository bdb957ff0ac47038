//! A root key goes with all that it wraps: page by page, through power cuts, and not while a row needs it.

use claviger_core::audit::Subject;
use claviger_core::envelope::{Binding, Envelope, Mode, Purpose};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::{KekOrigin, KekRow};
use claviger_core::store::{AuditRange, Change, Key, Range, Row, Store, Versioned};
use claviger_core::token::KekBlob;
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};

use super::world::World;
use crate::seed::Seed;

/// The root key that goes, which this token does not have.
const OLD: u32 = 7;

/// KEKs under it, each of a tenant of its own: more than four commits take.
const MANY: u32 = 1_100;

#[tokio::test]
async fn the_keks_of_a_root_key_go_page_by_page_and_through_power_cuts() {
    let mut world = World::new().await;
    let others = keks(world.service().store()).await;
    put(world.service().store(), (0..MANY).map(kek_under).collect()).await;
    put(world.service().store(), vec![Change::set(Key::RetiredRoot(OLD), Row::RetiringRoot(OLD))]).await;

    let mut partly = 0;
    for (number, operations) in [0, 200, 200, 200].into_iter().enumerate() {
        world.cut_after(operations);
        let _ = world.service().bury_roots().await;
        world.crash(&mut Seed::new(number as u64)).await;
        let left = keks(world.service().store()).await - others;
        partly += u32::from(left > 0 && left < MANY as usize);
        if left > 0 {
            assert_eq!(mark(world.service().store()).await, Some(Row::RetiringRoot(OLD)), "the root key waits");
        }
    }
    assert!(partly > 0, "no cut was between two pages");
    let _ = world.service().bury_roots().await;

    let store = world.service().store();
    assert_eq!(keks(store).await, others, "another root key's stay");
    assert_eq!(mark(store).await, Some(Row::RetiredRoot(OLD)));
    let destroyed = destroyed(store).await;
    assert_eq!(destroyed, MANY as usize, "each has its entry");
    for number in [0, MANY - 1] {
        let tombstone = store.get(Key::Tombstone(Subject::Kek(tenant(number), 1))).await.unwrap();
        assert!(tombstone.is_some(), "{number}");
    }
}

#[tokio::test]
async fn a_row_that_came_late_keeps_its_kek_and_the_root_key() {
    let world = World::new().await;
    let store = world.service().store();
    let others = keks(store).await;
    put(store, (0..3).map(kek_under).collect()).await;
    let late = Key::Sealed(CredentialId::from_bytes([9; 16]));
    put(store, vec![Change::create(late.clone(), Row::Sealed(sealed(tenant(1))))]).await;
    put(store, vec![Change::set(Key::RetiredRoot(OLD), Row::RetiringRoot(OLD))]).await;

    world.service().bury_roots().await.unwrap();

    assert_eq!(keks(store).await, others + 1, "all but that one");
    assert_eq!(mark(store).await, Some(Row::RetiringRoot(OLD)));
    put(store, vec![Change::remove(late)]).await;
    world.service().bury_roots().await.unwrap();
    assert_eq!(keks(store).await, others);
    assert_eq!(mark(store).await, Some(Row::RetiredRoot(OLD)));
}

async fn put(store: &dyn Store, changes: Vec<Change>) {
    store.put_cas(changes, Vec::new()).await.unwrap();
}

fn tenant(number: u32) -> TenantId {
    let mut id = [0x33; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    TenantId::from_bytes(id)
}

fn kek_under(number: u32) -> Change {
    let blob = KekBlob { root: OLD, wrapped: vec![1; 40], canary: vec![2; 44] };
    let (tenant, version) = (tenant(number), 1);
    let kek = KekRow { tenant, version, origin: KekOrigin::Generated, blob, mac: [3; 32] };
    Change::create(Key::Kek(tenant, version), Row::Kek(kek))
}

/// Bytes as if they were sealed under version 1 of a tenant's KEK. They do not open.
pub(super) fn sealed(tenant: TenantId) -> Vec<u8> {
    let binding = Binding {
        tenant,
        credential: CredentialId::from_bytes([9; 16]),
        version: 1,
        purpose: Purpose::VenueSecret,
        venue: VenueId::Binance,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
    };
    let (wrapped_dek, ciphertext) = (vec![4; 60], vec![5; 80]);
    Envelope { binding, kek_version: 1, wrapped_dek, nonce: [6; 12], ciphertext }.to_bytes()
}

async fn keks(store: &dyn Store) -> usize {
    store.scan(Range::KeksAfter(None), None, 10_000).await.unwrap().rows.len()
}

async fn mark(store: &dyn Store) -> Option<Row> {
    store.get(Key::RetiredRoot(OLD)).await.unwrap().map(|Versioned { row, .. }| row)
}

async fn destroyed(store: &dyn Store) -> usize {
    let leaves = store.audit_scan(AuditRange { limit: 10_000, ..AuditRange::default() }).await.unwrap();
    leaves.iter().filter(|leaf| String::from_utf8_lossy(&leaf.bytes).contains("kek.destroy")).count()
}
