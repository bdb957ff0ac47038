//! All that the console knows. It can be written down and read back for a replay, hence there is no secret in it.

pub mod detail;
pub mod dialog;
pub mod field;
pub mod id;
pub mod list;
pub mod log;
pub mod login;
pub mod row;
pub mod service;

use serde::{Deserialize, Serialize};

pub use self::detail::Detail;
pub use self::dialog::{Confirmed, Deed, Dialog, InFlight, Outcome, Stage, Victim};
pub use self::field::Field;
pub use self::id::Id;
pub use self::list::{List, Page};
pub use self::log::{Log, Record};
pub use self::login::Login;
pub use self::row::{Health, Lifecycle, Planned, Reading, Row};
pub use self::service::{Link, Readiness, Service};
use crate::clean::{Clean, clean};
use crate::event::{Moment, Size};
use crate::keymap::Place;

/// How the console looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// No colours: words, glyphs and emphasis alone.
    pub no_color: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
}

/// What lies over the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Screen {
    /// One credential.
    Detail,
    /// The log of acts.
    Log,
    /// The help, of the place below it.
    Help,
}

/// A line that tells what just happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The text.
    pub text: Clean,
    /// Whether something was refused or went wrong.
    pub bad: bool,
    /// When it came up.
    pub at_ms: u64,
}

/// All that the console knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whose credentials are shown.
    pub tenant: Clean,
    /// Who is logged in.
    pub operator: Clean,
    /// How it looks.
    pub look: Look,
    /// Whether acts are left out.
    pub read_only: bool,
    /// When the last event arrived.
    pub now: Moment,
    /// The terminal's size.
    pub size: Size,
    /// The login form, while nobody is logged in.
    pub login: Option<Login>,
    /// What lies over the list, the top last.
    pub screens: Vec<Screen>,
    /// How far help and log are scrolled.
    pub scroll: usize,
    /// How the service is.
    pub service: Service,
    /// The credentials.
    pub list: List,
    /// The credential that is looked at closely.
    pub detail: Option<Detail>,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
    /// What was done in this run.
    pub log: Log,
    /// What just happened.
    pub notice: Option<Notice>,
    /// When control-c was pressed, if it was the key before this one.
    pub interrupted_ms: Option<u64>,
}

impl State {
    /// A console that has asked nothing yet.
    pub fn new(tenant: &str, look: Look, read_only: bool, size: Size) -> Self {
        Self {
            tenant: clean(tenant),
            operator: Clean::default(),
            look,
            read_only,
            now: Moment::default(),
            size,
            login: Some(Login::default()),
            screens: Vec::new(),
            scroll: 0,
            service: Service::default(),
            list: List::default(),
            detail: None,
            dialog: None,
            log: Log::default(),
            notice: None,
            interrupted_ms: None,
        }
    }

    /// Where keys go.
    pub fn place(&self) -> Place {
        if self.is_too_small() {
            return Place::TooSmall;
        }
        if let Some(dialog) = &self.dialog {
            return dialog.place();
        }
        match (&self.login, self.screens.last()) {
            (Some(_), _) => Place::Login,
            (None, Some(screen)) => screen.place(),
            (None, None) if self.list.filtering => Place::Filter,
            (None, None) => Place::List,
        }
    }

    /// The place that the help is about.
    pub fn place_below_help(&self) -> Place {
        let below = self.screens.iter().rev().find(|screen| **screen != Screen::Help);
        below.map_or(Place::List, |screen| screen.place())
    }

    /// Whether the terminal is too small to show what a key would do.
    pub fn is_too_small(&self) -> bool {
        self.size.columns < COLUMNS_MIN || self.size.rows < ROWS_MIN
    }

    /// The field that characters go to, unless it is a secret one.
    pub fn field(&mut self) -> Option<&mut Field> {
        match self.place() {
            Place::Login => self.login.as_mut().and_then(Login::field),
            Place::Filter => Some(&mut self.list.filter),
            Place::Reason => self.dialog.as_mut().map(|dialog| &mut dialog.reason),
            Place::List
            | Place::Detail
            | Place::Log
            | Place::Help
            | Place::Confirm
            | Place::Waiting
            | Place::Result
            | Place::TooSmall => None,
        }
    }

    /// Whether characters are a secret: then they never come here.
    pub fn is_secret_focused(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.on_password)
    }

    /// Whether the secret can be typed now.
    pub fn takes_secret(&self) -> bool {
        self.place() == Place::Login && self.login.as_ref().is_some_and(|login| login.on_password && !login.waiting)
    }

    /// How far what is shown can be believed.
    pub fn link(&self) -> Link {
        self.service.link(self.now, self.list.heard_ms)
    }

    /// The credential that an act would be about.
    pub fn victim(&self) -> Option<&Row> {
        match (self.screens.last(), &self.detail) {
            (Some(Screen::Detail), Some(detail)) => Some(&detail.row),
            (None, _) => self.list.selected(),
            (Some(_), _) => None,
        }
    }

    /// Tells what just happened, and whether that is `bad`.
    pub fn say(&mut self, text: impl Into<Clean>, bad: bool) {
        self.notice = Some(Notice { text: text.into(), bad, at_ms: self.now.steady_ms });
    }

    /// Tells that something was refused or went wrong.
    pub fn warn(&mut self, text: impl Into<Clean>) {
        self.say(text, true);
    }

    /// How many rows of the list can be seen.
    pub fn list_rows(&self) -> usize {
        usize::from(self.size.rows.saturating_sub(LIST_FRAME_ROWS)).max(1)
    }
}

impl Screen {
    /// Where keys go while it is on top.
    pub fn place(self) -> Place {
        match self {
            Self::Detail => Place::Detail,
            Self::Log => Place::Log,
            Self::Help => Place::Help,
        }
    }
}

/// The console works from here on.
pub const COLUMNS_MIN: u16 = 60;
/// The console works from here on.
pub const ROWS_MIN: u16 = 20;
/// Rows around the list: header, its second line, the column names, the notice, the command bar.
pub const LIST_FRAME_ROWS: u16 = 5;
