//! Every key is data: what it does, what it is called, how dangerous it is, and where it counts.
//!
//! The help screen and the command bar are made from this table, so neither can be wrong.

use serde::{Deserialize, Serialize};

use crate::event::Key::{self, BackTab, Backspace, Char, Ctrl, Down, End, Enter, Esc, Home, PageDown, PageUp, Tab, Up};
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
    Log,
    Help,
    Freeze,
    Revoke,
    Unfreeze,
    Confirm,
    Cancel,
    Submit,
    NextField,
    Erase,
    EraseAll,
    Repaint,
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
    /// The list of credentials.
    List,
    /// The filter under the list's header, while it is typed.
    Filter,
    /// One credential.
    Detail,
    /// The log of acts.
    Log,
    /// The help.
    Help,
    /// A dialog that asks for a reason.
    Reason,
    /// A dialog that asks whether to do it.
    Confirm,
    /// A dialog that waits for the server.
    Waiting,
    /// A dialog that shows what came of it.
    Result,
    /// A terminal too small to show what a key would do.
    TooSmall,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Login,
        Self::List,
        Self::Filter,
        Self::Detail,
        Self::Log,
        Self::Help,
        Self::Reason,
        Self::Confirm,
        Self::Waiting,
        Self::Result,
        Self::TooSmall,
    ];

    /// Whether characters are text here.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Login | Self::Filter | Self::Reason)
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
    /// How dear a mistake is.
    pub danger: Danger,
    /// Where it counts.
    pub places: &'static [Place],
}

/// What `key` does in `place`.
pub fn lookup(place: Place, key: Key) -> Option<&'static Binding> {
    bindings(place, false).find(|binding| binding.keys.contains(&key))
}

/// The lines that count in `place`; with `read_only`, those that only look.
pub fn bindings(place: Place, read_only: bool) -> impl Iterator<Item = &'static Binding> {
    let offered = move |binding: &&Binding| !(read_only && binding.danger > Danger::D0);
    KEYS.iter().filter(move |binding| binding.places.contains(&place)).filter(offered)
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
    }
}

/// Makes a line of the table that only looks.
const fn look(
    keys: &'static [Key],
    cmd: Cmd,
    short: &'static str,
    what: &'static str,
    places: &'static [Place],
) -> Binding {
    Binding { keys, cmd, short, what, danger: Danger::D0, places }
}

/// Makes a line of the table that acts.
const fn act(keys: &'static [Key], cmd: Cmd, short: &'static str, what: &'static str, danger: Danger) -> Binding {
    Binding { keys, cmd, short, what, danger, places: &[Place::List, Place::Detail] }
}

const SCROLLED: &[Place] = &[Place::List, Place::Log, Place::Help, Place::Result];
const VIEWS: &[Place] = &[Place::List, Place::Detail, Place::Log, Place::Help];
const TEXT: &[Place] = &[Place::Login, Place::Filter, Place::Reason];

