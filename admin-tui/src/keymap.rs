//! Every key is data: what it does, what it is called, how dangerous it is, and where it counts.
//!
//! The help screen and the command bar are made from this table, so neither can be wrong.

use serde::{Deserialize, Serialize};

use crate::event::Key::{
    self, BackTab, Backspace, Char, Ctrl, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up,
};
use crate::kind::{Act, Kind};
use crate::strings as s;

/// What a key means, once it is known where it was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the table below describes each")]
pub enum Cmd {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Back,
    Leave,
    Refresh,
    Filter,
    Palette,
    Complete,
    Sort,
    SortReverse,
    Mark,
    MarkAll,
    Copy,
    Log,
    Help,
    Confirm,
    Cancel,
    Submit,
    NextField,
    FieldBefore,
    ChoiceBefore,
    ChoiceNext,
    Passkey,
    Erase,
    EraseAll,
    Repaint,
    Suspend,
    Interrupt,
}

/// How dear a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Danger {
    /// Only looks.
    D0,
    /// Can be undone: one confirmation.
    D1,
    /// Disrupts: a plan, a reason, a confirmation.
    D2,
    /// Cannot be undone: the thing's own name is typed.
    D3,
}

/// Where keys go: never to two things at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// The login form.
    Login,
    /// A list.
    List,
    /// The filter under a list's header, while it is typed.
    Filter,
    /// One thing.
    Detail,
    /// The log of acts.
    Log,
    /// The help.
    Help,
    /// The palette.
    Palette,
    /// A dialog that asks for a reason, a name or something else to be typed.
    Form,
    /// A dialog that asks whether to do it.
    Confirm,
    /// A dialog that waits for the server.
    Waiting,
    /// A dialog that asks who is there.
    Proof,
    /// A dialog that shows what came of it.
    Result,
    /// A terminal too small to show what a key would do.
    TooSmall,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Login,
        Self::List,
        Self::Filter,
        Self::Detail,
        Self::Log,
        Self::Help,
        Self::Palette,
        Self::Form,
        Self::Confirm,
        Self::Waiting,
        Self::Proof,
        Self::Result,
        Self::TooSmall,
    ];

    /// Whether characters are text here.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Login | Self::Filter | Self::Palette | Self::Form | Self::Proof)
    }
}

/// A line of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys, the one to show first.
    pub keys: &'static [Key],
    /// What they mean.
    pub cmd: Cmd,
    /// One word for the command bar; empty to leave it out there.
    pub short: &'static str,
    /// What it does, for the help.
    pub what: &'static str,
    /// Where it counts.
    pub places: &'static [Place],
}

/// What a key stands for.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A line of the table.
    Cmd(Cmd),
    /// An act on what is looked at.
    Act(&'static Act),
    /// A part of the thing that is looked at.
    Part(Kind),
}

/// What `key` does in `place`, where things of `kind` are looked at.
pub fn lookup(place: Place, kind: Option<Kind>, key: Key) -> Option<Meaning> {
    let fixed = bindings(place).find(|binding| binding.keys.contains(&key));
    let fixed = fixed.map(|binding| Meaning::Cmd(binding.cmd));
    let act = || acts(place, kind).find(|act| act.key == key).map(Meaning::Act);
    let part = || parts(place, kind).find(|(own, _)| *own == key).map(|(_, part)| Meaning::Part(part));
    fixed.or_else(act).or_else(part)
}

/// A key and what it does, for the help and the command bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The keys, the one to show first.
    pub keys: Vec<Key>,
    /// One word for the command bar; empty to leave it out there.
    pub short: &'static str,
    /// What it does.
    pub what: &'static str,
    /// How dear a mistake is.
    pub danger: Danger,
}

/// What counts in `place`, where things of `kind` are looked at; with `read_only`, what only looks.
pub fn lines(place: Place, kind: Option<Kind>, read_only: bool) -> Vec<Line> {
    let fixed = |binding: &Binding| Line {
        keys: binding.keys.to_vec(),
        short: binding.short,
        what: binding.what,
        danger: Danger::D0,
    };
    let acts = acts(place, kind).filter(|act| !read_only || act.danger == Danger::D0).map(|act| Line {
        keys: vec![act.key],
        short: act.verb,
        what: act.what,
        danger: act.danger,
    });
    let parts = parts(place, kind).map(|(key, part)| Line {
        keys: vec![key],
        short: part.shape().name,
        what: part.shape().what,
        danger: Danger::D0,
    });
    // What leads everywhere stands first: a command bar is short.
    let leads = |binding: &&Binding| matches!(binding.cmd, Cmd::Open | Cmd::Help | Cmd::Palette | Cmd::Filter);
    let (first, rest): (Vec<_>, Vec<_>) = bindings(place).partition(leads);
    first.into_iter().map(fixed).chain(parts).chain(acts).chain(rest.into_iter().map(fixed)).collect()
}

fn bindings(place: Place) -> impl Iterator<Item = &'static Binding> {
    KEYS.iter().filter(move |binding| binding.places.contains(&place))
}

