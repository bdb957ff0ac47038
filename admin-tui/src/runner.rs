//! The loop: terminal and server on one side, [`update`](crate::app::update) and [`draw`](crate::ui::draw) on the other.

mod hub;
mod input;
mod lines;
mod plain;
mod terminal;

use std::io;
use std::sync::Arc;

use claviger_core::clock::{Clock as _, SystemClock};
use crossterm::event::{Event as Raw, KeyCode};
use zeroize::Zeroizing;

use self::hub::{Hub, Message};
use self::input::Keyboard;
use self::terminal::Screen;
use crate::action::Action;
use crate::client::Client;
use crate::error::ConsoleError;
use crate::event::{Event, Input, Moment};
use crate::state::{Look, State};
use crate::{Because, Options, app, ui};

/// Runs the console until its operator leaves it.
///
/// # Errors
/// [`ConsoleError`]; the terminal is as it was before.
pub(crate) fn run(options: &Options) -> Result<(), ConsoleError> {
    drive(options, async |client| Runner::new(options, client)?.run(options).await)
}

/// Runs the console line by line.
///
/// # Errors
/// [`ConsoleError`].
pub(crate) fn run_plain(options: &Options, because: Because) -> Result<(), ConsoleError> {
    drive(options, async |client| plain::run(options, because, client).await)
}

fn drive(
    options: &Options,
    run: impl AsyncFnOnce(Arc<Client>) -> Result<(), ConsoleError>,
) -> Result<(), ConsoleError> {
    let client = Arc::new(Client::new(options)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ConsoleError::Runtime)?;
    let ended = runtime.block_on(run(Arc::clone(&client)));
    runtime.block_on(client.log_out());
    // A name that is still being looked up does not keep the operator waiting.
    runtime.shutdown_background();
    ended
}

/// What is shown once.
struct Once {
    text: Zeroizing<String>,
    /// Since when.
    shown_ms: u64,
}

struct Runner {
    hub: Hub,
    state: State,
    screen: Screen,
    /// What is shown once, until Enter is pressed. It is never in the state.
    once: Option<Once>,
}

impl Runner {
    fn new(options: &Options, client: Arc<Client>) -> Result<Self, ConsoleError> {
        let screen = Screen::open()?;
        let look = Look { no_color: options.no_color, ascii: options.ascii };
        let state = State::new(&options.tenant, look, options.read_only, terminal::size()?);
        Ok(Self { hub: Hub::new(client), state, screen, once: None })
    }

    async fn run(mut self, options: &Options) -> Result<(), ConsoleError> {
        let _keyboard = Keyboard::listen(self.hub.sender.clone()).map_err(ConsoleError::Terminal)?;
        self.hub.start()?;
        self.state.now = now();
        let logged_in = self.hub.client.has_login();
        let first = app::start(&mut self.state, options.operator.as_deref(), logged_in, options.first()?);
        self.draw()?;
        let mut ended = self.act(first)?;
        while !ended {
            ended = self.turn().await?;
            self.draw()?;
        }
        Ok(())
    }

    /// Draws, and lets the state know: keys do not count for what nobody has seen.
    fn draw(&mut self) -> Result<(), ConsoleError> {
        if let Some(Once { text, .. }) = &self.once {
            return self.screen.draw(|frame| ui::draw_once(&self.state, text, frame));
        }
        self.screen.draw(|frame| ui::draw(&self.state, frame))?;
        drop(app::update(&mut self.state, Event { at: now(), input: Input::Drawn }));
        Ok(())
    }

    /// Takes in all that has arrived, waiting for the first of it. Says whether the console ends.
    async fn turn(&mut self) -> Result<bool, ConsoleError> {
        let mut next = self.hub.next().await?;
        while let Some((at, message)) = next {
            if let Some(input) = self.read(message)
                && let actions = app::update(&mut self.state, Event { at, input })
                && self.act(actions)?
            {
                return Ok(true);
            }
            self.hub.secrets.tidy(&self.state);
            next = self.hub.next_at_once();
        }
        Ok(false)
    }

    fn read(&mut self, message: Message) -> Option<Input> {
        match message {
            // What is shown once has the screen until Enter; no key means anything else.
            Message::Raw(Raw::Paste(_)) if self.once.is_some() => None,
            Message::Raw(Raw::Key(key)) if self.once.is_some() => {
                let seen = |once: &Once| now().since(once.shown_ms) >= ONCE_MS;
                self.once = self.once.take().filter(|once| key.code != KeyCode::Enter || !seen(once));
                None
            }
            Message::Raw(raw) => self.hub.secrets.read(&self.state, raw),
            Message::Answer(answer) => {
                self.hub.secrets.hear(&answer);
                let once = self.hub.client.take_once().map(|text| Once { text, shown_ms: now().steady_ms });
                self.once = once.or_else(|| self.once.take());
                Some(Input::Answer(answer))
            }
            Message::Line(_) => None,
            Message::Tick => Some(Input::Tick),
            Message::End => Some(Input::End),
        }
    }

    /// Does what is to be done. Says whether the console ends.
    fn act(&mut self, actions: Vec<Action>) -> Result<bool, ConsoleError> {
        for action in actions {
            match action {
                Action::Ask(ask) => self.hub.ask(ask),
                Action::Copy(text) => self.screen.copy(&text)?,
                Action::Repaint => self.screen.repaint()?,
                Action::Suspend => self.suspend()?,
                Action::Quit => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Stops until the shell says to go on.
    fn suspend(&mut self) -> Result<(), ConsoleError> {
        self.screen.suspend()?;
        drop(app::update(&mut self.state, Event { at: now(), input: Input::Back }));
        self.screen.repaint()
    }
}

fn now() -> Moment {
    let clock = SystemClock;
    Moment { steady_ms: clock.boot().0 / 1_000_000, unix_ms: clock.unix_ms() }
}

/// A key that comes sooner was not meant for what is shown once.
const ONCE_MS: u64 = 1_000;

/// Whether input and output are a terminal.
pub(crate) fn is_terminal() -> bool {
    use io::IsTerminal as _;
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