/// The key table.
pub const KEYS: &[Binding] = &[
    look(&[Enter], Cmd::Open, s::OPEN_SHORT, s::OPEN, &[Place::List]),
    act(&[Char('F')], Cmd::Freeze, s::FREEZE_SHORT, s::FREEZE, Danger::D1),
    act(&[Ctrl('x')], Cmd::Revoke, s::REVOKE_SHORT, s::REVOKE, Danger::D2),
    act(&[Char('U')], Cmd::Unfreeze, s::UNFREEZE_SHORT, s::UNFREEZE, Danger::D2),
    look(&[Esc, Char('n'), Char('q'), Enter], Cmd::Cancel, s::CANCEL_SHORT, s::CANCEL, &[Place::Confirm]),
    look(&[Char('y')], Cmd::Confirm, s::CONFIRM_SHORT, s::CONFIRM, &[Place::Confirm]),
    look(&[Enter], Cmd::Submit, s::NEXT_SHORT, s::REASON_DONE, &[Place::Reason]),
    look(&[Esc], Cmd::Cancel, s::CANCEL_SHORT, s::CANCEL, &[Place::Reason]),
    look(&[Esc, Char('q'), Enter], Cmd::Cancel, s::CLOSE_SHORT, s::CLOSE, &[Place::Result]),
    look(&[Esc], Cmd::Cancel, s::CLOSE_SHORT, s::STOP_WAITING, &[Place::Waiting]),
    look(&[Enter], Cmd::Submit, s::LOGIN_SHORT, s::LOGIN_SUBMIT, &[Place::Login]),
    look(&[Tab, BackTab, Up, Down], Cmd::NextField, s::FIELD_SHORT, s::FIELD, &[Place::Login]),
    look(&[Enter], Cmd::Submit, s::KEEP_SHORT, s::FILTER_DONE, &[Place::Filter]),
    look(&[Esc], Cmd::Cancel, s::CLEAR_SHORT, s::FILTER_CLEAR, &[Place::Filter]),
    look(&[Char('?')], Cmd::Help, s::HELP_SHORT, s::HELP, &[Place::List, Place::Detail, Place::Log]),
    look(&[Char('/')], Cmd::Filter, s::FILTER_SHORT, s::FILTER, &[Place::List]),
    look(&[Char('r')], Cmd::Refresh, s::REFRESH_SHORT, s::REFRESH, &[Place::List, Place::Detail]),
    look(&[Char('L')], Cmd::Log, s::LOG_SHORT, s::LOG, &[Place::List, Place::Detail]),
    look(&[Esc], Cmd::Back, "", s::BACK, VIEWS),
    look(&[Char('q')], Cmd::Leave, s::LEAVE_SHORT, s::LEAVE, VIEWS),
    look(&[Down, Char('j')], Cmd::Down, "", s::DOWN, SCROLLED),
    look(&[Up, Char('k')], Cmd::Up, "", s::UP, SCROLLED),
    look(&[PageDown, Ctrl('d')], Cmd::PageDown, "", s::PAGE_DOWN, SCROLLED),
    look(&[PageUp, Ctrl('u')], Cmd::PageUp, "", s::PAGE_UP, SCROLLED),
    look(&[Home, Char('g')], Cmd::First, "", s::FIRST, SCROLLED),
    look(&[End, Char('G')], Cmd::Last, "", s::LAST, SCROLLED),
    look(&[Backspace], Cmd::Erase, "", s::ERASE, TEXT),
    look(&[Ctrl('u')], Cmd::EraseAll, "", s::ERASE_ALL, TEXT),
    look(&[Ctrl('l')], Cmd::Repaint, "", s::REPAINT, &Place::ALL),
    look(&[Ctrl('c')], Cmd::Interrupt, "", s::INTERRUPT, &Place::ALL),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let mut seen = BTreeSet::new();
            for key in bindings(place, false).flat_map(|binding| binding.keys) {
                assert!(seen.insert(key), "{key:?} twice in {place:?}");
            }
        }
    }

    #[test]
    fn what_disrupts_is_on_no_plain_letter() {
        for binding in KEYS.iter().filter(|binding| binding.danger > Danger::D0) {
            let plain = |key: &&Key| matches!(key, Char(c) if !c.is_uppercase());
            assert_eq!(binding.keys.iter().find(plain), None, "{binding:?}");
            assert!(!binding.keys.contains(&Enter), "{binding:?}");
        }
    }

    #[test]
    fn what_starts_an_act_never_confirms_one() {
        let confirming: Vec<_> = KEYS.iter().filter(|b| b.cmd == Cmd::Confirm).flat_map(|b| b.keys).collect();
        assert_eq!(confirming, [&Char('y')]);
        let mut starting = KEYS.iter().filter(|b| b.danger > Danger::D0).flat_map(|b| b.keys);
        assert!(starting.all(|key| !confirming.contains(&key)));
    }

    #[test]
    fn characters_are_text_where_text_is_typed() {
        for place in Place::ALL.into_iter().filter(|place| place.is_text()) {
            let taken = bindings(place, false).flat_map(|b| b.keys).find(|key| matches!(key, Char(_)));
            assert_eq!(taken, None, "{place:?}");
        }
    }

    #[test]
    fn a_read_only_console_offers_no_act() {
        for place in Place::ALL {
            assert!(bindings(place, true).all(|binding| binding.danger == Danger::D0));
        }
        assert!(lookup(Place::List, Char('F')).is_some(), "so that it can be refused with a reason");
    }

    #[test]
    fn every_line_is_described() {
        assert!(KEYS.iter().all(|binding| !binding.what.is_empty() && !binding.keys.is_empty()));
    }
}
