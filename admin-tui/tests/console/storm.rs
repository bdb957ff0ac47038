//! Whatever comes in whatever order: no act but a confirmed one.

use std::cell::RefCell;

use claviger_admin_tui::event::{Answer, Failure, Input, Key, Moment, Size};
use claviger_admin_tui::state::{Confirmed, Deed, Dialog, Link, Look, Outcome, Page, Reading, Stage, State};
use crossterm::event::Event as Raw;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::harness::{Console, USUAL, acts, key_event, load, readiness, refused, row};

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    /// A key by somebody who looks first.
    Meant(&'static str),
    Text(String),
    Paste(String),
    Resize(u16, u16),
    Wait(u64),
    Drawn,
    Tick,
    Status(Option<bool>),
    Page(Vec<(u64, &'static str)>),
    One(u64, Option<&'static str>),
    Act(u64, bool),
    LoggedOut,
    LoggedIn,
}

const STATES: &[&str] = &["active", "frozen", "reduce-only", "revoked", "pending"];
const KEYS: &[&str] = &[
    "F",
    "^x",
    "U",
    "y",
    "n",
    "q",
    "enter",
    "esc",
    "tab",
    "backspace",
    "up",
    "down",
    "j",
    "k",
    "pgdn",
    "end",
    "/",
    "r",
    "L",
    "?",
    "^u",
    "^l",
    "^c",
    "X",
    "f",
    "u",
    "x",
    "Y",
];

fn step() -> impl Strategy<Value = Step> {
    let state = || select(STATES);
    prop_oneof![
        12 => select(KEYS).prop_map(Step::Key),
        10 => select(&["F", "^x", "U", "y", "y", "enter"]).prop_map(Step::Key),
        3 => "[ -~]{1,14}".prop_map(Step::Text),
        2 => "[Fy\n \u{1b}]{1,12}".prop_map(Step::Paste),
        1 => (40_u16..130, 10_u16..45).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        10 => (0_u64..600).prop_map(Step::Wait),
        1 => (600_u64..20_000).prop_map(Step::Wait),
        14 => Just(Step::Drawn),
        2 => Just(Step::Tick),
        3 => prop::option::of(any::<bool>()).prop_map(Step::Status),
        3 => vec((0_u64..6, state()), 0..5).prop_map(Step::Page),
        4 => (0_u64..6, prop::option::of(state())).prop_map(|(number, state)| Step::One(number, state)),
        2 => (0_u64..4, any::<bool>()).prop_map(|(ticket, good)| Step::Act(ticket, good)),
        1 => Just(Step::LoggedOut),
        2 => Just(Step::LoggedIn),
    ]
}

/// The way of an act from beginning to end, of which any step may be missing: nearly right is what has to be refused.
fn ceremony() -> impl Strategy<Value = Vec<Step>> {
    let way = (select(&["F", "^x", "U"]), "[a-z]{8,14}").prop_map(|(deed, reason)| {
        let read = (0..6).map(|number| Step::One(number, Some("frozen")));
        let before = [Step::Status(Some(true)), Step::Page((1..6).map(|number| (number, "frozen")).collect())];
        let typed = [Step::Drawn, Step::Wait(300), Step::Text(reason), Step::Meant("enter"), Step::Meant("y")];
        before.into_iter().chain([Step::Meant(deed)]).chain(read).chain(typed).collect::<Vec<_>>()
    });
    way.prop_flat_map(|steps| {
        let kept = vec(prop::bool::weighted(0.95), steps.len());
        kept.prop_map(move |kept| {
            steps.iter().zip(kept).filter(|(_, kept)| *kept).map(|(step, _)| step.clone()).collect()
        })
    })
}

fn storm() -> impl Strategy<Value = Vec<Step>> {
    let gust = prop_oneof![20 => step().prop_map(|step| vec![step]), 1 => ceremony()];
    vec(gust, 1..300).prop_map(|gusts| gusts.concat())
}

/// What the test itself has seen of the dialog, so that it need not believe the console.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    deed: Deed,
    id: String,
    asks: bool,
    drawn_at: Option<Moment>,
}

impl Seen {
    /// The dialog goes on being watched while it shows the same question.
    fn watch(before: Option<Self>, dialog: Option<&Dialog>) -> Option<Self> {
        let dialog = dialog?;
        let asks = *dialog.stage() == Stage::Confirm;
        let now = Self { deed: dialog.deed(), id: dialog.victim().id.as_str().to_owned(), asks, drawn_at: None };
        let same = before.filter(|seen| (seen.deed, &seen.id, seen.asks) == (now.deed, &now.id, now.asks));
        Some(same.unwrap_or(now))
    }
}

fn judge(before: &State, seen: Option<&Seen>, at: Moment, step: &Step, confirmed: &Confirmed) {
    let seen = seen.unwrap_or_else(|| panic!("{confirmed:?} without a dialog"));
    assert!(matches!(step, Step::Key("y") | Step::Meant("y") | Step::Text(_)), "{step:?} confirmed");
    assert!(seen.asks, "the dialog did not ask");
    assert_eq!((seen.deed, seen.id.as_str()), (confirmed.deed(), confirmed.id().as_str()));
    let drawn = seen.drawn_at.unwrap_or_else(|| panic!("it was never drawn"));
    assert!(at.since(drawn.steady_ms) >= 250, "a key that was typed ahead");
    assert!(!before.read_only && !before.is_too_small() && before.login.is_none());
    if confirmed.deed() != Deed::Freeze {
        let mut then = before.clone();
        then.now = at;
        assert_eq!(then.link(), Link::Live);
        assert!(confirmed.reason().trim().chars().count() >= 10, "{:?} is no reason", confirmed.reason());
    }
    assert_eq!(confirmed.deed() == Deed::Unfreeze, confirmed.etag().is_some());
}

fn input(console: &Console, step: &Step) -> Option<Input> {
    let answer = match step {
        Step::Status(None) => Answer::Status(Err(Failure::NotSent("refused".into()))),
        Step::Status(Some(well)) => Answer::Status(Ok(readiness(*well))),
        Step::Page(rows) => {
            let rows = rows.iter().map(|(number, state)| row(*number, "label", "binance", state, "ok")).collect();
            Answer::Page {
                load: load(&console.state),
                cursor: None,
                result: Ok(Page { rows, next: Some("more".to_owned()) }),
            }
        }
        Step::One(number, state) => {
            let one = row(*number, "label", "binance", state.unwrap_or("active"), "ok");
            let failed = Err(refused(404, "not there"));
            let reading = Box::new(Reading { row: one.clone(), etag: Some("\"7\"".to_owned()), planned: None });
            let result = state.map_or(failed, |_| Ok(reading));
            Answer::One { id: one.id, result }
        }
        Step::Act(ticket, true) => Answer::Act { ticket: *ticket, result: Ok(Outcome::default()) },
        Step::Act(ticket, false) => Answer::Act { ticket: *ticket, result: Err(refused(409, "no")) },
        Step::LoggedOut => Answer::Status(Err(refused(401, "expired"))),
        Step::LoggedIn => Answer::Login(Ok("ada".into())),
        Step::Resize(columns, rows) => return Some(Input::Resize(Size { columns: *columns, rows: *rows })),
        Step::Tick => return Some(Input::Tick),
        Step::Key(_) | Step::Meant(_) | Step::Text(_) | Step::Paste(_) | Step::Wait(_) | Step::Drawn => return None,
    };
    Some(Input::Answer(answer))
}

/// What the terminal would report of `step`.
fn raw(step: &Step) -> Vec<Raw> {
    match step {
        Step::Key(name) | Step::Meant(name) => vec![Raw::Key(key_event(name))],
        Step::Text(text) => text.chars().map(|c| Raw::Key(key_event(c.encode_utf8(&mut [0; 4])))).collect(),
        Step::Paste(text) => vec![Raw::Paste(text.clone())],
        Step::Resize(..)
        | Step::Wait(_)
        | Step::Drawn
        | Step::Tick
        | Step::Status(_)
        | Step::Page(_)
        | Step::One(..)
        | Step::Act(..)
        | Step::LoggedOut
        | Step::LoggedIn => Vec::new(),
    }
}

/// Goes through a storm; says which acts it confirmed.
fn weather(steps: &[Step], read_only: bool) -> Vec<Deed> {
    let mut console = Console::with(USUAL, Look::default(), read_only).watch();
    let (mut seen, mut done) = (None, Vec::new());
    for step in steps {
        match step {
            Step::Wait(ms) => console.wait(*ms),
            Step::Meant(_) => {
                draw(&mut console, &mut seen);
                console.wait(300);
            }
            Step::Key(_)
            | Step::Text(_)
            | Step::Paste(_)
            | Step::Resize(..)
            | Step::Drawn
            | Step::Tick
            | Step::Status(_)
            | Step::Page(_)
            | Step::One(..)
            | Step::Act(..)
            | Step::LoggedOut
            | Step::LoggedIn => {}
        }
        let typed =
            raw(step).into_iter().filter_map(|raw| console.secrets.read(&console.state, raw)).collect::<Vec<_>>();
        for input in typed.into_iter().chain(input(&console, step)) {
            let before = console.state.clone();
            let is_confirm = matches!(input, Input::Key(Key::Char('y')));
            let actions = console.tell_undrawn(input);
            for (_, confirmed) in acts(&actions) {
                assert!(is_confirm, "{step:?}");
                judge(&before, seen.as_ref(), console.now(), step, confirmed);
                done.push(confirmed.deed());
            }
            seen = Seen::watch(seen, console.state.dialog.as_ref());
        }
        if matches!(step, Step::Drawn) {
            draw(&mut console, &mut seen);
        }
    }
    // However it ended: it can be drawn, written down and read back.
    assert!(!console.picture().is_empty());
    let written = serde_json::to_string(&console.state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&written).unwrap(), console.state);
    done
}

fn draw(console: &mut Console, seen: &mut Option<Seen>) {
    console.tell_undrawn(Input::Drawn);
    if let Some(seen) = seen.as_mut().filter(|_| !console.state.is_too_small()) {
        seen.drawn_at.get_or_insert(console.now());
    }
}

#[test]
fn no_storm_of_keys_acts_without_a_confirmation() {
    let done = RefCell::new(Vec::new());
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&(storm(), prop::bool::weighted(0.1)), |(steps, read_only)| {
        done.borrow_mut().extend(weather(&steps, read_only));
        Ok(())
    });
    assert!(ran.is_ok(), "{}", ran.unwrap_err());
    let count = |deed| done.borrow().iter().filter(|done| **done == deed).count();
    let counts = [Deed::Freeze, Deed::Revoke, Deed::Unfreeze].map(count);
    println!("acts that were confirmed in the storms: {counts:?}");
    assert!(counts.iter().all(|count| *count > 0), "the storms were too tame to show anything: {counts:?}");
}
