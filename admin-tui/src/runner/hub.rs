//! What every way to run the console has: the one channel, those who write to it, and the way to the server.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event as Raw;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::lines::Line;
use super::now;
use crate::action::Ask;
use crate::client::{Client, Typed};
use crate::error::ConsoleError;
use crate::event::{Answer, Moment};
use crate::secrets::{Secrets, Slot};

/// What comes through the one channel.
#[derive(Debug)]
pub(super) enum Message {
    /// The terminal's report, as it is: it may be a part of a password.
    Raw(Raw),
    /// A line of a console that goes line by line.
    Line(Line),
    Answer(Answer),
    Tick,
    End,
}

/// A message and when it arrived.
pub(super) type Stamped = (Moment, Message);

/// The one channel, and those who write to it.
pub(super) struct Hub {
    pub(super) client: Arc<Client>,
    pub(super) secrets: Secrets,
    pub(super) sender: mpsc::Sender<Stamped>,
    receiver: mpsc::Receiver<Stamped>,
    /// Tasks that ask the server or make messages. None of them ends by a panic unless the console is broken.
    tasks: JoinSet<()>,
}

impl Hub {
    /// A channel, and nobody who writes to it.
    pub(super) fn new(client: Arc<Client>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Self { client, secrets: Secrets::default(), sender, receiver, tasks: JoinSet::new() }
    }

    /// Starts the clock, and listens to the system and to what the service tells.
    ///
    /// # Errors
    /// [`ConsoleError::Runtime`].
    pub(super) fn start(&mut self) -> Result<(), ConsoleError> {
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
        let (client, sender) = (Arc::clone(&self.client), self.sender.clone());
        self.tasks.spawn(async move {
            let tell = |push| {
                let sender = sender.clone();
                async move { sender.send((now(), Message::Answer(Answer::Push(push)))).await.is_ok() }
            };
            client.follow(tell).await;
        });
        Ok(())
    }

    /// What arrived first, once something has.
    ///
    /// # Errors
    /// [`ConsoleError::Broken`].
    pub(super) async fn next(&mut self) -> Result<Option<Stamped>, ConsoleError> {
        loop {
            tokio::select! {
                message = self.receiver.recv() => return Ok(message),
                Some(ended) = self.tasks.join_next() => ended.map_err(|_| ConsoleError::Broken)?,
            }
        }
    }

    /// What has arrived already.
    pub(super) fn next_at_once(&mut self) -> Option<Stamped> {
        self.receiver.try_recv().ok()
    }

    /// Asks the server; the answer comes through the channel.
    pub(super) fn ask(&mut self, ask: Ask) {
        let typed = match ask {
            Ask::Login { .. } | Ask::Prove { .. } => Typed {
                password: self.secrets.copy(Slot::Password),
                code: self.secrets.copy(Slot::Code),
                ..Typed::default()
            },
            Ask::Act { .. } => Typed { answer: self.secrets.copy(Slot::Answer), ..Typed::default() },
            Ask::Browser { .. }
            | Ask::BrowserPoll { .. }
            | Ask::NoLogin
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

/// How often time goes on. A STALE header counts seconds, so twice in each.
const TICK: Duration = Duration::from_millis(500);

/// More than this is not queued: whoever sends waits.
const QUEUE: usize = 256;
