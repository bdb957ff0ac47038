//! Who carries letters: one connection to the relay each, opened when there is a letter and closed when there is none.

use std::sync::Arc;
use std::time::Duration;

use claviger_core::notice::Delivery;
use claviger_core::service::{Fate, ServiceError};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::front::{Front, Warning};
use crate::relay::{Connection, Refusal, Relay};

/// A connection without a letter for so long is closed: relays do the same, and not always politely.
const IDLE: Duration = Duration::from_secs(20);

/// What is waited for after a relay that is away, at first and at most.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// What became of a letter.
#[derive(Debug)]
pub(super) struct Carried {
    /// The carrier.
    pub(super) by: usize,
    /// The letter.
    pub(super) letter: Delivery,
    /// Nothing, if it was not tried.
    pub(super) fate: Option<Fate>,
}

/// Carries letters one after the other until no more can come.
pub(super) async fn carry(
    by: usize,
    front: Front,
    relay: Arc<Relay>,
    mut assigned: mpsc::Receiver<Delivery>,
    done: mpsc::Sender<Carried>,
) {
    let mut carrier = Carrier { front, relay, line: None, pause: SHORTEST };
    loop {
        let letter = if carrier.line.is_some() {
            let Ok(letter) = timeout(IDLE, assigned.recv()).await else {
                carrier.hang_up().await;
                continue;
            };
            letter
        } else {
            assigned.recv().await
        };
        let Some(letter) = letter else { break };
        let fate = carrier.deliver(&letter).await;
        if done.send(Carried { by, letter, fate }).await.is_err() {
            break;
        }
    }
    carrier.hang_up().await;
}

struct Carrier {
    front: Front,
    relay: Arc<Relay>,
    line: Option<Connection>,
    pause: Duration,
}

impl Carrier {
    async fn deliver(&mut self, delivery: &Delivery) -> Option<Fate> {
        // First of all the way, so that no address is opened while there is none.
        let mut line = match self.line.take() {
            Some(line) => line,
            None => self.connect().await?,
        };
        let letter = match self.front.service.letter(delivery).await {
            Ok(Some(letter)) => {
                self.pause = SHORTEST;
                letter
            }
            Ok(None) => {
                self.line = Some(line);
                return Some(Fate::Gone);
            }
            Err(error) => {
                tracing::warn!(%error, notice.id = %delivery.notice, "a letter cannot be written yet");
                self.line = Some(line);
                // One that cannot be opened keeps no other waiting; while nothing can be, all do.
                let is_its_own = !matches!(error, ServiceError::Unavailable { .. });
                return if is_its_own { Some(Fate::Later) } else { self.rest().await };
            }
        };
        let written = self.relay.written(&letter);
        // From here on the address is in the letter alone.
        drop(letter);
        let fate = match &written {
            Ok((envelope, message)) => match line.send(envelope, message).await {
                Ok(()) => Fate::Sent,
                Err(Refusal::Permanent(why)) => Fate::Failed(why),
                Err(error @ Refusal::Transient(_)) => {
                    tracing::info!(%error, notice.id = %delivery.notice, tries = delivery.tries, "a letter is sent again");
                    Fate::Later
                }
            },
            Err(why) => Fate::Failed(why.clone()),
        };
        self.line = (!line.is_broken()).then_some(line);
        Some(fate)
    }

    async fn connect(&mut self) -> Option<Connection> {
        match self.relay.connect().await {
            Ok(line) => {
                self.pause = SHORTEST;
                self.front.notes.warn(Warning::RelayAway, None);
                Some(line)
            }
            Err(error) => {
                let text = format!("letters to owners wait: the relay of notices.smtp cannot be reached: {error}");
                self.front.notes.warn(Warning::RelayAway, Some(text));
                self.rest().await
            }
        }
    }

    /// Waits, longer from time to time.
    async fn rest<T>(&mut self) -> Option<T> {
        sleep(self.pause).await;
        self.pause = self.pause.saturating_mul(2).min(LONGEST);
        None
    }

    async fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            line.close().await;
        }
    }
}
