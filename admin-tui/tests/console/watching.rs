//! Logging in, looking, and leaving.

use claviger_admin_tui::action::{Action, Ask};
use claviger_admin_tui::event::{Answer, Failure, Input, Size};
use claviger_admin_tui::state::Page;

use super::harness::{Console, USUAL, load, page, refused, row, status, usual};

#[test]
fn a_login_starts_the_watch() {
    let mut console = Console::new(USUAL);
    console.write("ada");
    assert_eq!(console.press("enter"), [], "after the name comes the password");
    console.write("correct horse");
    assert_eq!(console.press("enter"), [Action::Ask(Ask::Login { operator: "ada".to_owned() })]);
    assert_eq!(console.secrets.take_password().as_str(), "correct horse");
    assert_eq!(console.press("enter"), [], "once at a time");
    let actions = console.hear(Answer::Login(Ok("ada".into())));
    assert_eq!(actions, [Action::Ask(Ask::Status), Action::Ask(Ask::Page { load: 1, cursor: None })]);
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
    assert!(console.shows("this login has ended") && console.shows("ada") && console.state.dialog.is_none());
    console.write("pass");
    console.hear(Answer::Status(Err(refused(401, "expired"))));
    assert!(console.state.login.as_ref().unwrap().typed, "late answers do not disturb");
    assert_eq!(console.tell(Input::Tick), [], "without a login, nothing is asked");
}

#[test]
fn the_status_is_polled_and_the_list_refreshed() {
    let mut console = Console::watching(USUAL);
    console.wait(2_000);
    assert_eq!(console.tell(Input::Tick), [Action::Ask(Ask::Status)]);
    console.wait(3_000);
    assert_eq!(console.tell(Input::Tick), [Action::Ask(Ask::Page { load: 1, cursor: None })]);
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
    let first: Vec<_> = (0..50).map(|n| row(n, &format!("label-{n}"), "binance", "active", "ok")).collect();
    console.press("r");
    let result = Ok(Page { rows: first, next: Some("fifty".to_owned()) });
    assert_eq!(console.hear(Answer::Page { load: load(&console.state), cursor: None, result }), []);
    assert!(console.shows("50 loaded, more below"));
    assert_eq!(console.press("j j pgdn"), []);
    let asked = Action::Ask(Ask::Page { load: 2, cursor: Some("fifty".to_owned()) });
    assert_eq!(console.press("end"), [asked]);
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
    assert_eq!(console.state.list.selected().unwrap().label.as_str(), "desk-7");
}

#[test]
fn a_filter_narrows_the_loaded_rows() {
    let mut console = Console::watching(USUAL);
    console.press("/");
    console.write("ANNA binance");
    assert!(console.shows("/ANNA binance") && console.shows("2 of 5 loaded"));
    console.press("enter j");
    assert_eq!(console.state.list.selected().unwrap().label.as_str(), "anna-hedge");
    console.press("/ esc");
    assert!(console.shows("5 loaded"));
    assert_eq!(console.state.list.selected().unwrap().label.as_str(), "anna-hedge");
}

#[test]
fn escape_goes_back_and_q_leaves() {
    let mut console = Console::watching(USUAL);
    console.press("enter ? esc esc");
    assert!(console.state.screens.is_empty());
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
    assert!(console.shows("F") && console.shows("freezes the credential") && console.shows("(D1)"));
    assert!(!console.shows("goes to the other field"), "that counts elsewhere");
    console.press("end");
    assert!(console.shows("ends the console when pressed twice"));
    assert_eq!(console.press("F"), [], "in the help, keys are looked up and not obeyed");
    assert_eq!(console.state.dialog, None);
}
