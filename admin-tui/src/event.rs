//! What happens to the console. One channel carries all of it, so there is one order.

use serde::{Deserialize, Serialize};

use crate::clean::Clean;
use crate::kind::{Item, Page};
use crate::state::list::Wanted;
use crate::state::{Id, Outcome, Planned, Readiness};

/// A point in time, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds on a clock that never goes back: for waiting and for how old something is.
    pub steady_ms: u64,
    /// Milliseconds since the Unix epoch: for people.
    pub unix_ms: u64,
}

impl Moment {
    /// Milliseconds since `earlier_ms` on the steady clock.
    pub fn since(self, earlier_ms: u64) -> u64 {
        self.steady_ms.saturating_sub(earlier_ms)
    }
}

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it arrived.
    pub at: Moment,
    /// What it is.
    pub input: Input,
}

/// What can happen. Nothing of a password is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Something was typed into or erased from a secret field; the characters stay outside.
    Secret {
        /// Whether there is anything in the field now.
        typed: bool,
    },
    /// A bracketed paste. It is text, never keys.
    Paste(String),
    /// The terminal's size.
    Resize(Size),
    /// The screen shows the state as it is.
    Drawn,
    /// Time goes on.
    Tick,
    /// The server answered, or did not.
    Answer(Answer),
    /// The shell brought the console back: the terminal was somebody else's.
    Back,
    /// The system asks the console to end.
    End,
}

/// A terminal's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// A key as the key table knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named after what stands on the keys")]
pub enum Key {
    /// A character, with shift where the character needs it.
    Char(char),
    /// Control and a letter, in lower case.
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Left,
    Right,
}

/// What came of a question to the server, or what it tells by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To a login: the operator's name. The bearer stays outside.
    Login(Result<Clean, Failure>),
    /// To a login or a proof by browser: where to go on.
    Browser(Result<Browser, Failure>),
    /// The person is still at the browser.
    BrowserWaits,
    /// To the wish to keep the login: where it was kept, or why not.
    Kept(Result<Clean, Clean>),
    /// To a question for the service's status.
    Status(Result<Readiness, Failure>),
    /// To a question for a page of a list.
    Page {
        /// The number of the view.
        view: u32,
        /// What was asked for.
        wanted: Wanted,
        /// The page.
        result: Result<Page, Failure>,
    },
    /// To a question for one thing.
    One {
        /// The number of the view.
        view: u32,
        /// Which one.
        id: Id,
        /// The thing.
        result: Result<Box<Item>, Failure>,
    },
    /// To what a dialog asked before it asks.
    Before {
        /// The dialog's number.
        ticket: u64,
        /// What the server said.
        result: Result<Planned, Failure>,
    },
    /// The server wants a fresh proof before it does an act, which it did not do; or it did not take the one it got, and
    /// says why.
    Proof {
        /// The act's number.
        ticket: u64,
        /// What the server said of the last try.
        text: Option<Clean>,
    },
    /// To an act.
    Act {
        /// The number the act was given.
        ticket: u64,
        /// What it did.
        result: Result<Outcome, Failure>,
    },
    /// From the stream of events.
    Push(Push),
}

/// What the stream of events tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Push {
    /// It is open: what changes from here on is told.
    Open,
    /// It is as open as it was.
    Beat,
    /// Things of this event's name changed; all kinds of things if it is empty.
    Changed(Clean),
    /// It broke off, and is tried again.
    Closed(Clean),
}

/// Where to go on in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browser {
    /// The page.
    pub url: Clean,
    /// What the page has to show.
    pub code: Clean,
    /// For how many seconds.
    pub seconds: u64,
}

/// Why there is no good answer. What to think of an act depends on which it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The server was not reached: nothing happened.
    NotSent(Clean),
    /// The server was reached and did not answer: it may have happened.
    NoAnswer(Clean),
    /// The server said no: nothing happened.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's code, such as `forbidden`.
        code: Clean,
        /// The server's sentence.
        text: Clean,
        /// The server's number for the request.
        request_id: Option<Clean>,
    },
    /// The server answered, and the console does not understand it.
    Unreadable(Clean),
}

impl Failure {
    /// Whether the login is no longer worth anything.
    pub fn is_logged_out(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// Whether the server wants a fresh proof of who asks.
    pub fn wants_proof(&self) -> bool {
        matches!(self, Self::Refused { status: 403, code, .. } if code.as_str() == "step_up_required")
    }

    /// Whether a code of the second factor is missing.
    pub fn wants_code(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code.as_str() == "code_missing")
    }

    /// Whether the thing is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// The server's number for the request, if it gave one.
    pub fn request_id(&self) -> Option<&Clean> {
        match self {
            Self::Refused { request_id, .. } => request_id.as_ref(),
            Self::NotSent(_) | Self::NoAnswer(_) | Self::Unreadable(_) => None,
        }
    }
}
