use super::*;
use crate::event::Moment;
use crate::state::{Health, Lifecycle};

const HEIGHT: usize = 10;

fn row(number: u32) -> Row {
    Row {
        id: Id::parse(&format!("cred_{number:04}")).unwrap(),
        tenant: "ten_1".into(),
        owner: "eu_1".into(),
        label: format!("label-{number}").into(),
        venue: "binance".into(),
        kind: "hmac".into(),
        ceiling: "read".into(),
        class: "read".into(),
        hint: "ab…yz".into(),
        state: Lifecycle::Active,
        health: Health::Ok,
        ip_restricted: false,
        version: 1,
        created_at: "".into(),
        changed_at: "".into(),
        probed_at: "".into(),
        created_ms: None,
        gone: false,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the client gives it")]
fn page(numbers: impl IntoIterator<Item = u32>, next: Option<&str>) -> Result<Page, Failure> {
    Ok(Page { rows: numbers.into_iter().map(row).collect(), next: next.map(str::to_owned) })
}

fn at(steady_ms: u64) -> Moment {
    Moment { steady_ms, unix_ms: 0 }
}

fn cursor_of(ask: &Ask) -> Option<String> {
    let Ask::Page { cursor, .. } = ask else { panic!("{ask:?}") };
    cursor.clone()
}

fn shown(list: &List) -> Vec<String> {
    list.view(1000).map(|(_, row)| row.label.to_string()).collect()
}

/// A list with two pages of five, the second one not yet loaded.
fn opened() -> List {
    let mut list = List::default();
    list.reload(at(0));
    list.hear(at(0), 1, None, page(0..5, Some("five")));
    list
}

#[test]
fn a_page_is_loaded_when_somebody_goes_there_and_only_once() {
    let mut list = opened();
    assert_eq!(list.more(1), None, "the cursor is far from the end");
    let ask = list.more(HEIGHT).unwrap();
    assert_eq!(cursor_of(&ask).as_deref(), Some("five"));
    assert_eq!(list.more(HEIGHT), None, "it is on its way");
    list.hear(at(1), 1, Some("five".to_owned()), page(5..8, None));
    assert_eq!((list.loaded(), list.has_more()), (8, false));
    assert_eq!(list.more(HEIGHT), None, "there is no more");
}

#[test]
fn a_refresh_asks_for_the_pages_in_view() {
    let mut list = opened();
    drop(list.more(HEIGHT));
    list.hear(at(1), 1, Some("five".to_owned()), page(5..10, None));
    assert!(list.due(at(4999), HEIGHT).is_empty());
    let cursors: Vec<_> = list.due(at(5000), HEIGHT).iter().map(cursor_of).collect();
    assert_eq!(cursors, [None, Some("five".to_owned())]);
    assert!(list.due(at(60_000), HEIGHT).is_empty(), "answers are awaited");
    list.hear(at(1), 1, None, page(0..5, Some("five")));
    list.hear(at(1), 1, Some("five".to_owned()), page(5..10, None));
    list.step(9, 2);
    let cursors: Vec<_> = list.due(at(70_000), 2).iter().map(cursor_of).collect();
    assert_eq!(cursors, [Some("five".to_owned())]);
}

#[test]
fn a_refresh_changes_cells_and_moves_nothing() {
    let mut list = opened();
    list.step(2, HEIGHT);
    let frozen = Row { state: Lifecycle::Frozen, ..row(2) };
    let new_in_front = Page { rows: vec![row(9), row(0), row(1), frozen, row(3)], next: Some("five".to_owned()) };
    list.hear(at(1), 1, None, Ok(new_in_front));
    assert_eq!(list.selected().unwrap().state, Lifecycle::Frozen);
    assert_eq!(shown(&list), ["label-0", "label-1", "label-2", "label-3", "label-4"]);
    assert_eq!(list.fresh(), 1);
    assert!(list.view(HEIGHT).all(|(_, row)| !row.gone), "a row that was pushed off the page is not gone");
}

#[test]
fn a_deleted_row_stays_and_is_marked() {
    let mut list = opened();
    list.step(1, HEIGHT);
    list.hear(at(1), 1, None, page([0, 2, 3, 4], None));
    assert!(list.selected().unwrap().gone);
    assert_eq!(list.loaded(), 5);
    list.hear(at(1), 1, None, page(0..5, None));
    assert!(!list.selected().unwrap().gone);
}

#[test]
fn what_comes_after_the_end_is_added_there() {
    let mut list = List::default();
    list.reload(at(0));
    list.hear(at(0), 1, None, page([], None));
    assert!(!list.is_opening());
    list.hear(at(1), 1, None, page(0..2, None));
    list.hear(at(2), 1, None, page(0..3, None));
    assert_eq!(shown(&list), ["label-0", "label-1", "label-2"]);
    assert_eq!(list.fresh(), 0);
}

#[test]
fn a_reload_keeps_the_cursor_on_its_row_and_ignores_older_answers() {
    let mut list = opened();
    list.step(3, HEIGHT);
    let ask = list.reload(at(10));
    assert_eq!(ask, Ask::Page { load: 2, cursor: None });
    list.hear(at(11), 1, None, page([], None));
    assert_eq!(list.loaded(), 5, "that was an answer to the first loading");
    list.hear(at(12), 2, None, page([9, 3, 4], None));
    assert_eq!(shown(&list), ["label-9", "label-3", "label-4"]);
    assert_eq!(list.selected().unwrap().label.as_str(), "label-3");
}

#[test]
fn a_failure_is_told_and_leaves_the_rows() {
    let mut list = opened();
    list.hear(at(1), 1, None, Err(Failure::NoAnswer("nothing".into())));
    assert!(list.trouble.is_some());
    assert_eq!((list.loaded(), list.heard_ms), (5, Some(0)));
}

#[test]
fn the_filter_is_applied_when_it_changes_and_not_when_a_row_does() {
    let mut list = opened();
    list.step(4, HEIGHT);
    list.filter.paste("LABEL active");
    list.refilter(HEIGHT);
    assert_eq!(list.selected().unwrap().label.as_str(), "label-4", "it stays on its row");
    list.update(&Row { state: Lifecycle::Frozen, ..row(4) });
    assert_eq!(list.passing(), 5, "a row does not vanish from under the cursor");
    list.refilter(HEIGHT);
    assert_eq!(list.passing(), 4);
    drop(list.more(HEIGHT));
    list.hear(at(1), 1, Some("five".to_owned()), page(5..7, None));
    assert_eq!(list.passing(), 6);
}

#[test]
fn the_cursor_stays_in_view() {
    let mut list = opened();
    let first_in_view = |list: &List, height| list.view(height).next().unwrap().1.label.to_string();
    list.step(4, 2);
    assert_eq!(first_in_view(&list, 2), "label-3");
    list.step(-1, 2);
    assert_eq!(first_in_view(&list, 2), "label-3");
    list.step(isize::MIN, 2);
    assert_eq!(first_in_view(&list, 2), "label-0");
    list.step(isize::MAX, 2);
    list.keep_in_view(1);
    assert_eq!(first_in_view(&list, 1), "label-4");
}
