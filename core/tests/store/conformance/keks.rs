//! Which rows are sealed under which KEK, and which KEKs there are.

use std::collections::BTreeMap;

use claviger_core::audit::Subject;
use claviger_core::credential::{Contact, Contacts, Former};
use claviger_core::envelope::{Binding, Envelope, Mode, Purpose, with_wrap};
use claviger_core::id::{CredentialId, NoticeId, TenantId};
use claviger_core::keeper::{KekOrigin, KekRow};
use claviger_core::store::{Change, Expect, Key, Range, Row, StoreError, VenueToken, Versioned};
use claviger_core::token::KekBlob;
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};

use super::super::bench::Bench;
use super::super::fixtures::{credential, tenant};

pub(super) async fn a_kek_goes_only_when_nothing_is_under_it(bench: Bench) {
    let store = bench.store();
    let (kek, sealed) = (Key::Kek(tenant(0), 1), Key::Sealed(credential(0)));
    let in_use = Err(StoreError::Conflict(Box::new(kek.clone())));
    let put = async |change: Change| store.put_cas(vec![change], vec![]).await.map(|_| ());
    for version in [1, 2] {
        put(Change::set(Key::Kek(tenant(0), version), kek_row(tenant(0), version))).await.unwrap();
    }
    put(Change::set(sealed.clone(), sealed_row(tenant(0), credential(0), 1))).await.unwrap();
    assert_eq!(put(Change::remove(kek.clone())).await, in_use);
    // That it is there is no reason against resting on it.
    let version = store.get(kek.clone()).await.unwrap().unwrap().version;
    put(Change::still(kek.clone(), version)).await.unwrap();

    put(Change::set(sealed.clone(), sealed_row(tenant(0), credential(0), 2))).await.unwrap();
    let token = VenueToken { sealed: bytes(tenant(0), credential(0), 1), issued_ms: 1, expires_ms: 2 };
    put(Change::set(Key::Token(credential(0)), Row::Token(token))).await.unwrap();
    assert_eq!(put(Change::remove(kek.clone())).await, in_use, "a venue's token is sealed as well");
    put(Change::remove(Key::Token(credential(0)))).await.unwrap();
    put(Change::remove(kek)).await.unwrap();
}

pub(super) async fn nothing_comes_under_a_kek_that_was_destroyed(bench: Bench) {
    let store = bench.store();
    let put = async |change: Change| store.put_cas(vec![change], vec![]).await.map(|_| ());
    for version in [1, 2] {
        put(Change::set(Key::Kek(tenant(0), version), kek_row(tenant(0), version))).await.unwrap();
    }
    put(Change::remove(Key::Kek(tenant(0), 1))).await.unwrap();
    let late = Change::create(Key::Sealed(credential(0)), sealed_row(tenant(0), credential(0), 1));
    assert_eq!(put(late).await, Err(StoreError::Conflict(Box::new(Key::Kek(tenant(0), 1)))));
    assert_eq!(store.get(Key::Sealed(credential(0))).await, Ok(None));
}

pub(super) async fn nothing_comes_under_a_kek_that_was_taken_away(bench: Bench) {
    let store = bench.store();
    let put = async |change: Change| store.put_cas(vec![change], vec![]).await.map(|_| ());
    let (kek, sealed) = (Key::Kek(tenant(0), 1), Key::Sealed(credential(0)));
    let Row::Kek(row) = kek_row(tenant(0), 1) else { panic!("no KEK") };
    put(Change::set(sealed.clone(), sealed_row(tenant(0), credential(0), 1))).await.unwrap();
    put(Change::set(kek.clone(), Row::Kek(row.withdrawn()))).await.unwrap();
    let in_the_way = Err(StoreError::Conflict(Box::new(kek)));

    let late = Change::create(Key::Sealed(credential(1)), sealed_row(tenant(0), credential(1), 1));
    assert_eq!(put(late).await, in_the_way, "it was sealed before");
    let wrapped = Row::Sealed(with_wrap(&bytes(tenant(0), credential(0), 1), b"wrap"));
    assert_eq!(put(Change::set(sealed.clone(), wrapped)).await, in_the_way, "its wrap was made before");
    // What is under it stays, and goes when it is to go.
    put(Change::set(sealed.clone(), sealed_row(tenant(0), credential(0), 1))).await.unwrap();
    put(Change::remove(sealed)).await.unwrap();
}

