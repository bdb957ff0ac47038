//! Lists, page by page.

use claviger_core::agenda::{Due, Errand};
use claviger_core::credential::{Sought, State};
use claviger_core::id::{CredentialId, ExecutionId, TenantId};
use claviger_core::store::{Change, Key, LOOKED_AT_MAX, Range, Row, Store, Versioned};
use claviger_venues::VenueId;

use super::super::bench::Bench;
use super::super::fixtures::{app, app_row, credential, credential_row, execution, ordered, tenant, tenant_row};

pub(super) async fn pages_cover_a_list_once(bench: Bench) {
    fill(bench.store()).await;
    for limit in [1, 2, 3, 24, 25, 26, usize::MAX] {
        let ids: Vec<u16> = all(bench.store(), Range::Credentials(tenant(0)), limit).await.iter().map(number).collect();
        assert_eq!(ids, (0..25).collect::<Vec<_>>(), "pages of {limit}");
    }
    for limit in [1, 2, 3, 24, 25, 26, usize::MAX] {
        let ids: Vec<u16> =
            back(bench.store(), Range::Credentials(tenant(0)), limit).await.iter().map(number).collect();
        assert_eq!(ids, (0..25).rev().collect::<Vec<_>>(), "pages of {limit}, from the end");
    }
    assert_eq!(
        back(bench.store(), Range::Apps(tenant(0)), 1).await.first().map(|it| &it.row),
        Some(&app_row(0, 2, "c"))
    );
    assert_eq!(all(bench.store(), Range::Credentials(tenant(1)), 2).await.len(), 3);
    assert_eq!(all(bench.store(), Range::Credentials(tenant(2)), 2).await, []);
    for range in [Range::Credentials(tenant(0)), Range::Credentials(tenant(2)), Range::Apps(tenant(0))] {
        let last = bench.store().last(range.clone()).await.unwrap();
        assert_eq!(last.as_ref(), all(bench.store(), range, 100).await.last());
    }
    let apps = all(bench.store(), Range::Apps(tenant(0)), 1).await;
    assert_eq!(apps.into_iter().map(|found| found.row).collect::<Vec<_>>(), [app_row(0, 0, "a"), app_row(0, 2, "c")]);
    // A page of nothing would never end.
    let page = bench.store().scan(Range::Credentials(tenant(0)), None, 0).await.unwrap();
    assert_eq!((page.rows.len(), page.next.is_some()), (1, true));
}

/// One venue's name begins with another's.
pub(super) async fn what_is_due_is_listed_by_errand_and_time(bench: Bench) {
    let errands = [Errand::Probe(VenueId::Binance), Errand::Probe(VenueId::BinanceUsdm), Errand::Expiry];
    let due = |at_ms, n| Due { at_ms, tenant: tenant(0), credential: credential(n) };
    let looks = [due(u64::MAX, 1), due(2, 3), due(2, 2), due(0, 4), due(256, 5)];
    for errand in errands {
        let rows = looks.iter().map(|due| Change::create(Key::Due(errand, due.at_ms, due.credential), Row::Due(*due)));
        bench.store().put_cas(rows.collect(), vec![]).await.unwrap();
    }
    for errand in errands {
        let listed = all(bench.store(), Range::Due(errand), 2).await.into_iter().map(|found| found.row);
        let wanted = [due(0, 4), due(2, 2), due(2, 3), due(256, 5), due(u64::MAX, 1)].map(Row::Due);
        assert_eq!(listed.collect::<Vec<_>>(), wanted);
    }
}

/// Rows that stay are on exactly one page, whatever happens around them.
pub(super) async fn pages_are_stable_under_writes(bench: Bench) {
    let store = bench.store();
    fill(store).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.scan(Range::Credentials(tenant(0)), after, 4).await.unwrap();
        seen.extend(page.rows.iter().map(number));
        let Some(next) = page.next else { break };
        after = Some(next);
        // The row that the cursor names goes, one comes before it and one after.
        let last = *seen.last().unwrap();
        let changes = vec![
            Change::remove(Key::Credential(tenant(0), id(last))),
            Change::set(Key::Credential(tenant(0), between(last.saturating_sub(2))), row(900)),
            Change::set(Key::Credential(tenant(0), between(last + 1)), row(901)),
        ];
        store.put_cas(changes, vec![]).await.unwrap();
    }
    let stayed: Vec<u16> = seen.iter().copied().filter(|n| *n < 900).collect();
    assert_eq!(stayed, (0..25).collect::<Vec<_>>());
    assert!(!seen.contains(&900), "what came behind the cursor is not shown");
}

