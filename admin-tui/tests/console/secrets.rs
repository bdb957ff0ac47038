//! The state and the events hold no secret, and the state can be written down and read back.

use claviger_admin_tui::app;
use claviger_admin_tui::event::{Answer, Size};
use claviger_admin_tui::kind::Kind;
use claviger_admin_tui::state::{Look, State};

use super::harness::{Console, USUAL, page, refused, status, usual};

const PASSWORD: &str = "hunter2-Tr0ub4dor&3";

/// Types a password in every way, is refused, and types it again.
fn after_a_login() -> Console {
    let mut console = Console::new(USUAL);
    console.write("ada");
    console.press("tab");
    console.write(PASSWORD);
    console.press("tab tab tab backspace ^u");
    console.paste(PASSWORD);
    console.press("enter");
    console.write(PASSWORD);
    console.paste(PASSWORD);
    console.hear(Answer::Login(Err(refused(401, "wrong"))));
    console.write(PASSWORD);
    console.tell(claviger_admin_tui::event::Input::Resize(Size { columns: 10, rows: 3 }));
    console.write(PASSWORD);
    console.tell(claviger_admin_tui::event::Input::Resize(USUAL));
    console
}

#[test]
fn a_password_is_in_no_state_event_or_picture() {
    let console = after_a_login();
    let state = serde_json::to_string(&console.state).unwrap();
    let events = serde_json::to_string(&console.events).unwrap();
    let picture = console.picture();
    for text in [&state, &events, &picture, &format!("{:?}{:?}", console.state, console.secrets)] {
        assert!(!text.contains(PASSWORD));
    }
    // Not as single keys either: after the name, no character of it is an event.
    let letters = events.matches("\"Char\"").count();
    assert_eq!(letters, "ada".len());
}

#[test]
fn the_picture_does_not_tell_how_long_a_password_is() {
    let picture = |password: &str| {
        let mut console = Console::new(USUAL);
        console.write("ada");
        console.press("tab");
        console.write(password);
        (console.picture(), serde_json::to_string(&console.state).unwrap())
    };
    assert_eq!(picture("x"), picture(&"x".repeat(300)));
    assert_ne!(picture(""), picture("x"));
}

#[test]
fn a_state_is_read_back_as_it_was() {
    let mut console = Console::watching(USUAL);
    console.press("j F y L ?");
    let written = serde_json::to_string(&console.state).unwrap();
    let read: State = serde_json::from_str(&written).unwrap();
    assert_eq!(read, console.state);
}

#[test]
fn the_same_events_make_the_same_state() {
    let mut console = Console::new(USUAL);
    console.write("ada");
    console.press("tab");
    console.write(PASSWORD);
    console.press("enter");
    console.hear(Answer::Login(Ok("ada".into())));
    console.hear(status(true));
    console.hear(page(&console.state, usual()));
    console.press("j enter F y");
    let mut replayed = State::new("default", Look::default(), false, USUAL);
    app::start(&mut replayed, None, false, Kind::Credentials);
    for event in console.events {
        drop(app::update(&mut replayed, event));
    }
    assert_eq!(replayed, console.state);
}
