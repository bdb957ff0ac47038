//! Typed changes.

use claviger_core::audit::Guard;
use claviger_core::store::{Change, Expect, Key, Row, Scope, Stop, Store, StoreError};

use super::super::bench::Bench;
use super::super::fixtures::{app, app_row, draft, tenant, tenant_row};
use super::super::log;
use super::kinds::{login, one_of_each};

pub(super) async fn changes_are_made_together_or_not_at_all(bench: Bench) {
    let store = bench.store();
    let there = Change::create(Key::Tenant(tenant(0)), tenant_row(0, "a"));
    store.put_cas(vec![there], vec![draft(0, "1")]).await.unwrap();

    let changes = vec![
        Change::create(Key::Tenant(tenant(1)), tenant_row(1, "b")),
        Change::remove(Key::Tenant(tenant(0))),
        Change::replace(Key::App(app(0)), 1, app_row(0, 0, "c")),
    ];
    let refused = store.put_cas(changes, vec![draft(0, "2")]).await;

    assert_eq!(refused, Err(StoreError::Conflict(Box::new(Key::App(app(0))))));
    assert_eq!(store.get(Key::Tenant(tenant(1))).await, Ok(None));
    assert_eq!(row(store, Key::Tenant(tenant(0))).await, tenant_row(0, "a"));
    assert_eq!(log::verified(store).await.len(), 1, "no entry of the refused change");
}

pub(super) async fn a_change_is_made_only_as_expected(bench: Bench) {
    let store = bench.store();
    let key = Key::Tenant(tenant(0));
    let put = async |expect, name: Option<&str>| {
        let change = Change { key: key.clone(), expect, row: name.map(|name| tenant_row(0, name)) };
        store.put_cas(vec![change], vec![]).await
    };
    let conflict = Err(StoreError::Conflict(Box::new(key.clone())));

    assert_eq!(put(Expect::Version(0), Some("a")).await, conflict);
    put(Expect::Absent, Some("a")).await.unwrap();
    let first = store.get(key.clone()).await.unwrap().unwrap();
    assert_eq!(put(Expect::Absent, Some("b")).await, conflict);
    put(Expect::Version(first.version), Some("b")).await.unwrap();
    assert_eq!(put(Expect::Version(first.version), Some("c")).await, conflict);
    assert_eq!(put(Expect::Version(first.version), None).await, conflict);
    assert_eq!(row(store, key.clone()).await, tenant_row(0, "b"));
    put(Expect::Any, Some("d")).await.unwrap();
    assert_eq!(row(store, key.clone()).await, tenant_row(0, "d"));
    put(Expect::Any, None).await.unwrap();
    put(Expect::Any, None).await.unwrap();
    assert_eq!(store.get(key.clone()).await, Ok(None));
}

/// What a commit rests on is looked at in it, and left as it is.
pub(super) async fn a_change_rests_on_rows_that_it_leaves(bench: Bench) {
    let store = bench.store();
    let key = Key::Tenant(tenant(0));
    let put = async |version: u64, name: &str| {
        let set = Change::set(Key::Tenant(tenant(1)), tenant_row(1, name));
        store.put_cas(vec![Change::still(key.clone(), version), set], vec![]).await
    };
    let conflict = Err(StoreError::Conflict(Box::new(key.clone())));

    put(0, "a").await.unwrap();
    assert_eq!(put(1, "b").await, conflict);
    assert_eq!(store.get(key.clone()).await, Ok(None));
    store.put_cas(vec![Change::set(key.clone(), tenant_row(0, "own"))], vec![]).await.unwrap();
    let first = store.get(key.clone()).await.unwrap().unwrap();
    put(first.version, "c").await.unwrap();
    assert_eq!(store.get(key.clone()).await.unwrap().unwrap(), first);
    assert_eq!(put(0, "d").await, conflict);
    store.put_cas(vec![Change::set(key.clone(), tenant_row(0, "own"))], vec![]).await.unwrap();
    assert_eq!(put(first.version, "e").await, conflict);
    assert_eq!(row(store, Key::Tenant(tenant(1))).await, tenant_row(1, "c"));
}