pub(super) async fn a_kek_that_lapses_leaves_no_tombstone_and_what_is_sealed_a_mark_when_it_goes(bench: Bench) {
    let store = bench.store();
    let put = async |change: Change| store.put_cas(vec![change], vec![]).await.map(|_| ());
    let (kek, sealed, mark) = (Key::Kek(tenant(0), 1), Key::Sealed(credential(0)), Key::Unerased(tenant(0)));
    put(Change::set(kek.clone(), kek_row(tenant(0), 1))).await.unwrap();
    put(Change::set(sealed.clone(), sealed_row(tenant(0), credential(0), 1))).await.unwrap();
    let version = store.get(kek.clone()).await.unwrap().unwrap().version;
    let in_use = Err(StoreError::Conflict(Box::new(kek.clone())));
    assert_eq!(put(Change::lapse(kek.clone(), version)).await, in_use, "a row is under it");

    // A row that moves is not gone, and one that goes is.
    put(Change::set(sealed.clone(), sealed_row(tenant(0), credential(0), 2))).await.unwrap();
    assert_eq!(store.get(mark.clone()).await, Ok(None));
    put(Change::remove(sealed)).await.unwrap();
    let Some(Versioned { row: Row::Unerased(noted), .. }) = store.get(mark).await.unwrap() else { panic!("no mark") };
    assert_eq!((noted.tenant, noted.count), (tenant(0), 1));

    assert_eq!(put(Change::lapse(kek.clone(), version + 1)).await, in_use, "it is another one");
    put(Change::lapse(kek.clone(), version)).await.unwrap();
    assert_eq!(store.get(kek.clone()).await, Ok(None));
    let tombstone = Key::Tombstone(Subject::Kek(tenant(0), 1));
    assert_eq!(store.get(tombstone.clone()).await, Ok(None), "backups that hold it are to open");
    put(Change::set(kek.clone(), kek_row(tenant(0), 1))).await.unwrap();
    put(Change::remove(kek)).await.unwrap();
    assert!(store.get(tombstone).await.unwrap().is_some(), "one that is destroyed leaves one");
}