pub(super) async fn a_cursor_from_elsewhere_shows_nothing_else(bench: Bench) {
    let store = bench.store();
    fill(store).await;
    let mut cursors = vec![vec![], vec![0], vec![0xff; 64]];
    for range in every_range() {
        let mut after = None;
        while let Some(next) = store.scan(range.clone(), after, 1).await.unwrap().next {
            after = Some(next.clone());
            cursors.push([next.as_slice(), &[0]].concat());
            cursors.push(next);
        }
    }
    assert!(cursors.len() > 50);
    for range in every_range() {
        let own = all(store, range.clone(), 100).await;
        for cursor in &cursors {
            let page = store.scan(range.clone(), Some(cursor.clone()), 100).await.unwrap();
            assert!(page.rows.iter().all(|row| own.contains(row)), "{range:?} from {cursor:?}");
            let page = store.scan_back(range.clone(), Some(cursor.clone()), 100).await.unwrap();
            assert!(page.rows.iter().all(|row| own.contains(row)), "{range:?} back from {cursor:?}");
        }
    }
}

pub(super) async fn executions_come_newest_first(bench: Bench) {
    let bench = bench.with_credentials().await;
    for n in [3, 1, 2, 5, 4] {
        bench.passes(ordered(0, n, &format!("key {n}"), 1)).await;
    }
    for limit in [1, 2, 4, 5, 6] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = bench.store().executions(tenant(0), before, limit).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.id));
            assert_eq!(page.next.as_deref(), page.next.as_ref().and(seen.last()).map(|id| id.as_bytes().as_slice()));
            if page.next.is_none() {
                break;
            }
            before = seen.last().copied();
        }
        assert_eq!(seen, [5, 4, 3, 2, 1].map(execution), "pages of {limit}");
    }
}

pub(super) async fn executions_of_others_never_show(bench: Bench) {
    let bench = bench.with_credentials().await;
    for n in 0..6 {
        bench.passes(ordered((n % 2) as u8, n, &format!("key {n}"), 1)).await;
    }
    for before in [None, Some(execution(0)), Some(execution(3)), Some(execution(5)), Some(execution(u64::MAX))] {
        for own in [0, 1, 2] {
            let page = bench.store().executions(tenant(own), before, 10).await.unwrap();
            assert!(page.rows.iter().all(|row| row.scopes.tenant == tenant(own)));
            let bound = |n: u64| before.is_none_or(|before| execution(n) < before);
            let expected = (0..6).filter(|n| n % 2 == u64::from(own) && bound(*n)).count();
            assert_eq!(page.rows.len(), if own == 2 { 0 } else { expected });
        }
    }
}

pub(super) async fn what_is_sought_is_found_page_by_page(bench: Bench) {
    let store = bench.store();
    fill(store).await;
    let ones: Vec<u16> = (0..25).filter(|n| n.to_string().contains('1')).collect();
    for limit in [1, 2, 12, 13, 100] {
        assert_eq!(found(store, "1", limit).await, ones, "pages of {limit}");
    }
    assert_eq!(found(store, "12 KRAKEN", 9).await, [12]);
    assert_eq!(found(store, "12 bybit", 9).await, [0_u16; 0]);
    assert_eq!(found(store, &id(7).to_string(), 9).await, [7]);
    assert_eq!(found(store, "cred_", 9).await.len(), 25);
    // A cursor from behind what is sought, and one from elsewhere.
    let sought = Sought::of(&id(7).to_string()).unwrap();
    for cursor in [vec![], vec![0xff; 64]] {
        let page = store.credentials(tenant(1), sought.clone(), Some(cursor), 9).await.unwrap();
        assert_eq!((page.rows.as_slice(), page.next), ([].as_slice(), None));
    }
}

pub(super) async fn a_search_looks_at_so_many_rows(bench: Bench) {
    let store = bench.store();
    let count = u32::try_from(LOOKED_AT_MAX).unwrap() + 2;
    let wide = |n: u32| {
        let mut bytes = [0; 16];
        bytes[12..].copy_from_slice(&n.to_be_bytes());
        CredentialId::from_bytes(bytes)
    };
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(10_000) {
        let label = |n| u16::try_from(n / 2).unwrap();
        let change = |n: &u32| Change::create(Key::Credential(tenant(0), wide(*n)), row(label(*n)));
        store.put_cas(some.iter().map(change).collect(), vec![]).await.unwrap();
    }
    let sought = Sought::of(&format!("{}", (count - 1) / 2)).unwrap();
    let first = store.credentials(tenant(0), sought.clone(), None, 9).await.unwrap();
    assert_eq!(first.rows, [], "the last ones are not looked at");
    let rest = store.credentials(tenant(0), sought, first.next, 9).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (2, None));
}