/// The acts that `place` offers: those on a list only there, and on one thing alone wherever it is looked at.
fn acts(place: Place, kind: Option<Kind>) -> impl Iterator<Item = &'static Act> {
    let alone = kind.is_some_and(|kind| kind.shape().alone);
    let offered = move |act: &&Act| place == Place::List || place == Place::Detail && (alone || !act.on_list);
    kind.into_iter().flat_map(|kind| kind.shape().acts).filter(offered)
}

/// The parts of the thing that fills the view, and the digits by which they are reached.
fn parts(place: Place, kind: Option<Kind>) -> impl Iterator<Item = (Key, Kind)> {
    let parts = kind.filter(|_| place == Place::Detail).map_or(&[][..], |kind| kind.shape().parts);
    ('1'..='9').map(Char).zip(parts.iter().copied())
}

/// A key as it is shown.
pub fn name(key: Key) -> String {
    match key {
        Char(' ') => "space".to_owned(),
        Char(c) => c.to_string(),
        Ctrl(c) => format!("^{c}"),
        Enter => "enter".to_owned(),
        Esc => "esc".to_owned(),
        Tab => "tab".to_owned(),
        BackTab => "shift-tab".to_owned(),
        Backspace => "backspace".to_owned(),
        Up => "up".to_owned(),
        Down => "down".to_owned(),
        PageUp => "pgup".to_owned(),
        PageDown => "pgdn".to_owned(),
        Home => "home".to_owned(),
        End => "end".to_owned(),
        Left => "left".to_owned(),
        Right => "right".to_owned(),
    }
}

/// Makes a line of the table.
const fn bind(
    keys: &'static [Key],
    cmd: Cmd,
    short: &'static str,
    what: &'static str,
    places: &'static [Place],
) -> Binding {
    Binding { keys, cmd, short, what, places }
}

const SCROLLED: &[Place] =
    &[Place::List, Place::Detail, Place::Log, Place::Help, Place::Confirm, Place::Waiting, Place::Result];
const VIEWS: &[Place] = &[Place::List, Place::Detail];
const OVER: &[Place] = &[Place::List, Place::Detail, Place::Log, Place::Help];
const TEXT: &[Place] = &[Place::Login, Place::Filter, Place::Palette, Place::Form, Place::Proof];