pub(super) async fn what_is_sealed_is_listed_by_its_kek(bench: Bench) {
    let store = bench.store();
    for (number, version) in [(0, 1), (1, 1), (2, 2), (3, 3)] {
        let row = sealed_row(tenant(0), credential(number), version);
        store.put_cas(vec![Change::create(Key::Sealed(credential(number)), row)], vec![]).await.unwrap();
    }
    let theirs = Change::create(Key::Sealed(credential(9)), sealed_row(tenant(1), credential(9), 1));
    store.put_cas(vec![theirs], vec![]).await.unwrap();

    assert_eq!(store.sealed_under(tenant(0)).await, Ok(BTreeMap::from([(1, 2), (2, 1), (3, 1)])));
    let before = async |version, limit| {
        let found = store.sealed_before(tenant(0), version, limit).await.unwrap();
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    let sealed = |number| Key::Sealed(credential(number));
    assert_eq!(before(1, 9).await, []);
    assert_eq!(before(2, 9).await, [sealed(0), sealed(1)]);
    assert_eq!(before(3, 9).await, [sealed(0), sealed(1), sealed(2)]);
    assert_eq!(before(9, 1).await, [sealed(0)]);
    let under = async |version, limit| {
        let found = store.sealed_under_version(tenant(0), version, limit).await.unwrap();
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!((under(2, 1).await, under(9, 1).await), (vec![sealed(2)], vec![]), "whatever is under older ones");
    assert_eq!((under(1, 1).await, under(1, 9).await), (vec![sealed(0)], vec![sealed(0), sealed(1)]));

    let moved = Change::set(sealed(0), sealed_row(tenant(0), credential(0), 3));
    store.put_cas(vec![moved, Change::remove(sealed(1))], vec![]).await.unwrap();
    assert_eq!(before(3, 9).await, [sealed(2)]);
    assert_eq!(store.sealed_under(tenant(0)).await, Ok(BTreeMap::from([(2, 1), (3, 2)])));
    assert_eq!(store.sealed_under(tenant(1)).await, Ok(BTreeMap::from([(1, 1)])));
}

pub(super) async fn of_two_that_are_bound_alike_one_can_go(bench: Bench) {
    let store = bench.store();
    let (key, mark) = (Key::Contact(credential(0)), Key::Unerased(tenant(0)));
    let put = async |row: Option<Row>| {
        let change = Change { key: key.clone(), expect: Expect::Any, row };
        store.put_cas(vec![change], vec![]).await.unwrap();
    };
    let sealed = |kek_version| bytes(tenant(0), credential(0), kek_version);
    let now = |kek_version| Contact { sealed: sealed(kek_version), set_ms: 1 };
    let former = |kek_version| vec![Former { notice: NoticeId::MIN, sealed: sealed(kek_version) }];
    put(Some(Row::Contact(now(1)))).await;
    put(Some(Row::Contacts(Contacts { now: Some(now(2)), former: former(1) }))).await;
    assert_eq!(store.sealed_under(tenant(0)).await, Ok(BTreeMap::from([(1, 1), (2, 1)])));
    put(Some(Row::Contacts(Contacts { now: Some(now(2)), former: former(2) }))).await;
    assert_eq!(store.sealed_under(tenant(0)).await, Ok(BTreeMap::from([(2, 1)])));
    assert_eq!(store.get(mark.clone()).await, Ok(None), "one became two, and moved");

    let marked = async || match store.get(mark.clone()).await.unwrap() {
        Some(Versioned { row: Row::Unerased(noted), .. }) => noted.count,
        none => panic!("no mark: {none:?}"),
    };
    put(Some(Row::Contact(now(2)))).await;
    assert_eq!(marked().await, 1);
    put(None).await;
    assert_eq!(marked().await, 2);
}

pub(super) async fn the_keks_of_all_tenants_come_in_turn(bench: Bench) {
    let store = bench.store();
    let mut all = vec![(tenant(0), 1), (tenant(0), 2), (tenant(1), 1), (TenantId::OWN, 1), (TenantId::OWN, u32::MAX)];
    all.sort_unstable();
    for (tenant, version) in &all {
        let row = Change::create(Key::Kek(*tenant, *version), kek_row(*tenant, *version));
        store
            .put_cas(vec![row, Change::set(Key::RetiredRoot(*version), Row::RetiredRoot(*version))], vec![])
            .await
            .unwrap();
    }
    let listed = async |after| {
        let rows = store.scan(Range::KeksAfter(after), None, 9).await.unwrap().rows;
        let kek =
            |row: Versioned| if let Row::Kek(kek) = row.row { (kek.tenant, kek.version) } else { panic!("{row:?}") };
        rows.into_iter().map(kek).collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, all);
    for tenant in [tenant(0), tenant(1), TenantId::OWN] {
        let after: Vec<_> = all.iter().copied().filter(|(other, _)| *other > tenant).collect();
        assert_eq!(listed(Some(tenant)).await, after);
    }
}

pub(super) fn kek_row(tenant: TenantId, version: u32) -> Row {
    let blob = KekBlob { root: 1, wrapped: vec![1; 40], canary: vec![2; 44] };
    Row::Kek(KekRow { tenant, version, origin: KekOrigin::Generated, blob, mac: [3; 32] })
}

fn sealed_row(tenant: TenantId, credential: CredentialId, kek_version: u32) -> Row {
    Row::Sealed(bytes(tenant, credential, kek_version))
}

pub(super) fn bytes(tenant: TenantId, credential: CredentialId, kek_version: u32) -> Vec<u8> {
    let binding = Binding {
        tenant,
        credential,
        version: 1,
        purpose: Purpose::VenueSecret,
        venue: VenueId::Binance,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
    };
    let (wrapped_dek, ciphertext) = (vec![4; 60], vec![5; 80]);
    Envelope { binding, kek_version, wrapped_dek, nonce: [6; 12], ciphertext }.to_bytes()
}
