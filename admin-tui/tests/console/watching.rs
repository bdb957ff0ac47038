//! Logging in, looking, and leaving.

use claviger_admin_tui::action::{Action, Ask};
use claviger_admin_tui::app::start;
use claviger_admin_tui::event::{Answer, Browser, Failure, Input, Push, Size};
use claviger_admin_tui::kind::{Kind, Page};
use claviger_admin_tui::secrets::Slot;

use super::harness::{Console, USUAL, page, page_at, pages, refused, row, status, usual};

#[test]
fn a_login_starts_the_watch() {
    let mut console = Console::new(USUAL);
    console.write("ada");
    assert_eq!(console.press("enter"), [], "after the name comes the password");
    console.write("correct horse");
    assert_eq!(console.press("enter"), [Action::Ask(Ask::Login { operator: "ada".to_owned() })]);
    assert_eq!(console.secrets.copy(Slot::Password).as_str(), "correct horse");
    assert_eq!(console.press("enter"), [], "once at a time");
    let actions = console.hear(Answer::Login(Ok("ada".into())));
    assert_eq!(actions[0], Action::Ask(Ask::Status));
    assert_eq!(pages(&actions), [(Kind::Credentials, None, "")]);
}

#[test]
fn a_refused_login_shows_what_the_server_says() {
    let mut console = Console::new(USUAL);
    console.write("ada");
    console.press("enter");
    console.write("wrong");
    console.press("enter");
    console.hear(Answer::Login(Err(refused(401, "name or password is wrong"))));
    assert!(console.shows("name or password is wrong") && console.shows("ada"));
    assert_eq!(console.press("enter"), [], "the password is gone and has to be typed again");
}

#[test]
fn a_login_that_ends_brings_back_the_form_once() {
    let mut console = Console::watching(USUAL);
    console.press("enter F");
    console.hear(Answer::Status(Err(refused(401, "expired"))));
    assert!(console.shows("this login has ended") && console.shows("ada") && !console.shows("FREEZE"));
    console.write("y");
    assert!(!console.state.login.as_ref().unwrap().password, "that was meant for what was there before");
    console.wait(1_000);
    console.tell(Input::Tick);
    console.write("pass");
    console.hear(Answer::Status(Err(refused(401, "expired"))));
    assert!(console.state.login.as_ref().unwrap().password, "late answers do not disturb");
    assert_eq!(console.tell(Input::Tick), [], "without a login, nothing is asked");
    console.press("enter");
    console.hear(Answer::Login(Ok("ada".into())));
    assert!(console.shows("FREEZE"), "what was begun is still there");
    assert_eq!(console.write("y"), [], "and was only just seen again");
}

#[test]
fn the_status_is_polled_and_the_list_refreshed() {
    let mut console = Console::watching(USUAL);
    console.wait(2_000);
    assert_eq!(console.tell(Input::Tick), [Action::Ask(Ask::Status)]);
    console.wait(3_000);
    assert_eq!(pages(&console.tell(Input::Tick)), [(Kind::Credentials, None, "")]);
    assert_eq!(console.tell(Input::Tick), [], "not while answers are awaited");
}

#[test]
fn the_header_is_honest() {
    let mut console = Console::watching(USUAL);
    assert!(console.shows("store ok  token ok  LIVE"));
    console.hear(status(false));
    assert!(console.shows("token RED") && console.shows("token: the token does not answer: start it"));
    console.wait(30_000);
    console.hear(Answer::Status(Err(Failure::NotSent("connection refused".into()))));
    assert!(console.shows("OFFLINE"));
}

