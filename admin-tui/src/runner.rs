//! The loop: terminal and server on one side, [`update`](crate::app::update) and [`draw`](crate::ui::draw) on the other.

mod input;
mod terminal;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use claviger_core::clock::{Clock as _, SystemClock};
use crossterm::event::Event as Raw;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use self::input::Keyboard;
use self::terminal::Screen;
use crate::action::{Action, Ask};
use crate::client::{Client, Typed};
use crate::error::ConsoleError;
use crate::event::{Answer, Event, Input, Moment};
use crate::kind::Kind;
use crate::secrets::{Secrets, Slot};
use crate::state::{Look, State};
use crate::{Options, app, ui};

/// What comes through the one channel.
#[derive(Debug)]
enum Message {
    /// The terminal's report, as it is: it may be a part of a password.
    Raw(Raw),
    Answer(Answer),
    Tick,
    End,
}

/// A message and when it arrived.
type Stamped = (Moment, Message);

/// Runs the console until its operator leaves it.
///
/// # Errors
/// [`ConsoleError`]; the terminal is as it was before.
pub(crate) fn run(options: &Options) -> Result<(), ConsoleError> {
    let client = Arc::new(Client::new(options)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ConsoleError::Runtime)?;
    let ended = runtime.block_on(Runner::new(options, Arc::clone(&client))?.run(options));
    runtime.block_on(client.log_out());
    // A name that is still being looked up does not keep the operator waiting.
    runtime.shutdown_background();
    ended
}

struct Runner {
    client: Arc<Client>,
    state: State,
    secrets: Secrets,
    screen: Screen,
    sender: mpsc::Sender<Stamped>,
    receiver: mpsc::Receiver<Stamped>,
    /// Tasks that ask the server or make messages. None of them ends by a panic unless the console is broken.
    tasks: JoinSet<()>,
}

impl Runner {
    fn new(options: &Options, client: Arc<Client>) -> Result<Self, ConsoleError> {
        let screen = Screen::open()?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let look = Look { no_color: options.no_color, ascii: options.ascii };
        let state = State::new(&options.tenant, look, options.read_only, terminal::size()?);
        Ok(Self { client, state, secrets: Secrets::default(), screen, sender, receiver, tasks: JoinSet::new() })
    }

    async fn run(mut self, options: &Options) -> Result<(), ConsoleError> {
        let _keyboard = Keyboard::listen(self.sender.clone()).map_err(ConsoleError::Terminal)?;
        self.tasks.spawn(tick(self.sender.clone()));
        for kind in [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()] {
            let mut signals = signal(kind).map_err(ConsoleError::Runtime)?;
            let sender = self.sender.clone();
            self.tasks.spawn(async move {
                while signals.recv().await.is_some() {
                    drop(sender.send((now(), Message::End)).await);
                }
            });
        }
        self.state.now = now();
        let first = app::start(&mut self.state, options.operator.as_deref(), self.client.has_login(), Kind::FIRST);
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
        self.screen.draw(|frame| ui::draw(&self.state, frame))?;
        drop(app::update(&mut self.state, Event { at: now(), input: Input::Drawn }));
        Ok(())
    }

    /// Takes in all that has arrived, waiting for the first of it. Says whether the console ends.
    async fn turn(&mut self) -> Result<bool, ConsoleError> {
        let first = loop {
            tokio::select! {
                message = self.receiver.recv() => break message,
                Some(ended) = self.tasks.join_next() => ended.map_err(|_| ConsoleError::Broken)?,
            }
        };
        let mut next = first;
        while let Some((at, message)) = next {
            if let Some(input) = self.read(message)
                && let actions = app::update(&mut self.state, Event { at, input })
                && self.act(actions)?
            {
                return Ok(true);
            }
            self.secrets.tidy(&self.state);
            next = self.receiver.try_recv().ok();
        }
        Ok(false)
    }

    fn read(&mut self, message: Message) -> Option<Input> {
        match message {
            Message::Raw(raw) => self.secrets.read(&self.state, raw),
            Message::Answer(answer) => {
                self.secrets.hear(&answer);
                Some(Input::Answer(answer))
            }
            Message::Tick => Some(Input::Tick),
            Message::End => Some(Input::End),
        }
    }

    /// Does what is to be done. Says whether the console ends.
    fn act(&mut self, actions: Vec<Action>) -> Result<bool, ConsoleError> {
        for action in actions {
            match action {
                Action::Ask(ask) => self.ask(ask),
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

    fn ask(&mut self, ask: Ask) {
        let typed = match ask {
            Ask::Login { .. } | Ask::Prove { .. } => Typed {
                password: self.secrets.copy(Slot::Password),
                code: self.secrets.copy(Slot::Code),
                ..Typed::default()
            },
            Ask::Act { .. } => Typed { answer: self.secrets.copy(Slot::Answer), ..Typed::default() },
            Ask::Browser { .. }
            | Ask::BrowserPoll { .. }
            | Ask::Keep
            | Ask::Status
            | Ask::Page { .. }
            | Ask::One { .. }
            | Ask::Before { .. }
            | Ask::Forget { .. } => Typed::default(),
        };
        let (client, sender) = (Arc::clone(&self.client), self.sender.clone());
        self.tasks.spawn(async move {
            if let Some(answer) = client.ask(ask, typed).await {
                drop(sender.send((now(), Message::Answer(answer))).await);
            }
        });
    }
}

async fn tick(sender: mpsc::Sender<Stamped>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while sender.send((now(), Message::Tick)).await.is_ok() {
        ticks.tick().await;
    }
}

fn now() -> Moment {
    let clock = SystemClock;
    Moment { steady_ms: clock.boot().0 / 1_000_000, unix_ms: clock.unix_ms() }
}

/// How often time goes on. A STALE header counts seconds, so twice in each.
const TICK: Duration = Duration::from_millis(500);

/// More than this is not queued: whoever sends waits.
const QUEUE: usize = 256;

/// Whether input and output are a terminal.
pub(crate) fn is_terminal() -> bool {
    use io::IsTerminal as _;
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
