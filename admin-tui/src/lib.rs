//! The operator console: it watches and contains, as a client of the admin API like any other.
//!
//! ```text
//! key -> Cmd -> update(&mut State, Event) -> Vec<Action> -> client -> Event
//!                          State -> draw
//! ```
//!
//! One channel brings all events, so there is one order. [`app::update`] is the whole behaviour and [`ui::draw`] the
//! whole picture; both are pure, so a test puts them through a night of keys in a second:
//!
//! ```
//! use claviger_admin_tui::event::{Event, Input, Key, Moment, Size};
//! use claviger_admin_tui::kind::Kind;
//! use claviger_admin_tui::state::{Look, State};
//! use claviger_admin_tui::{action::Action, app};
//!
//! let mut state = State::new("default", Look::default(), false, Size { columns: 80, rows: 24 });
//! app::start(&mut state, Some("ada"), true, Kind::Credentials);
//! let quit = Event { at: Moment::default(), input: Input::Key(Key::Char('q')) };
//! assert_eq!(app::update(&mut state, quit), [Action::Quit]);
//! ```
//!
//! - **Architecture invariant:** the state holds no secret. A password goes from the terminal to [`secrets::Secrets`] and
//!   from there to the client, the bearer never leaves the client, and no event carries either.
//! - **Architecture invariant:** an act that changes something is made by [`state::Dialog::confirm`] and by nothing else.
//! - **Architecture invariant:** what is drawn is [`clean::Clean`]; text from outside becomes so in `client/answer.rs`.
//! - **Architecture invariant:** of the domain, this crate knows the API's views, and the clock. It never sees store or
//!   token.

pub mod action;
pub mod app;
pub mod clean;
mod client;
mod error;
pub mod event;
pub mod keymap;
pub mod kind;
pub mod plain;
mod runner;
pub mod secrets;
pub mod state;
mod strings;
pub mod ui;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use error::ConsoleError;
pub use plain::Because;

/// What the console is started with.
pub struct Options {
    /// The admin listener: `host:port`, or an `https` URL.
    pub admin: String,
    /// The certificate authority that issued the listener's certificate; no other is trusted.
    pub ca_file: PathBuf,
    /// The operator's name, to be offered at login.
    pub operator: Option<String>,
    /// The bearer of a login made before, from `<home>/operator.login`.
    pub bearer: Option<Zeroizing<String>>,
    /// Leaves out every act: nothing but looking.
    pub read_only: bool,
    /// No colours, whatever the terminal can do: `NO_COLOR`.
    pub no_color: bool,
    /// Line by line, and how that was asked for.
    pub plain: Option<Because>,
    /// Nothing but ASCII on the screen.
    pub ascii: bool,
    /// Whose things to show: a tenant's id or name.
    pub tenant: String,
    /// What is shown first: the name of a screen, as the palette knows it; everything at a glance without one.
    pub screen: Option<String>,
    /// Keeps a bearer for the next time, if the operator asks for that.
    pub keep: Keep,
}

/// Keeps a bearer, and says where or why not.
pub type Keep = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

impl Options {
    /// What is shown first.
    fn first(&self) -> Result<kind::Kind, ConsoleError> {
        let Some(name) = &self.screen else { return Ok(kind::Kind::FIRST) };
        kind::Kind::named(name).ok_or_else(|| ConsoleError::Screen(name.clone()))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("admin", &self.admin)
            .field("ca_file", &self.ca_file)
            .field("operator", &self.operator)
            .field("read_only", &self.read_only)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// Runs the console until its operator leaves it. Blocks; must not be called from within an async runtime.
///
/// A login made here ends with the console; one that was given in `options` goes on.
///
/// # Errors
/// [`ConsoleError`]; the terminal is as it was before.
#[expect(clippy::needless_pass_by_value, reason = "the bearer is wiped when the console has ended")]
pub fn run(options: Options) -> Result<(), ConsoleError> {
    match options.plain {
        Some(because) => runner::run_plain(&options, because),
        None if !runner::is_terminal() => Err(ConsoleError::NoTerminal),
        None => runner::run(&options),
    }
}
