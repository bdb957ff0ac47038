//! What goes with a tenant that is deleted, and what stays.

use claviger_core::audit::Personal;
use claviger_core::credential::{Credential, State};
use claviger_core::deletion::{Cleared, Deletion};
use claviger_core::id::CredentialId;
use claviger_core::store::{
    Admit, AuditRange, Change, ExecutionState, Key, Range, Refusal, Row, Scope, Stop, Store, StoreError, Versioned,
};

use super::super::bench::Bench;
use super::super::fixtures::{
    START_MS, app, app_row, credential_key, credential_row, draft, ordered, owner, personal_draft, tenant, tenant_row,
};
use super::kinds::one_of_each;

/// More than go in one commit.
const MANY: u32 = 600;

pub(super) async fn a_deleted_tenant_goes_row_by_row_and_touches_no_other(mut bench: Bench) {
    let keys = furnished(&bench).await;
    let before = neighbour(bench.store()).await;
    let root = bench.store().tree_head().await.unwrap();
    assert!(matches!(bench.store().clear_tenant(tenant(0)).await, Err(StoreError::NotApplied(_))), "nobody said so");
    begin(&bench).await;

    let mut steps = 0;
    loop {
        // What one commit removed is gone whatever comes then, and the next goes on.
        bench.reopen();
        match bench.store().clear_tenant(tenant(0)).await.unwrap() {
            Cleared::Some(rows) => assert!((1..=256).contains(&rows), "{rows} in one commit"),
            Cleared::All => break,
            Cleared::Waits => panic!("nothing is open"),
        }
        steps += 1;
    }
    assert!(steps > 5, "{steps}");

    let store = bench.store();
    for key in keys {
        let found = store.get(key.clone()).await.unwrap();
        assert_eq!(found.is_some(), stays(&key), "{key:?}");
    }
    for range in [Range::Credentials(tenant(0)), Range::Keks(tenant(0)), Range::Apps(tenant(0)), Range::Grants(app(0))]
    {
        assert_eq!(store.scan(range.clone(), None, 9).await.unwrap().rows, [], "{range:?}");
    }
    assert_eq!(store.executions(tenant(0), None, 9).await.unwrap().rows, []);
    assert!(store.audit_key(tenant(0), owner(0)).await.unwrap().is_none());
    let object = store.get(Key::TokenObject("object".to_owned())).await.unwrap().unwrap().row;
    assert!(
        matches!(object, Row::TokenObject { credential: None, .. }),
        "its key in the token is nobody's: {object:?}"
    );
    assert_eq!(neighbour(store).await, before);
    assert_eq!(store.tree_head().await.unwrap(), root, "the log is whole");
    let Some(Versioned { row: Row::Deletion(deletion), .. }) = store.get(Key::Deletion(tenant(0))).await.unwrap()
    else {
        panic!("it says what it took along");
    };
    assert_eq!((deletion.credential_count(), deletion.apps, deletion.virtual_keys), (u64::from(MANY) + 1, 1, 1));
    assert_eq!(deletion.owners, 1);
    assert_eq!(store.clear_tenant(tenant(0)).await, Ok(Cleared::All));
}

pub(super) async fn a_deletion_waits_for_what_is_open(mut bench: Bench) {
    furnished(&bench).await;
    bench.store().put_cas(vec![Change::remove(Key::Withdrawn(tenant(0)))], vec![]).await.unwrap();
    let open = bench.grant(ordered(0, 7, "slow", 1)).await.intent();
    begin(&bench).await;
    while bench.store().clear_tenant(tenant(0)).await.unwrap() != Cleared::Waits {}
    assert_eq!(bench.store().scan(Range::Credentials(tenant(0)), None, 1).await.unwrap().rows, []);
    assert_ne!(bench.store().executions(tenant(0), None, 9).await.unwrap().rows, []);

    bench.reopen();
    bench.settle(open, ExecutionState::Acked, "late").await;
    while bench.store().clear_tenant(tenant(0)).await.unwrap() != Cleared::All {}
    assert_eq!(bench.store().executions(tenant(0), None, 9).await.unwrap().rows, []);
    assert_eq!(bench.store().resolve().await, Ok(vec![]));
}

pub(super) async fn nothing_is_stored_for_a_deleted_tenant(bench: Bench) {
    let keys = furnished(&bench).await;
    begin(&bench).await;
    while bench.store().clear_tenant(tenant(0)).await.unwrap() != Cleared::All {}
    let store = bench.store();
    let gone = || Err(StoreError::Conflict(Box::new(Key::Deletion(tenant(0)))));
    let put = async |key: Key, row: Row| store.put_cas(vec![Change::set(key, row)], vec![]).await.map(|_| ());
    for (key, row) in one_of_each() {
        if keys.contains(&key) && !stays(&key) && !hangs(&key) {
            assert_eq!(put(key.clone(), row).await, gone(), "{key:?}");
        }
    }
    assert_eq!(put(Key::Tenant(tenant(0)), tenant_row(0, "again")).await, gone());
    assert_eq!(put(Key::App(app(9)), app_row(0, 9, "late")).await, gone());
    let admit = bench.admit(ordered(0, 8, "late", 1)).await;
    assert!(matches!(admit, Admit::Refused(Refusal::Stopped(Scope::Tenant(_), Stop::Revoked))), "{admit:?}");
    // Neither an entry nor a stop names an owner of it again.
    store.append(vec![personal_draft(0, "late", &owner(0))]).await.unwrap();
    assert!(store.audit_key(tenant(0), owner(0)).await.unwrap().is_none());
    let scope = Scope::Owner(tenant(0), owner(0));
    let entry = draft(0, "late").personal(Personal { owner: owner(0) });
    store.revoke(scope.clone(), Stop::Revoked, entry).await.unwrap();
    assert_eq!(store.get(Key::Stopped(scope)).await, Ok(None));
    put(Key::App(app(9)), app_row(1, 9, "theirs")).await.unwrap();
}