#[test]
fn pages_come_when_somebody_goes_there() {
    let mut console = Console::watching(USUAL);
    let rows =
        |from: u64| (from..from + 100).map(|n| row(n, &format!("label-{n}"), "binance", "active", "ok")).collect();
    console.press("r");
    let next = |cursor: &str| Some(cursor.to_owned());
    assert_eq!(console.hear(page_at(&console.state, None, Page { items: rows(0), next: next("100") })), []);
    assert!(console.shows("2 of 100+"), "the cursor stays on its row");
    assert_eq!(console.press("j j pgdn"), []);
    assert_eq!(pages(&console.press("end")), [(Kind::Credentials, Some("100"), "")]);
    // However far one goes, so much is held and no more; what was let go of comes back on the way back.
    for from in (100..8_000).step_by(100) {
        let (cursor, next) = (from.to_string(), next(&(from + 100).to_string()));
        console.hear(page_at(&console.state, Some(&cursor), Page { items: rows(from), next }));
        console.press("end");
    }
    let list = &console.state.view().unwrap().list;
    assert!(list.counts().0 <= 4_100 && list.passed() == 8_000 && console.selected() == "label-7999");
    assert!(console.shows("8000 of 8000+"));
    let asked = console.press("home");
    let first = console.selected();
    assert_eq!(pages(&asked).len(), 1);
    let cursor = pages(&asked)[0].1.unwrap().to_owned();
    let from: u64 = cursor.parse().unwrap();
    console.hear(page_at(&console.state, Some(&cursor), Page { items: rows(from), next: None }));
    assert_eq!(console.selected(), first, "what comes above moves nothing");
    console.press("up");
    assert_eq!(console.selected(), format!("label-{}", from + 99));
}

#[test]
fn the_row_under_the_cursor_stays_when_others_come() {
    let mut console = Console::watching(USUAL);
    console.press("j j");
    let before = console.picture();
    let mut rows = usual();
    rows.insert(0, row(8, "newcomer", "kraken", "active", "ok"));
    console.hear(page(&console.state, rows));
    assert!(console.shows("+1 new (r)"));
    let line = |picture: &str| picture.lines().position(|line| line.contains("desk-7"));
    assert_eq!(line(&console.picture()), line(&before));
    assert_eq!(console.selected(), "desk-7");
}

#[test]
fn a_filter_of_credentials_is_the_server_s() {
    let mut console = Console::watching(USUAL);
    console.press("/");
    let asked = console.write("ANNA");
    assert_eq!(pages(&asked), [(Kind::Credentials, None, "q=A")], "one search at a time");
    console.wait(500);
    assert_eq!(pages(&console.tell(Input::Tick)), [], "not at a tick either");
    let asked = console.hear(page(&console.state, usual()));
    assert_eq!(pages(&asked), [(Kind::Credentials, None, "q=ANNA")]);
    console.hear(page(&console.state, usual()[..2].to_vec()));
    assert!(console.shows("/ANNA") && console.shows("1 of 2"));
    console.press("enter j");
    assert_eq!(console.selected(), "anna-hedge");
    let asked = console.press("/ esc");
    assert_eq!(pages(&asked), [(Kind::Credentials, None, "")]);
}

#[test]
fn the_palette_goes_anywhere_and_back_is_back() {
    let mut console = Console::watching(USUAL);
    console.press(":");
    console.write("inc");
    assert!(console.shows(":inc") && console.shows("incidents"));
    let asked = console.press("enter");
    assert_eq!(pages(&asked), [(Kind::Incidents, None, "")]);
    assert!(console.shows("claviger ▸ default ▸ incidents"));
    console.press(":");
    console.write("no-such-thing");
    assert_eq!(console.press("enter"), []);
    assert!(console.shows("nothing is called so"));
    console.press("^u");
    console.write("cred /frozen");
    assert_eq!(pages(&console.press("enter")), [(Kind::Credentials, None, "q=frozen")]);
}