pub(super) async fn executions_of_one_credential(bench: Bench) {
    let bench = bench.with_credentials().await;
    bench.put_another_credential(0, 2).await;
    for n in 0..9 {
        let mut intent = ordered(0, n, &format!("key {n}"), 1);
        if n % 3 == 0 {
            intent.scopes.credential = Some(credential(2));
        }
        bench.passes(intent).await;
    }
    for limit in [1, 2, 3, 9] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = bench.store().executions_of(tenant(0), credential(2), before, limit).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.id));
            let Some(next) = page.next else { break };
            before = Some(ExecutionId::from_bytes(next.try_into().unwrap()));
        }
        assert_eq!(seen, [6, 3, 0].map(execution), "pages of {limit}");
    }
    assert_eq!(bench.store().executions_of(tenant(1), credential(2), None, 9).await.unwrap().rows, []);
}

/// The numbers of the credentials of tenant 0 that are found, in pages.
async fn found(store: &dyn Store, typed: &str, limit: usize) -> Vec<u16> {
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let sought = Sought::of(typed).unwrap();
        let page = store.credentials(tenant(0), sought, after, limit).await.unwrap();
        assert!(page.rows.len() <= limit);
        numbers.extend(page.rows.iter().map(number));
        after = page.next;
        if after.is_none() {
            return numbers;
        }
    }
}

/// 25 credentials and two apps of tenant 0; three credentials and an app of tenant 1; both tenants.
async fn fill(store: &dyn Store) {
    let mut changes: Vec<Change> = (0..25).map(|n| Change::create(Key::Credential(tenant(0), id(n)), row(n))).collect();
    changes.extend((0..3).map(|n| Change::create(Key::Credential(tenant(1), id(n)), row(n))));
    for (of, n, name) in [(0, 0, "a"), (1, 1, "b"), (0, 2, "c")] {
        changes.push(Change::create(Key::App(app(n)), app_row(of, n, name)));
        changes.push(Change::create(Key::TenantApp(tenant(of), app(n)), Row::Mark));
    }
    changes.extend([0, 1].map(|n| Change::create(Key::Tenant(tenant(n)), tenant_row(n, "t"))));
    store.put_cas(changes, vec![]).await.unwrap();
}

async fn all(store: &dyn Store, range: Range, limit: usize) -> Vec<Versioned> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.scan(range.clone(), after.clone(), limit).await.unwrap();
        assert!(page.rows.len() <= limit);
        rows.extend(page.rows);
        assert!(page.next.is_none() || page.next != after, "a cursor that stands still");
        match page.next {
            Some(next) => after = Some(next),
            None => return rows,
        }
    }
}

async fn back(store: &dyn Store, range: Range, limit: usize) -> Vec<Versioned> {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = store.scan_back(range.clone(), before.clone(), limit).await.unwrap();
        assert!(page.rows.len() <= limit);
        rows.extend(page.rows);
        assert!(page.next.is_none() || page.next != before, "a cursor that stands still");
        match page.next {
            Some(next) => before = Some(next),
            None => return rows,
        }
    }
}

fn every_range() -> Vec<Range> {
    let of_tenants = |t: TenantId| [Range::Keks(t), Range::Apps(t), Range::Credentials(t)];
    let mut ranges = vec![Range::Tenants, Range::Operators, Range::Logins, Range::Stopped, Range::Grants(app(0))];
    ranges.extend([0, 1].into_iter().flat_map(|n| of_tenants(tenant(n))));
    ranges
}

/// A credential whose label tells its number.
fn row(n: u16) -> Row {
    let mut row = credential_row(0, 0, State::Active, 1);
    (row.id, row.label) = (id(n), n.to_string());
    Row::Credential(row)
}

fn number(found: &Versioned) -> u16 {
    match &found.row {
        Row::Credential(row) => row.label.parse().unwrap(),
        other => panic!("not a credential: {other:?}"),
    }
}

fn id(n: u16) -> CredentialId {
    spaced(n * 2 + 2)
}

/// An id after `n` and before `n + 1`.
fn between(n: u16) -> CredentialId {
    spaced(n * 2 + 3)
}

fn spaced(n: u16) -> CredentialId {
    let mut bytes = [0; 16];
    bytes[14..].copy_from_slice(&n.to_be_bytes());
    CredentialId::from_bytes(bytes)
}
