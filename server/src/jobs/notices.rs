//! Notices: spread to owners, and their letters handed to the relay over several connections at a time.
//!
//! A connection gets its next letter when it is durable what became of the last one: after a crash each has one letter at
//! most that the relay may have and that is sent again, under the same Message-ID.

mod carrier;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use claviger_core::id::NoticeId;
use claviger_core::notice::{Delivery, Recipient};
use claviger_core::service::{Fate, Service, ServiceError};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::front::Front;
use crate::relay::Relay;
use carrier::{Carried, carry};

/// It is looked this often whether there is something to tell.
const EVERY: Duration = Duration::from_secs(1);

/// Letters that are read at once, beyond those that are under way.
const AT_ONCE: usize = 512;

/// Letters that one commit writes down.
const SETTLED: usize = 256;

/// Tells owners what happens to their keys until `stopped` says so; then it waits for what the relay is just taking.
pub(crate) async fn tell(front: Front, relay: Option<Relay>, mut stopped: watch::Receiver<bool>) {
    let mut desk = Desk::open(&front, relay);
    loop {
        tokio::select! {
            () = desk.round() => {}
            _ = stopped.changed() => break,
        }
    }
    desk.close().await;
}

/// Letters that are due, and who carries them.
struct Desk {
    service: Arc<Service>,
    due: VecDeque<Delivery>,
    under_way: HashSet<(NoticeId, Recipient)>,
    carriers: Vec<mpsc::Sender<Delivery>>,
    idle: Vec<usize>,
    carried: mpsc::Receiver<Carried>,
    /// What is not written down yet.
    unsettled: Vec<(Delivery, Fate)>,
}

impl Desk {
    fn open(front: &Front, relay: Option<Relay>) -> Self {
        let count = relay.as_ref().map_or(0, |relay| relay.connections);
        let (done, carried) = mpsc::channel(count.max(1));
        let relay = relay.map(Arc::new);
        let carriers = (0..count).zip(relay.iter().cycle()).map(|(me, relay)| {
            let (work, assigned) = mpsc::channel(1);
            tokio::spawn(carry(me, front.clone(), relay.clone(), assigned, done.clone()));
            work
        });
        Self {
            service: front.service.clone(),
            due: VecDeque::new(),
            under_way: HashSet::new(),
            carriers: carriers.collect(),
            idle: (0..count).collect(),
            carried,
            unsettled: Vec::new(),
        }
    }

    /// Spreads a page of each notice, hands out letters, and writes down what became of others.
    async fn round(&mut self) {
        let more = self.service.tend_notices().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "notices wait");
            false
        });
        if let Err(error) = self.hand_out().await {
            tracing::warn!(%error, "letters wait");
        }
        let wait = if more || !self.unsettled.is_empty() { Duration::ZERO } else { EVERY };
        let mut carried = Vec::new();
        if self.carriers.is_empty() {
            sleep(wait).await;
        } else {
            // None within this time is no news.
            let _ = timeout(wait, self.carried.recv_many(&mut carried, SETTLED)).await;
        }
        for Carried { by, letter, fate } in carried {
            self.idle.push(by);
            match fate {
                Some(fate) => self.unsettled.push((letter, fate)),
                None => drop(self.under_way.remove(&(letter.notice, letter.to))),
            }
        }
        if let Err(error) = self.settle().await {
            tracing::warn!(%error, "what became of letters is not written down yet");
            sleep(EVERY).await;
        }
    }

    async fn hand_out(&mut self) -> Result<(), ServiceError> {
        // Nobody gets another letter while it is not written down what became of the last one.
        if self.idle.is_empty() || !self.unsettled.is_empty() {
            return Ok(());
        }
        if self.due.is_empty() {
            let due = self.service.due_letters(self.under_way.len().saturating_add(AT_ONCE)).await?.into_iter();
            self.due = due.filter(|letter| !self.under_way.contains(&(letter.notice, letter.to))).collect();
        }
        while let Some(by) = self.idle.pop() {
            let Some(letter) = self.due.pop_front() else {
                self.idle.push(by);
                break;
            };
            let sent = self.carriers.get(by).map(|carrier| carrier.try_send(letter));
            if let Some(Ok(())) = sent {
                self.under_way.insert((letter.notice, letter.to));
            }
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), ServiceError> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        self.service.settle_letters(&self.unsettled).await?;
        for (letter, fate) in self.unsettled.drain(..) {
            self.under_way.remove(&(letter.notice, letter.to));
            let fate = match fate {
                Fate::Sent => "sent",
                Fate::Later => "later",
                Fate::Failed(_) => "failed",
                Fate::Gone => "gone",
            };
            metrics::counter!("claviger_letters_total", "outcome" => fate).increment(1);
        }
        Ok(())
    }

    /// Waits for what is under way, and writes down what became of it.
    async fn close(mut self) {
        self.carriers.clear();
        while let Some(Carried { letter, fate, .. }) = self.carried.recv().await {
            self.unsettled.extend(fate.map(|fate| (letter, fate)));
        }
        if let Err(error) = self.settle().await {
            tracing::warn!(%error, "what became of letters is not written down: they are sent again");
        }
    }
}
