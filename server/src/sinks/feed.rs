//! The task of one sink: read a page, hand it over, remember that it was taken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_core::clock::BootTime;
use claviger_core::service::Service;
use claviger_core::store::{Change, Key, Row, SinkCursor, Store, Versioned};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Batch, Sink};

/// A sink that has everything is looked after so often.
const IDLE: Duration = Duration::from_millis(500);

/// The pause after a failure; it doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// A sink that has kept a batch for so long is complained about.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far a sink is, for those who watch.
#[derive(Debug)]
pub(super) struct Progress {
    name: String,
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    trouble: Option<String>,
    given: Option<BootTime>,
}

impl Progress {
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), next: AtomicU64::new(0), state: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the entry that the sink is to get next.
    pub(super) fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// What is wrong with the sink, in words for operators.
    pub(super) fn complaint(&self, now: BootTime) -> Option<String> {
        let state = self.lock();
        let silent = state.given.is_some_and(|given| given.until(now) > PATIENCE);
        let why = match &state.trouble {
            Some(trouble) => trouble.as_str(),
            None if silent => "it does not take what it was given",
            None => return None,
        };
        Some(format!("the audit sink {} is behind: {why}", self.name))
    }

    fn give(&self, now: BootTime) {
        self.lock().given = Some(now);
    }

    /// Notes how a round ended, and says whether that is news.
    fn ended(&self, trouble: Option<&String>) -> bool {
        let mut state = self.lock();
        let is_news = state.trouble.is_some() != trouble.is_some();
        *state = State { trouble: trouble.cloned(), given: None };
        is_news
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What feeds one sink.
pub(super) struct Feed {
    service: Arc<Service>,
    sink: Sink,
    progress: Arc<Progress>,
    /// Read from the store before the first batch.
    cursor: Option<SinkCursor>,
}

impl Feed {
    pub(super) fn new(service: Arc<Service>, sink: Sink, progress: Arc<Progress>) -> Self {
        Self { service, sink, progress, cursor: None }
    }

    /// Feeds the sink until `stopped` says so. A batch that is under way then is sent again at the next start.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut pause = PAUSE_MIN;
        loop {
            let round = tokio::select! {
                round = self.round() => round,
                _ = stopped.changed() => return,
            };
            let is_news = self.progress.ended(round.as_ref().err());
            let wait = if let Ok(more) = round {
                if is_news {
                    tracing::info!(sink = %self.sink.name, "the audit sink takes entries again");
                }
                pause = PAUSE_MIN;
                if more { Duration::ZERO } else { IDLE }
            } else {
                let wait = pause;
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
                wait
            };
            tokio::select! {
                () = sleep(wait) => {}
                _ = stopped.changed() => return,
            }
        }
    }

    /// Hands one batch over, and says whether there may be more at once.
    async fn round(&mut self) -> Result<bool, String> {
        let store = self.service.store();
        let key = Key::Sink(self.sink.name.clone());
        let from = match self.cursor {
            Some(cursor) => cursor,
            None => stored(store, key.clone()).await?,
        };
        self.cursor = Some(from);
        self.progress.next.store(from.leaf, Ordering::Relaxed);
        let batch = Batch::read(store, from).await.map_err(|e| e.to_string())?;
        let Some(batch) = batch else { return Ok(false) };
        if let Some(first) = batch.lines.iter().find_map(|line| line.seq).filter(|first| *first > from.leaf) {
            let sink = &self.sink.name;
            tracing::warn!(%sink, from.leaf, first, "entries left the store before the sink took them; segments have them");
        }
        self.progress.give(self.service.clock().boot());
        self.sink.take(&batch).await?;
        // Taken, whether or not that can be remembered: what is not is sent again after a restart.
        self.cursor = Some(batch.cursor);
        self.progress.next.store(batch.cursor.leaf, Ordering::Relaxed);
        let remembered = store.put_cas(vec![Change::set(key, Row::Sink(batch.cursor))], Vec::new()).await;
        remembered.map_err(|e| format!("its place is not remembered: {e}"))?;
        Ok(batch.is_full)
    }
}

async fn stored(store: &dyn Store, key: Key) -> Result<SinkCursor, String> {
    match store.get(key).await.map_err(|e| e.to_string())? {
        Some(Versioned { row: Row::Sink(cursor), .. }) => Ok(cursor),
        _ => Ok(SinkCursor::default()),
    }
}
