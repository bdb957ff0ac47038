//! Whatever comes in whatever order: nothing is disrupted but by a confirmation.
#![expect(clippy::wildcard_enum_match_arm, reason = "steps are many, and each function is about few of them")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use claviger_admin_tui::event::{Answer, Failure, Input, Key, Moment, Push, Size};
use claviger_admin_tui::keymap::Danger;
use claviger_admin_tui::kind::{Act, Cell, Deed, Item, KINDS, Kind, Page, Reason};
use claviger_admin_tui::state::dialog::Slot;
use claviger_admin_tui::state::{Confirmed, Dialog, Link, Look, Outcome, Planned, Stage, State};
use crossterm::event::Event as Raw;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::harness::{Console, USUAL, acts, key_event, page_at, readiness, refused};

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Key(Key),
    /// A key by somebody who looks first.
    Meant(Key),
    Text(String),
    /// What the dialog wants to be typed, by somebody who reads it.
    Name,
    Paste(String),
    Resize(u16, u16),
    Wait(u64),
    Drawn,
    Tick,
    Status(Option<bool>),
    Things(Vec<(u64, &'static str)>),
    One(u64, Option<&'static str>),
    Before(bool),
    Act(bool),
    Proof,
    Push(&'static str),
    Show(Kind),
    LoggedOut,
    LoggedIn,
}

const STATES: &[&str] = &["active", "frozen", "waiting", "revoked", "open"];
const KEYS: &[&str] = &[
    "y",
    "n",
    "q",
    "enter",
    "esc",
    "tab",
    "backspace",
    "up",
    "down",
    "left",
    "right",
    "j",
    "k",
    "pgdn",
    "end",
    "/",
    ":",
    "r",
    "L",
    "?",
    "^u",
    "^l",
    "^c",
    "s",
    "S",
    "space",
    "*",
    "c",
    "1",
    "2",
    "Y",
    "X",
    "f",
];

fn any_key() -> impl Strategy<Value = Key> {
    let acts: Vec<Key> = KINDS.iter().flat_map(|kind| kind.shape().acts).map(|act| act.key).collect();
    prop_oneof![2 => select(KEYS).prop_map(named), 1 => select(acts), 1 => Just(Key::Char('y'))]
}

fn named(name: &str) -> Key {
    let mut console = Console::watching(USUAL);
    let read = console.secrets.read(&console.state, Raw::Key(key_event(name)));
    match read {
        Some(Input::Key(key)) => key,
        other => panic!("{name} is no key: {other:?}"),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let state = || select(STATES);
    prop_oneof![
        20 => any_key().prop_map(Step::Key),
        3 => "[ -~]{1,14}".prop_map(Step::Text),
        1 => Just(Step::Name),
        2 => "[Fy\n \u{1b}]{1,12}".prop_map(Step::Paste),
        1 => (40_u16..170, 10_u16..52).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        10 => (0_u64..600).prop_map(Step::Wait),
        1 => (600_u64..20_000).prop_map(Step::Wait),
        14 => Just(Step::Drawn),
        2 => Just(Step::Tick),
        3 => prop::option::of(any::<bool>()).prop_map(Step::Status),
        3 => vec((0_u64..6, state()), 0..5).prop_map(Step::Things),
        2 => (0_u64..6, prop::option::of(state())).prop_map(|(number, state)| Step::One(number, state)),
        4 => any::<bool>().prop_map(Step::Before),
        2 => any::<bool>().prop_map(Step::Act),
        1 => Just(Step::Proof),
        3 => select(&["credential", "incident", "approval", ""]).prop_map(Step::Push),
        1 => select(KINDS).prop_map(Step::Show),
        1 => Just(Step::LoggedOut),
        2 => Just(Step::LoggedIn),
    ]
}

/// The way of an act from beginning to end, of which any step may be missing: nearly right is what has to be refused.
fn ceremony() -> impl Strategy<Value = Vec<Step>> {
    let every: Vec<(Kind, Key)> =
        KINDS.iter().flat_map(|kind| kind.shape().acts.iter().map(|act| (*kind, act.key))).collect();
    let way = (select(every), "[a-z]{8,14}").prop_map(|((kind, key), reason)| {
        let things = (1..6).map(|number| (number, "frozen")).collect();
        let before =
            [Step::LoggedIn, Step::Show(kind), Step::Status(Some(true)), Step::Things(things), Step::Meant(key)];
        let typed = (0..4).flat_map(move |_| {
            [
                Step::Drawn,
                Step::Wait(300),
                Step::Text(reason.clone()),
                Step::Meant(Key::Enter),
                Step::Name,
                Step::Meant(Key::Enter),
            ]
        });
        before
            .into_iter()
            .chain([Step::Before(true)])
            .chain(typed)
            .chain([Step::Meant(Key::Char('y'))])
            .collect::<Vec<_>>()
    });
    way.prop_flat_map(|steps| {
        let kept = vec(prop::bool::weighted(0.97), steps.len());
        kept.prop_map(move |kept| {
            steps.iter().zip(kept).filter(|(_, kept)| *kept).map(|(step, _)| step.clone()).collect()
        })
    })
}

fn storm(gusts: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let gust = prop_oneof![20 => step().prop_map(|step| vec![step]), 1 => ceremony()];
    vec(gust, gusts).prop_map(|gusts| gusts.concat())
}

/// What the test itself has seen of the dialog, so that it need not believe the console.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    kind: Kind,
    deed: Deed,
    ids: Vec<String>,
    ticket: u64,
    asks: bool,
    drawn_at: Option<Moment>,
    /// What was typed since this very dialog opened.
    typed: String,
}

impl Seen {
    /// The dialog goes on being watched while it shows the same question.
    fn watch(before: Option<Self>, dialog: Option<&Dialog>) -> Option<Self> {
        let dialog = dialog?;
        let cause = dialog.cause();
        let asks = *dialog.stage() == Stage::Confirm;
        let typed = before.as_ref().filter(|seen| seen.ticket == dialog.ticket()).map(|seen| seen.typed.clone());
        let now = Self {
            kind: cause.kind,
            deed: cause.deed,
            ids: cause.victims.iter().map(|item| item.id.as_str().to_owned()).collect(),
            ticket: dialog.ticket(),
            asks,
            drawn_at: None,
            typed: typed.unwrap_or_default(),
        };
        let same = before.filter(|seen| (seen.ticket, seen.asks) == (now.ticket, now.asks));
        Some(Self { drawn_at: same.and_then(|seen| seen.drawn_at), ..now })
    }

    /// Whether every character of `text` was typed in this dialog, as often as it is there. In which order is not asked: a
    /// cursor moves, and what was wrong is typed over.
    fn has_typed(&self, text: &str) -> bool {
        let mut left: Vec<char> = self.typed.chars().collect();
        text.chars().filter(|c| !c.is_whitespace()).all(|c| {
            let found = left.iter().position(|typed| *typed == c);
            found.map(|at| left.swap_remove(at)).is_some()
        })
    }
}

fn act_of(confirmed: &Confirmed) -> &'static Act {
    let acts = confirmed.kind().shape().acts;
    acts.iter().find(|act| act.deed == confirmed.deed()).unwrap()
}

fn judge(before: &State, seen: Option<&Seen>, at: Moment, input: &Input, confirmed: &Confirmed) {
    let act = act_of(confirmed);
    if act.danger == Danger::D0 && act.questions.is_empty() && act.reason != Reason::Asked {
        return;
    }
    let seen = seen.unwrap_or_else(|| panic!("{confirmed:?} without a dialog"));
    assert_eq!(*input, Input::Key(Key::Char('y')), "{input:?} confirmed");
    assert!(seen.asks, "the dialog did not ask");
    let ids: Vec<String> = confirmed.targets().iter().map(|item| item.id.as_str().to_owned()).collect();
    assert_eq!((seen.kind, seen.deed, &seen.ids), (confirmed.kind(), confirmed.deed(), &ids));
    let drawn = seen.drawn_at.unwrap_or_else(|| panic!("it was never drawn"));
    assert!(at.since(drawn.steady_ms) >= 250, "a key that was typed ahead");
    assert!(!before.read_only || act.danger == Danger::D0);
    assert!(!before.is_too_small() && before.login.is_none());
    if act.reason == Reason::Asked {
        let reason = confirmed.reason().unwrap_or_default();
        assert!(reason.trim().chars().count() >= 10, "{reason:?} is no reason");
        assert!(seen.has_typed(reason), "{reason:?} was not typed here");
    }
    if act.danger >= Danger::D2 {
        let mut then = before.clone();
        then.now = at;
        assert_eq!(then.link(), Link::Live);
        if ids.len() > 1 {
            assert!(seen.typed.contains(&ids.len().to_string()));
        }
    }
    if act.danger == Danger::D3 {
        let name = confirmed.name().unwrap_or_else(|| panic!("without a name"));
        assert!(!name.is_empty() && seen.has_typed(name), "{name:?} was not typed in this dialog");
    }
}

fn thing(kind: Kind, number: u64, state: &str) -> Item {
    let cells = kind.shape().facts.iter().map(|_| Cell::plain("text"));
    Item::new(&format!("thing_{number}"), &format!("anna-{number}"), state).unwrap().with(cells)
}

fn answer(console: &Console, step: &Step) -> Option<Answer> {
    let (kind, view) = console.state.view().map(|view| (view.kind, view.number))?;
    let ticket = console.state.dialog.as_ref().map_or(0, Dialog::ticket);
    Some(match step {
        Step::Status(None) => Answer::Status(Err(Failure::NotSent("refused".into()))),
        Step::Status(Some(well)) => Answer::Status(Ok(readiness(*well))),
        Step::Things(things) => {
            let items = things.iter().map(|(number, state)| thing(kind, *number, state)).collect();
            page_at(&console.state, None, Page { items, next: Some("more".to_owned()) })
        }
        Step::One(number, state) => {
            let one = thing(kind, *number, state.unwrap_or("active"));
            let result = state.map_or(Err(refused(404, "not there")), |_| Ok(Box::new(one.clone())));
            Answer::One { view, id: one.id, result }
        }
        Step::Before(good) => {
            let planned =
                Planned { name: "anna-the-first".to_owned(), etag: Some("\"7\"".to_owned()), ..<_>::default() };
            Answer::Before { ticket, result: if *good { Ok(planned) } else { Err(refused(409, "no")) } }
        }
        Step::Act(good) => {
            Answer::Act { ticket, result: if *good { Ok(Outcome::default()) } else { Err(refused(409, "no")) } }
        }
        Step::Proof => Answer::Proof { ticket, text: None },
        Step::Push(name) => Answer::Push(Push::Changed((*name).into())),
        Step::LoggedOut => Answer::Status(Err(refused(401, "expired"))),
        Step::LoggedIn => Answer::Login(Ok("ada".into())),
        _ => return None,
    })
}

/// What the terminal and the server would report of `step`, one after the other.
fn inputs(console: &mut Console, step: &Step) -> Vec<Input> {
    let press = |key: Key| {
        let code = match key {
            Key::Char(' ') => "space".to_owned(),
            Key::Char(c) => c.to_string(),
            Key::Ctrl(c) => format!("^{c}"),
            other => claviger_admin_tui::keymap::name(other),
        };
        Raw::Key(key_event(&code))
    };
    let raws: Vec<Raw> = match step {
        Step::Key(key) | Step::Meant(key) => vec![press(*key)],
        Step::Text(text) => text.chars().map(|c| press(Key::Char(c))).collect(),
        Step::Name => wanted(&console.state).chars().map(|c| press(Key::Char(c))).collect(),
        Step::Paste(text) => vec![Raw::Paste(text.clone())],
        Step::Resize(columns, rows) => return vec![Input::Resize(Size { columns: *columns, rows: *rows })],
        Step::Tick => return vec![Input::Tick],
        step => return answer(console, step).map(Input::Answer).into_iter().collect(),
    };
    raws.into_iter().filter_map(|raw| console.secrets.read(&console.state, raw)).collect()
}

/// What the field with the focus wants to be typed letter for letter.
fn wanted(state: &State) -> String {
    let form = state.dialog.as_ref().map(|dialog| &dialog.form);
    match form.and_then(|form| form.slots().get(form.focus())) {
        Some(Slot::Name(name, _)) => name.clone(),
        _ => String::new(),
    }
}

/// Goes through a storm; says which acts it confirmed.
fn weather(steps: &[Step], read_only: bool) -> Vec<Danger> {
    let mut console = Console::with(USUAL, Look::default(), read_only).watch();
    let (mut seen, mut done): (Option<Seen>, Vec<Danger>) = (None, Vec::new());
    for step in steps {
        match step {
            Step::Wait(ms) => console.wait(*ms),
            Step::Meant(_) => {
                draw(&mut console, &mut seen);
                console.wait(300);
            }
            // Going there by the palette is a test of its own.
            Step::Show(kind) if console.state.dialog.is_none() && console.state.login.is_none() => {
                let number = console.state.view_number + 1;
                let scope = console.state.views[0].scope.clone();
                console.state.view_number = number;
                console.state.over = None;
                console.state.views = vec![claviger_admin_tui::state::View::new(number, *kind, scope)];
                console.tell_undrawn(Input::Tick);
            }
            _ => {}
        }
        for input in inputs(&mut console, step) {
            let before = console.state.clone();
            if let (Some(seen), Input::Key(Key::Char(c))) = (&mut seen, &input) {
                seen.typed.push(*c);
            }
            if let (Some(seen), Input::Paste(text)) = (&mut seen, &input) {
                seen.typed.push_str(&text.replace(char::is_whitespace, " "));
            }
            let actions = console.tell_undrawn(input.clone());
            for (_, confirmed) in acts(&actions) {
                judge(&before, seen.as_ref(), console.now(), &input, confirmed);
                done.push(act_of(confirmed).danger);
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
    let hidden = console.state.is_too_small() || console.state.login.is_some();
    if let Some(seen) = seen.as_mut() {
        if hidden {
            seen.drawn_at = None;
        } else {
            seen.drawn_at.get_or_insert(console.now());
        }
    }
}

fn blow(cases: u32, gusts: std::ops::Range<usize>) -> BTreeMap<&'static str, usize> {
    let done = RefCell::new(Vec::new());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&(storm(gusts), prop::bool::weighted(0.1)), |(steps, read_only)| {
        done.borrow_mut().extend(weather(&steps, read_only));
        Ok(())
    });
    assert!(ran.is_ok(), "{}", ran.unwrap_err());
    let mut counts = BTreeMap::new();
    for danger in done.borrow().iter() {
        let name = match danger {
            Danger::D0 => "D0",
            Danger::D1 => "D1",
            Danger::D2 => "D2",
            Danger::D3 => "D3",
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn no_storm_of_keys_acts_without_a_confirmation() {
    let counts = blow(192, 1..300);
    assert!(
        ["D1", "D2", "D3"].iter().all(|danger| counts.contains_key(danger)),
        "the storms were too tame: {counts:?}"
    );
}

#[test]
fn nor_does_one_of_ten_thousand_keys() {
    blow(3, 10_000..10_001);
}