#[test]
fn parts_hang_on_what_is_looked_at() {
    let mut console = Console::watching(USUAL);
    console.press("j enter");
    let part = Kind::Credentials.shape().parts.first().copied().expect("credentials have parts");
    let asked = console.press("1");
    let [Action::Ask(Ask::Page { kind, scope, .. })] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((*kind, scope.way.as_slice()), (part, &[usual()[1].id.clone()][..]));
    assert!(console.shows("anna-hedge"), "the way is shown");
    console.press("esc esc");
    assert_eq!(console.selected(), "anna-hedge", "and is the way back");
}

#[test]
fn an_answer_for_what_was_left_changes_nothing() {
    let mut console = Console::watching(USUAL);
    let late = page(&console.state, vec![row(7, "late", "kraken", "active", "ok")]);
    console.press(":");
    console.write("incidents");
    console.press("enter");
    console.hear(late);
    assert!(!console.shows("late"));
}

#[test]
fn rows_are_sorted_by_any_column() {
    let mut console = Console::watching(USUAL);
    console.press("s");
    assert!(console.shows("by label") && console.shows("LABEL*"));
    assert_eq!(console.selected(), "anna-main", "the cursor stays on its row");
    console.press("home");
    assert_eq!(console.selected(), "a label that is longer than its column");
    console.press("S home");
    assert_eq!(console.selected(), "old-laptop");
}

#[test]
fn what_is_copied_is_the_id() {
    let mut console = Console::watching(USUAL);
    let [Action::Copy(text)] = &console.press("j c")[..] else { panic!("nothing was copied") };
    assert_eq!(text.as_str(), usual()[1].id.as_str());
}

#[test]
fn escape_goes_back_and_q_leaves() {
    let mut console = Console::watching(USUAL);
    console.press("enter ? esc esc");
    assert!(console.state.over.is_none() && console.state.view().unwrap().close.is_none());
    assert_eq!(console.press("esc"), [], "escape never ends the console");
    console.press("L");
    assert_eq!(console.press("q"), []);
    assert_eq!(console.press("q"), [Action::Quit]);
}

#[test]
fn control_c_twice_ends_the_console_from_anywhere() {
    for keys in ["F", "^x", "/", "?", "enter"] {
        let mut console = Console::watching(USUAL);
        console.press(keys);
        assert_eq!(console.press("^c"), []);
        assert!(console.shows("once more"));
        console.wait(3_000);
        assert_eq!(console.press("^c"), [], "that was too slow");
        assert_eq!(console.press("^c"), [Action::Quit]);
    }
}

#[test]
fn a_terminal_too_small_says_so_and_takes_no_keys() {
    let mut console = Console::watching(USUAL);
    console.press("F");
    console.tell(Input::Resize(Size { columns: 59, rows: 20 }));
    assert_eq!(console.picture().trim_end(), "need 60x20, have 59x20");
    assert_eq!(console.press("y"), []);
    console.tell(Input::Resize(USUAL));
    assert!(console.shows("FREEZE credential"));
}

#[test]
fn the_help_is_the_key_table() {
    let mut console = Console::watching(USUAL);
    console.press("?");
    assert!(console.shows("F") && console.shows("freezes it: nothing is signed") && console.shows("(D1)"));
    assert!(!console.shows("goes to the field before"), "that counts elsewhere");
    console.press("end");
    assert!(console.shows("ends the console when pressed twice"));
    assert_eq!(console.press("F"), [], "in the help, keys are looked up and not obeyed");
    assert_eq!(console.state.dialog, None);
}

#[test]
fn a_list_that_could_not_be_read_is_not_live() {
    let mut console = Console::watching(USUAL);
    assert!(console.shows("LIVE"));
    console.press("r");
    let Answer::Page { view, wanted, .. } = page(&console.state, Vec::new()) else { unreachable!() };
    console.hear(Answer::Page { view, wanted, result: Err(Failure::NotSent("refused".into())) });
    console.hear(status(true));
    assert!(!console.shows("LIVE"), "{}", console.picture());
    console.press("r");
    console.hear(page(&console.state, usual()));
    assert!(console.shows("LIVE"));
}

