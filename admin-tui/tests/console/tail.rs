//! The audit log, which grows where its newest entry is.

use std::ops::Range;

use claviger_admin_tui::event::Input;
use claviger_admin_tui::kind::{Item, KINDS, Kind, Page};
use serde_json::json;

use super::harness::{Console, USUAL, page_at, pages};

#[test]
fn new_entries_come_in_on_top_until_somebody_scrolls() {
    let mut console = audit(95..100);
    assert_eq!(console.selected(), "entry 99");
    hear(&mut console, None, 97..103);
    assert_eq!(console.selected(), "entry 102", "the cursor stays on the first row");
    assert!(console.shows("1 of 8") && !console.shows("new (r)"));

    console.press("j j");
    hear(&mut console, None, 98..105);
    assert_eq!(console.selected(), "entry 100", "nothing moves under the cursor");
    assert!(console.shows("+2 new (r)"));
    hear(&mut console, None, 98..105);
    assert!(console.shows("+2 new (r)"), "each is counted once");

    console.press("home");
    hear(&mut console, None, 98..106);
    assert_eq!(console.selected(), "entry 105");
    assert!(!console.shows("new (r)"));
    let numbers: Vec<String> = names(&console);
    assert_eq!(numbers, (95..106).rev().map(|seq| format!("entry {seq}")).collect::<Vec<_>>());
}

#[test]
fn a_tail_that_fell_behind_begins_anew() {
    let mut console = audit(0..100);
    hear(&mut console, None, 500..600);
    assert_eq!((console.selected().as_str(), names(&console).len()), ("entry 599", 100), "no gap is hidden");
    for from in (590..5_000).step_by(90) {
        hear(&mut console, None, from..from + 100);
    }
    assert_eq!(console.selected(), "entry 5009");
    let seen = names(&console);
    assert!(seen.len() <= 4_000, "so much is held and no more");
    assert_eq!(seen, (5_010 - seen.len()..5_010).rev().map(|seq| format!("entry {seq}")).collect::<Vec<_>>());
}

#[test]
fn a_sorted_tail_announces() {
    let mut console = audit(0..5);
    console.press("s home");
    hear(&mut console, None, 0..6);
    assert!(console.shows("+1 new (r)"));
}

#[test]
fn on_the_way_back_no_gap_is_hidden() {
    let mut console = audit(9_900..10_000);
    for end in (5_700..=9_900).rev().step_by(100) {
        console.press("end");
        hear(&mut console, Some(end), end - 100..end);
    }
    let asked = console.press("home");
    assert!(!asked.is_empty());
    let mut end: u64 = pages(&asked)[0].1.unwrap().parse().unwrap();
    while end < 9_900 {
        hear(&mut console, Some(end), end - 100..end);
        console.press("home");
        end += 100;
    }
    hear(&mut console, Some(end), end - 100..end);
    console.press("home");
    let (first, held) = (console.selected(), names(&console).len());
    hear(&mut console, None, 10_400..10_500);
    assert_eq!((console.selected(), names(&console).len()), (first, held));
    assert!(console.shows("+100 new (r)"));
    hear(&mut console, None, 10_401..10_501);
    assert_eq!(console.selected(), "entry 10500", "the first row follows again");
}

#[test]
fn what_passed_a_filter_stays_though_nothing_new_does() {
    let mut console = audit(10..20);
    for _ in 0..50 {
        console.wait(15_000);
        console.tell(Input::Tick);
        console.hear(page_at(&console.state, None, Page { items: Vec::new(), next: Some("21000".to_owned()) }));
    }
    assert_eq!((console.selected().as_str(), names(&console).len()), ("entry 19", 10));
    hear(&mut console, Some(10), 0..10);
    assert_eq!(names(&console).len(), 20, "and goes on");
}

#[test]
fn nothing_can_be_done_to_a_row_that_may_be_another_in_a_moment() {
    let tails: Vec<Kind> = KINDS.iter().copied().filter(|kind| kind.shape().tail).collect();
    assert_eq!(tails, [Kind::History, Kind::Audit]);
    assert!(tails.iter().all(|kind| kind.shape().acts.is_empty()));
}

/// The audit screen with entries of these numbers.
fn audit(numbers: Range<u64>) -> Console {
    let mut console = Console::watching(USUAL);
    console.press(":");
    console.write("audit");
    assert_eq!(pages(&console.press("enter")), [(Kind::Audit, None, "")]);
    hear(&mut console, None, numbers);
    console
}

/// The server's answer: the newest first.
fn hear(console: &mut Console, before: Option<u64>, numbers: Range<u64>) {
    let next = (numbers.start > 0).then(|| numbers.start.to_string().as_str().into());
    let page = Page { items: numbers.rev().map(entry).collect(), next };
    console.hear(page_at(&console.state, before.map(|seq| seq.to_string()).as_deref(), page));
}

fn names(console: &Console) -> Vec<String> {
    let list = &console.state.view().unwrap().list;
    list.view(usize::MAX).map(|(_, item)| item.name.to_string()).collect()
}

fn entry(seq: u64) -> Item {
    let entry = json!({"v": 1, "writer": "w1", "seq": seq, "at": "2026-11-22T08:00:00.000Z", "tenant": "",
        "tenant_seq": 0, "user_kind": "system", "user_id": "", "action": "probe", "resource_type": "", "resource_id": "",
        "ip_address": "", "outcome": "allowed", "rule": "", "request_id": "", "intent": null, "detail": {},
        "personal": null, "salt": "00"});
    let page = json!({"data": [entry]}).to_string();
    (Kind::Audit.shape().read)(page.as_bytes()).unwrap().items.remove(0)
}