/// A row of each kind and many credentials, an execution that was answered, and an owner in the log. Tenant 1 has a
/// credential, an app and an execution, too.
async fn furnished(bench: &Bench) -> Vec<Key> {
    let store = bench.store();
    let rows = one_of_each().into_iter().filter(|(key, _)| !matches!(key, Key::Deletion(_) | Key::Stopped(_)));
    let rows: Vec<(Key, Row)> = rows.collect();
    let keys: Vec<Key> = rows.iter().map(|(key, _)| key.clone()).collect();
    // Nothing is granted to a tenant that has taken its KEK away.
    let (withdrawn, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().map(|(key, row)| Change::set(key, row)).partition(|row| matches!(row.key, Key::Withdrawn(_)));
    store.put_cas(rows, vec![personal_draft(0, "furnished", &owner(0))]).await.unwrap();
    let many = (0..MANY).map(|n| {
        let mut id = [0x33; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let id = CredentialId::from_bytes(id);
        let mut index = [0x44; 32];
        index[..4].copy_from_slice(&n.to_be_bytes());
        let row = credential_row(0, 0, State::Active, 1);
        Change::set(Key::Credential(tenant(0), id), Row::Credential(Credential { id, index, ..row }))
    });
    store.put_cas(many.collect(), vec![]).await.unwrap();
    let indexed = Row::Credential(Credential { index: [5; 32], ..credential_row(0, 0, State::Active, 1) });
    store.put_cas(vec![Change::set(credential_key(0, 0), indexed)], vec![]).await.unwrap();
    bench.put_credential(1, State::Active, 1).await;
    store
        .put_cas(vec![Change::set(Key::App(app(1)), app_row(1, 1, "theirs"))], vec![personal_draft(1, "x", &owner(1))])
        .await
        .unwrap();
    for n in [0, 1] {
        let granted = bench.grant(ordered(n, u64::from(n), "order", n)).await.intent();
        bench.settle(granted, ExecutionState::Acked, "placed").await;
    }
    store.put_cas(withdrawn, vec![]).await.unwrap();
    keys
}

async fn begin(bench: &Bench) {
    let changes = vec![
        Change::remove(Key::Tenant(tenant(0))),
        Change::remove(Key::TenantName("a".to_owned())),
        Change::set(Key::Stopped(Scope::Tenant(tenant(0))), Row::Stopped(Stop::Revoked)),
        Change::create(Key::Deletion(tenant(0)), Row::Deletion(Deletion::new(tenant(0), START_MS))),
    ];
    bench.store().put_cas(changes, vec![]).await.unwrap();
}

/// Rows that are nobody's, or that go one by one, each with its entry.
fn stays(key: &Key) -> bool {
    matches!(
        key,
        Key::Operator(_)
            | Key::OperatorName(_)
            | Key::Login(_)
            | Key::LoginsOf(_)
            | Key::Invitation(_)
            | Key::Unreviewed(_)
            | Key::Approval(_)
            | Key::Stopped(_)
            | Key::KeeperKeys
            | Key::TokenObject(_)
            | Key::Role(_)
            | Key::Sink(_)
            | Key::Jti(_)
            | Key::Deletion(_)
            | Key::Backup(_)
            | Key::Tombstone(_)
            | Key::Unengraved(_)
            | Key::Incident(_)
            | Key::IncidentNote(..)
            | Key::PublicIncident(_)
            | Key::Sighted(_)
            | Key::OpenIncident(..)
            | Key::Gap(_)
            | Key::Event(_)
            | Key::RootRotation
            | Key::RecoveryKey
            | Key::RetiredRoot(_)
            | Key::Notice(_)
            | Key::Told(..)
            | Key::Delivery(..)
            | Key::Epochs
            | Key::Unerased(_)
    )
}

/// Rows that say of no tenant that they are its: they come with a row that does.
fn hangs(key: &Key) -> bool {
    matches!(
        key,
        Key::Agenda(_)
            | Key::Index(_)
            | Key::Spent(_)
            | Key::Allowance(_)
            | Key::AppUse(_)
            | Key::Sealed(_)
            | Key::Token(_)
            | Key::Contact(_)
    )
}

/// All that tenant 1 has.
async fn neighbour(store: &dyn Store) -> String {
    let credential = store.get(credential_key(1, 1)).await.unwrap();
    let app = store.get(Key::App(app(1))).await.unwrap();
    let executions = store.executions(tenant(1), None, 9).await.unwrap();
    let key = store.audit_key(tenant(1), owner(1)).await.unwrap();
    let range = AuditRange { tenant: Some(tenant(1)), from: 1, limit: 99 };
    let entries = store.audit_scan(range).await.unwrap();
    let stop = store.get(Key::Stopped(Scope::Tenant(tenant(1)))).await.unwrap();
    format!("{credential:?} {app:?} {executions:?} {:?} {} {stop:?}", key.map(|key| *key.as_bytes()), entries.len())
}