#[test]
fn a_closer_look_that_failed_once_is_live_again_with_the_next() {
    let mut console = Console::watching(USUAL);
    console.press("enter");
    let (view, item) = (console.state.view().unwrap().number, usual().remove(0));
    let id = item.id.clone();
    console.hear(Answer::One { view, id: id.clone(), result: Err(Failure::NotSent("refused".into())) });
    assert!(!console.shows("LIVE"), "{}", console.picture());
    console.hear(Answer::One { view, id, result: Ok(Box::new(item)) });
    assert!(console.shows("LIVE"), "{}", console.picture());
}

#[test]
fn another_operator_finds_nothing_of_the_one_before() {
    let mut console = Console::watching(USUAL);
    console.press("j enter ^x");
    console.hear(Answer::Status(Err(refused(401, "expired"))));
    console.hear(Answer::Login(Ok("bo".into())));
    assert!(console.state.dialog.is_none() && console.state.log.records.is_empty());
    assert!(!console.shows("anna") && console.state.views.len() == 1, "{}", console.picture());
}

#[test]
fn the_last_row_that_goes_is_seen_to_be_gone() {
    let mut console = Console::watching(USUAL);
    console.hear(page(&console.state, usual()[..4].to_vec()));
    assert!(console.state.view().unwrap().list.view(20).any(|(_, item)| item.gone), "{}", console.picture());
    console.hear(page(&console.state, Vec::new()));
    assert!(console.state.view().unwrap().list.view(20).all(|(_, item)| item.gone));
}

#[test]
fn a_search_that_failed_is_made_again() {
    let mut console = Console::watching(USUAL);
    console.press("/");
    console.write("m");
    let Answer::Page { view, wanted, .. } = page(&console.state, Vec::new()) else { unreachable!() };
    console.hear(Answer::Page { view, wanted, result: Err(Failure::NoAnswer("nothing within 5s".into())) });
    console.wait(500);
    assert_eq!(
        pages(&console.tell(Input::Tick)),
        [(Kind::Credentials, None, "q=m")],
        "what is shown is not what was sought"
    );
}

#[test]
fn rows_that_all_stand_before_those_held_are_announced() {
    let mut console = Console::watching(USUAL);
    let newest = |from: u64| {
        let items =
            (from..from + 100).rev().map(|n| row(n, &format!("label-{n}"), "binance", "active", "ok")).collect();
        Page { items, next: Some(from.to_string()) }
    };
    console.press("r");
    console.hear(page_at(&console.state, None, newest(1_000)));
    for (from, new) in [(1_500, 100), (1_900, 200), (1_900, 200)] {
        console.wait(5_000);
        console.tell(Input::Tick);
        console.hear(page_at(&console.state, None, newest(from)));
        assert!(console.shows(&format!("+{new} new (r)")), "{}", console.picture());
    }
    let list = &console.state.view().unwrap().list;
    assert!(list.view(usize::MAX).all(|(_, item)| !item.gone), "nothing says that they went");
    assert_eq!(list.counts(), (100, 100));
    let asked = console.press("end");
    assert_eq!(pages(&asked), [(Kind::Credentials, Some("1000"), "")], "it goes on where it ended");
}

#[test]
fn what_changed_meanwhile_is_asked_for_on_the_way_back() {
    let mut console = Console::watching(USUAL);
    console.hear(Answer::Push(Push::Open));
    let looked = console.press("enter");
    assert!(matches!(looked[..], [Action::Ask(Ask::One { .. })]), "{looked:?}");
    console.press("1");
    console.hear(page(&console.state, Vec::new()));
    console.hear(Answer::Push(Push::Changed("credential".into())));
    assert_eq!(pages(&console.tell(Input::Tick)), [], "of executions nothing was told");
    assert_eq!(console.press("esc"), looked, "what it was when it was left is old");
}