/// Who saw a row before it was removed and made anew must not change the new one.
pub(super) async fn a_version_never_comes_twice(mut bench: Bench) {
    let key = Key::Stopped(Scope::All);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let store = bench.store();
        for stop in [Stop::ReduceOnly, Stop::Frozen] {
            let change = Change::set(key.clone(), Row::Stopped(stop));
            store.put_cas(vec![change], vec![]).await.unwrap();
            seen.push(store.get(key.clone()).await.unwrap().unwrap().version);
        }
        store.put_cas(vec![Change::remove(key.clone())], vec![]).await.unwrap();
        bench.reopen();
    }
    assert!(seen[0] > 0 && seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}

pub(super) async fn a_row_named_twice_is_a_conflict(bench: Bench) {
    let key = Key::Tenant(tenant(0));
    let twice = vec![Change::create(key.clone(), tenant_row(0, "a")), Change::remove(key.clone())];
    let refused = bench.store().put_cas(twice, vec![]).await;
    assert_eq!(refused, Err(StoreError::Conflict(Box::new(key.clone()))));
    assert_eq!(bench.store().get(key).await, Ok(None));
}

pub(super) async fn a_row_of_another_kind_is_refused(bench: Bench) {
    let key = Key::Tenant(tenant(0));
    let refused = bench.store().put_cas(vec![Change::create(key.clone(), Row::Mark)], vec![]).await;
    assert!(matches!(refused, Err(StoreError::NotApplied(_))), "{refused:?}");
    assert_eq!(bench.store().get(key).await, Ok(None));
}

pub(super) async fn every_kind_of_row_comes_back(mut bench: Bench) {
    let changes: Vec<Change> = one_of_each().into_iter().map(|(key, row)| Change::create(key, row)).collect();
    bench.store().put_cas(changes, vec![draft(0, "all")]).await.unwrap();
    bench.reopen();
    for (key, expected) in one_of_each() {
        assert_eq!(row(bench.store(), key).await, expected);
    }
}

pub(super) async fn one_of_many_writers_wins(bench: Bench) {
    let writers: Vec<_> = (0..64)
        .map(|n| {
            let store = bench.shared();
            tokio::spawn(async move {
                let change = Change::create(Key::TenantName("same".to_owned()), Row::TenantRef(tenant(n)));
                store.put_cas(vec![change], vec![draft(n, "won")]).await.is_ok().then_some(n)
            })
        })
        .collect();
    let mut won = Vec::new();
    for writer in writers {
        won.extend(writer.await.unwrap());
    }
    assert_eq!(won.len(), 1);
    let winner = row(bench.store(), Key::TenantName("same".to_owned())).await;
    assert_eq!(winner, Row::TenantRef(tenant(won[0])));
    assert_eq!(log::verified(bench.store()).await.len(), 1);
}

async fn row(store: &dyn Store, key: Key) -> Row {
    store.get(key).await.unwrap().expect("there").row
}

/// After a login's end nothing is stored that depends on it, whichever verb is asked.
pub(super) async fn ended_logins_store_nothing(bench: Bench) {
    let (key, guard) = (Key::Login([6; 32]), Some(Guard([6; 32])));
    let entry = |label: &str| draft(0, label).guarded(guard);
    let name = || Change::create(Key::TenantName("by-login".to_owned()), Row::TenantRef(tenant(0)));
    bench.store().put_cas(vec![Change::create(key.clone(), Row::Login(login()))], vec![]).await.unwrap();
    bench.store().append(vec![entry("read")]).await.unwrap();
    // The end of a login is its own act.
    bench.store().put_cas(vec![Change::remove(key)], vec![entry("end")]).await.unwrap();
    let written = log::verified(bench.store()).await.len();

    let late = [
        bench.store().append(vec![entry("late")]).await.map(drop),
        bench.store().put_cas(vec![name()], vec![draft(0, "fine"), entry("late")]).await.map(drop),
        bench.store().revoke(Scope::Tenant(tenant(0)), Stop::Frozen, entry("late")).await.map(drop),
    ];
    assert_eq!(late, [Err(StoreError::Ended), Err(StoreError::Ended), Err(StoreError::Ended)]);
    assert_eq!(bench.store().get(Key::TenantName("by-login".to_owned())).await.unwrap(), None);
    assert_eq!(bench.store().get(Key::Stopped(Scope::Tenant(tenant(0)))).await.unwrap(), None);
    assert_eq!(log::verified(bench.store()).await.len(), written);
    bench.store().put_cas(vec![name()], vec![draft(0, "fine")]).await.unwrap();
}