/// The key table. What is done to things is not in it: each kind has its own acts.
pub const KEYS: &[Binding] = &[
    bind(&[Enter], Cmd::Open, s::OPEN_SHORT, s::OPEN, &[Place::List]),
    bind(&[Esc, Char('n'), Char('q'), Enter], Cmd::Cancel, s::CANCEL_SHORT, s::CANCEL, &[Place::Confirm]),
    bind(&[Char('y')], Cmd::Confirm, s::CONFIRM_SHORT, s::CONFIRM, &[Place::Confirm]),
    bind(&[Enter], Cmd::Submit, s::NEXT_SHORT, s::FORM_DONE, &[Place::Form]),
    bind(&[Enter], Cmd::Submit, s::NEXT_SHORT, s::PROOF_DONE, &[Place::Proof]),
    bind(&[Esc], Cmd::Cancel, s::CANCEL_SHORT, s::CANCEL, &[Place::Form, Place::Proof]),
    bind(&[Esc, Char('q'), Enter], Cmd::Cancel, s::CLOSE_SHORT, s::CLOSE, &[Place::Result]),
    bind(&[Esc], Cmd::Cancel, s::CLOSE_SHORT, s::STOP_WAITING, &[Place::Waiting]),
    bind(&[Enter], Cmd::Submit, s::LOGIN_SHORT, s::LOGIN_SUBMIT, &[Place::Login]),
    bind(&[Esc], Cmd::Cancel, "", s::LOGIN_CANCEL, &[Place::Login]),
    bind(&[Tab, Down], Cmd::NextField, s::FIELD_SHORT, s::FIELD, &[Place::Login, Place::Form, Place::Proof]),
    bind(&[BackTab, Up], Cmd::FieldBefore, "", s::FIELD_BEFORE, &[Place::Login]),
    bind(&[Left], Cmd::ChoiceBefore, "", s::CHOICE_BEFORE, &[Place::Form]),
    bind(&[Right], Cmd::ChoiceNext, "", s::CHOICE_NEXT, &[Place::Form]),
    bind(&[Ctrl('p')], Cmd::Passkey, s::PASSKEY_SHORT, s::PASSKEY, &[Place::Login, Place::Proof]),
    bind(&[Enter], Cmd::Submit, s::KEEP_SHORT, s::FILTER_DONE, &[Place::Filter]),
    bind(&[Esc], Cmd::Cancel, s::CLEAR_SHORT, s::FILTER_CLEAR, &[Place::Filter]),
    bind(&[Enter], Cmd::Submit, s::GO_SHORT, s::PALETTE_DONE, &[Place::Palette]),
    bind(&[Tab], Cmd::Complete, s::COMPLETE_SHORT, s::COMPLETE, &[Place::Palette]),
    bind(&[Esc], Cmd::Cancel, s::CLOSE_SHORT, s::PALETTE_CLOSE, &[Place::Palette]),
    bind(&[Char('?')], Cmd::Help, s::HELP_SHORT, s::HELP, &[Place::List, Place::Detail, Place::Log]),
    bind(&[Char(':')], Cmd::Palette, s::PALETTE_SHORT, s::PALETTE, VIEWS),
    bind(&[Char('/')], Cmd::Filter, s::FILTER_SHORT, s::FILTER, &[Place::List]),
    bind(&[Char(' ')], Cmd::Mark, s::MARK_SHORT, s::MARK, &[Place::List]),
    bind(&[Char('*')], Cmd::MarkAll, "", s::MARK_ALL, &[Place::List]),
    bind(&[Char('s')], Cmd::Sort, s::SORT_SHORT, s::SORT, &[Place::List]),
    bind(&[Char('S')], Cmd::SortReverse, "", s::SORT_REVERSE, &[Place::List]),
    bind(&[Char('c')], Cmd::Copy, s::COPY_SHORT, s::COPY, VIEWS),
    bind(&[Char('r')], Cmd::Refresh, s::REFRESH_SHORT, s::REFRESH, VIEWS),
    bind(&[Char('L')], Cmd::Log, s::LOG_SHORT, s::LOG, VIEWS),
    bind(&[Esc, Left], Cmd::Back, "", s::BACK, OVER),
    bind(&[Char('q')], Cmd::Leave, s::LEAVE_SHORT, s::LEAVE, OVER),
    bind(&[Down, Char('j')], Cmd::Down, "", s::DOWN, SCROLLED),
    bind(&[Up, Char('k')], Cmd::Up, "", s::UP, SCROLLED),
    bind(&[PageDown, Ctrl('f')], Cmd::PageDown, "", s::PAGE_DOWN, SCROLLED),
    bind(&[PageUp, Ctrl('b')], Cmd::PageUp, "", s::PAGE_UP, SCROLLED),
    bind(&[Home, Char('g')], Cmd::First, "", s::FIRST, OVER),
    bind(&[End, Char('G')], Cmd::Last, "", s::LAST, OVER),
    bind(&[Backspace], Cmd::Erase, "", s::ERASE, TEXT),
    bind(&[Ctrl('u')], Cmd::EraseAll, "", s::ERASE_ALL, TEXT),
    bind(&[Ctrl('l')], Cmd::Repaint, "", s::REPAINT, &Place::ALL),
    bind(&[Ctrl('z')], Cmd::Suspend, "", s::SUSPEND, &Place::ALL),
    bind(&[Ctrl('c')], Cmd::Interrupt, "", s::INTERRUPT, &Place::ALL),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kind::KINDS;

    fn everywhere() -> impl Iterator<Item = (Place, Option<Kind>)> {
        let kinds = || KINDS.iter().copied().map(Some).chain([None]);
        Place::ALL.into_iter().flat_map(move |place| kinds().map(move |kind| (place, kind)))
    }

    fn all_acts() -> impl Iterator<Item = &'static Act> {
        KINDS.iter().flat_map(|kind| kind.shape().acts)
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (place, kind) in everywhere() {
            let mut seen = BTreeSet::new();
            for key in lines(place, kind, false).into_iter().flat_map(|line| line.keys) {
                assert!(seen.insert(key), "{key:?} twice in {place:?} of {kind:?}");
            }
        }
    }

    #[test]
    fn what_changes_something_is_on_no_plain_letter() {
        for act in all_acts().filter(|act| act.danger > Danger::D0) {
            let plain = matches!(act.key, Char(c) if !c.is_uppercase());
            let chord = matches!(act.key, Char(_) | Ctrl(_));
            assert!(!plain && chord, "{:?}", act.deed);
        }
    }

    #[test]
    fn what_starts_an_act_never_confirms_one() {
        let confirming: Vec<_> = KEYS.iter().filter(|b| b.cmd == Cmd::Confirm).flat_map(|b| b.keys).collect();
        assert_eq!(confirming, [&Char('y')]);
        assert!(all_acts().all(|act| !confirming.contains(&&act.key)));
    }

    #[test]
    fn characters_are_text_where_text_is_typed() {
        for (place, kind) in everywhere().filter(|(place, _)| place.is_text()) {
            let lines = lines(place, kind, false);
            let taken = lines.iter().flat_map(|line| &line.keys).find(|key| matches!(key, Char(_)));
            assert_eq!(taken, None, "{place:?}");
        }
    }

    #[test]
    fn a_read_only_console_offers_no_act() {
        for (place, kind) in everywhere() {
            assert!(lines(place, kind, true).iter().all(|line| line.danger == Danger::D0));
        }
        let freeze = lookup(Place::List, Some(Kind::Credentials), Char('F'));
        assert!(matches!(freeze, Some(Meaning::Act(_))), "so that it can be refused with a reason");
    }

    #[test]
    fn every_line_is_described() {
        assert!(KEYS.iter().all(|binding| !binding.what.is_empty() && !binding.keys.is_empty()));
        assert!(all_acts().all(|act| !act.what.is_empty() && !act.verb.is_empty() && !act.done.is_empty()));
    }
}