#[test]
fn nobody_is_logged_in_by_an_answer_that_was_called_off() {
    let mut console = Console::new(USUAL);
    console.write("ada");
    assert_eq!(console.press("esc"), [], "nothing was under way");
    console.press("enter");
    console.write("correct horse");
    console.press("enter");
    assert_eq!(console.press("esc"), [Action::Ask(Ask::NoLogin)]);
    let begun = console.press("^p");
    assert!(matches!(begun[..], [Action::Ask(Ask::Browser { .. })]));
    console.press("esc");
    let page = || Browser { url: "https://127.0.0.1/login".into(), code: "ABCD".into(), seconds: 600 };
    console.hear(Answer::Browser(Ok(page())));
    assert!(!console.shows("ABCD"), "{}", console.picture());

    console.press("^p");
    console.hear(Answer::Browser(Ok(page())));
    console.wait(1_000);
    assert!(matches!(console.tell(Input::Tick)[..], [Action::Ask(Ask::BrowserPoll { .. })]));
    console.press("esc ^p");
    console.hear(Answer::Browser(Ok(page())));
    console.wait(1_000);
    let again = console.tell(Input::Tick);
    assert!(matches!(again[..], [Action::Ask(Ask::BrowserPoll { .. })]), "the one before is not waited for: {again:?}");
}

#[test]
fn whoever_logs_in_after_a_login_of_unknown_making_begins_anew() {
    let mut console = Console::new(USUAL);
    start(&mut console.state, Some("bo"), true, Kind::Credentials);
    console.hear(status(true));
    console.hear(page(&console.state, usual()));
    console.press("F");
    console.hear(Answer::Status(Err(refused(401, "expired"))));
    console.hear(Answer::Login(Ok("bo".into())));
    assert!(console.state.dialog.is_none(), "whose dialog it was is not known");
}

#[test]
fn a_filter_that_nothing_passed_so_far_says_that_there_is_more() {
    let mut console = Console::watching(USUAL);
    console.press(":");
    console.write("audit /action:alarm");
    console.press("enter");
    let none = |next: &str| Page { items: Vec::new(), next: Some(next.to_owned()) };
    let mut asked = console.hear(page_at(&console.state, None, none("20000")));
    let mut count = 0;
    while let [(_, Some(cursor), _)] = pages(&asked)[..] {
        let (cursor, next) = (cursor.to_owned(), (count + 30_000).to_string());
        asked = console.hear(page_at(&console.state, Some(&cursor), none(&next)));
        count += 1;
    }
    assert_eq!(count, 40, "nobody is there to look at more");
    assert!(console.shows("so far"), "{}", console.picture());
    assert_eq!(pages(&console.press("j")).len(), 1, "going down looks further");
}

#[test]
fn what_a_search_found_stays_under_the_cursor_however_far_it_looks() {
    let mut console = Console::watching(USUAL);
    console.press(":");
    console.write("executions");
    console.press("enter");
    let label = |n: u64| if n == 3 { "needle".to_owned() } else { format!("label-{n}") };
    let rows = |from: u64| (from..from + 100).map(|n| row(n, &label(n), "binance", "active", "ok")).collect();
    let next = |from: u64| Some((from + 100).to_string());
    let mut asked = console.hear(page_at(&console.state, None, Page { items: rows(0), next: next(0) }));
    asked.extend(console.press("/"));
    for letter in ["n", "e", "e", "d", "l", "e"] {
        asked.extend(console.write(letter));
        while let [(_, Some(cursor), _), ..] = pages(&asked)[..] {
            let (cursor, from) = (cursor.to_owned(), cursor.parse().unwrap());
            asked = console.hear(page_at(&console.state, Some(&cursor), Page { items: rows(from), next: next(from) }));
        }
    }
    assert!(console.state.view().unwrap().list.passed() >= 3_900, "it looked far");
    assert_eq!(console.selected(), "needle");
    console.press("enter");
    assert!(!pages(&console.press("j")).is_empty(), "going down looks further");
}
