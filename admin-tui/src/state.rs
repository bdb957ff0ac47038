//! All that the console knows. It can be written down and read back for a replay, hence there is no secret in it.

pub mod dialog;
pub mod field;
pub mod id;
pub mod list;
pub mod log;
pub mod login;
pub mod palette;
pub mod service;
pub mod view;

use serde::{Deserialize, Serialize};

pub use self::dialog::{Cause, Confirmed, Dialog, InFlight, Outcome, Planned, Stage};
pub use self::field::Field;
pub use self::id::Id;
pub use self::list::List;
pub use self::log::{Log, Record};
pub use self::login::Login;
pub use self::palette::Palette;
pub use self::service::{Haste, Link, Readiness, Service};
pub use self::view::{Close, View};
use crate::clean::{Clean, clean};
use crate::event::{Browser, Moment, Size};
use crate::keymap::Place;
use crate::kind::Kind;
use crate::secrets::Slot;

/// How the console looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// No colours: words, glyphs and emphasis alone.
    pub no_color: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
}

/// What lies over the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    /// The log of acts.
    Log,
    /// The help, of what lies below it.
    Help,
    /// The palette.
    Palette(Palette),
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
    /// Whose things are shown.
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
    /// What is looked at, the way there first. Never empty once somebody was logged in.
    pub views: Vec<View>,
    /// What lies over it.
    pub over: Option<Over>,
    /// How far help and log are scrolled.
    pub scroll: usize,
    /// How the service is.
    pub service: Service,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
    /// What was done in this run.
    pub log: Log,
    /// What just happened.
    pub notice: Option<Notice>,
    /// When control-c was pressed, if it was the key before this one.
    pub interrupted_ms: Option<u64>,
    /// The number of the view that was opened last.
    pub view_number: u32,
    /// Where a proof by passkey goes on, while one is waited for.
    pub browser: Option<Browser>,
    /// Whether the server was asked what became of a passkey, and has not answered.
    pub browser_asked: bool,
    /// When the server was asked last what became of a passkey.
    pub browser_polled_ms: Option<u64>,
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
            views: Vec::new(),
            over: None,
            scroll: 0,
            service: Service::default(),
            dialog: None,
            log: Log::default(),
            notice: None,
            interrupted_ms: None,
            view_number: 0,
            browser: None,
            browser_asked: false,
            browser_polled_ms: None,
        }
    }

    /// What is looked at.
    pub fn view(&self) -> Option<&View> {
        self.views.last()
    }

    /// What is looked at, to be changed.
    pub fn view_mut(&mut self) -> Option<&mut View> {
        self.views.last_mut()
    }

    /// What kind of things is looked at.
    pub fn kind(&self) -> Option<Kind> {
        self.view().map(|view| view.kind)
    }

    /// Where keys go.
    pub fn place(&self) -> Place {
        if self.is_too_small() {
            return Place::TooSmall;
        }
        if self.login.is_some() {
            return Place::Login;
        }
        if let Some(dialog) = &self.dialog {
            return dialog.place();
        }
        match &self.over {
            Some(Over::Log) => Place::Log,
            Some(Over::Help) => Place::Help,
            Some(Over::Palette(_)) => Place::Palette,
            None => self.place_below(),
        }
    }

    /// The place that the help is about.
    pub fn place_below(&self) -> Place {
        match self.view() {
            Some(view) if view.is_detail() => Place::Detail,
            Some(view) if view.list.filtering => Place::Filter,
            Some(_) | None => Place::List,
        }
    }

    /// Whether the terminal is too small to show what a key would do.
    pub fn is_too_small(&self) -> bool {
        self.size.columns < COLUMNS_MIN || self.size.rows < ROWS_MIN
    }

    /// The field that characters go to, unless it is a secret one.
    pub fn field(&mut self) -> Option<&mut Field> {
        match self.place() {
            Place::Login => self.login.as_mut().and_then(Login::field),
            Place::Filter => self.view_mut().map(|view| &mut view.list.filter),
            Place::Form => self.dialog.as_mut().and_then(|dialog| dialog.form.field()),
            Place::Palette => match &mut self.over {
                Some(Over::Palette(palette)) => Some(&mut palette.typed),
                Some(Over::Log | Over::Help) | None => None,
            },
            Place::List
            | Place::Detail
            | Place::Log
            | Place::Help
            | Place::Confirm
            | Place::Waiting
            | Place::Proof
            | Place::Result
            | Place::TooSmall => None,
        }
    }

    /// The secret that has the focus: its characters never come here.
    pub fn secret(&self) -> Option<Slot> {
        match (&self.login, &self.dialog) {
            (Some(login), _) => login.secret(),
            (None, Some(dialog)) => dialog.secret(),
            (None, None) => None,
        }
    }

    /// The secret that can be typed now.
    pub fn takes_secret(&self) -> Option<Slot> {
        let free = match self.place() {
            Place::Login => self.login.as_ref().is_some_and(|login| !login.is_busy() && !login.is_deaf(self.now)),
            Place::Form | Place::Proof => self.dialog.as_ref().is_some_and(|dialog| !dialog.is_deaf(self.now)),
            Place::List
            | Place::Filter
            | Place::Detail
            | Place::Log
            | Place::Help
            | Place::Palette
            | Place::Confirm
            | Place::Waiting
            | Place::Result
            | Place::TooSmall => false,
        };
        self.secret().filter(|_| free)
    }

    /// The time by the server's clock, in milliseconds since the Unix epoch: what ages are reckoned from.
    pub fn server_ms(&self) -> u64 {
        self.now.unix_ms.saturating_add_signed(self.service.skew_ms)
    }

    /// How far what is shown can be believed.
    pub fn link(&self) -> Link {
        let list = self.view().map(|view| &view.list);
        // A list whose last question got no good answer is not as it is, however soon the next one comes.
        let trouble = list.is_some_and(|list| list.trouble.is_some());
        self.service.link(self.now, list.and_then(|list| list.heard_ms), trouble)
    }

    /// Tells what just happened, and whether that is `bad`.
    pub fn say(&mut self, text: impl Into<Clean>, bad: bool) {
        self.notice = Some(Notice { text: text.into(), bad, at_ms: self.now.steady_ms });
    }

    /// Tells that something was refused or went wrong.
    pub fn warn(&mut self, text: impl Into<Clean>) {
        self.say(text, true);
    }

    /// How many rows of a list can be seen.
    pub fn list_rows(&self) -> usize {
        usize::from(self.size.rows.saturating_sub(LIST_FRAME_ROWS)).max(1)
    }
}

/// The console works from here on.
pub const COLUMNS_MIN: u16 = 60;
/// The console works from here on.
pub const ROWS_MIN: u16 = 20;
/// Rows around the list: header, its second line, the column names, the notice, the command bar.
pub const LIST_FRAME_ROWS: u16 = 5;
