//! Sinks: places of the operator's own that get every durable entry of the audit log and every signed checkpoint, in
//! order and at least once.
//!
//! Each has a task of its own that reads the store a page at a time and remembers in it how far its sink is. Nothing
//! waits for a sink: one that is slow, full or gone falls behind, is named in the warnings, and catches up by itself.

mod batch;
mod feed;
mod file;
mod https;
mod syslog;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use claviger_core::service::Service;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::{self, Audit, Target};
use crate::front::{Front, Warning};
use batch::Batch;
use feed::{Feed, Progress};
pub(crate) use https::read_token;
pub use syslog::Receiver;

/// How often it is looked how far behind the sinks are.
const WATCHED_EVERY: Duration = Duration::from_secs(1);

/// A sink that was made ready before the process shut itself in.
#[derive(Debug)]
pub struct Sink {
    name: String,
    way: Way,
}

/// How a sink is reached.
#[derive(Debug)]
enum Way {
    File(file::Appender),
    Syslog(Receiver),
    Https(https::Collector),
}

impl Sink {
    /// Makes all sinks ready: what the front will be unable to make or read later is made and read here.
    ///
    /// # Errors
    /// The sink and what to do.
    pub fn prepare_all(audit: &Audit, home: &Path) -> Result<Vec<Self>, String> {
        audit.sinks.iter().map(|sink| Self::prepare(sink, home)).collect()
    }

    fn prepare(sink: &config::Sink, home: &Path) -> Result<Self, String> {
        let told = |error: String| format!("audit.sinks: {}: {error}", sink.name);
        let way = match sink.target().map_err(|e| e.to_string())? {
            Target::File(file) => Way::File(file::Appender::prepare(home.join(file)).map_err(told)?),
            Target::Syslog(receiver) => Way::Syslog(receiver),
            Target::Https(url) => {
                let at = |file: &Option<PathBuf>| file.as_ref().map(|file| home.join(file));
                let (ca, token) = (at(&sink.ca_file), at(&sink.token_file));
                let collector = https::Collector::prepare(&sink.name, url, ca.as_deref(), token.as_deref());
                Way::Https(collector.map_err(told)?)
            }
        };
        Ok(Self { name: sink.name.clone(), way })
    }

    /// The file that it writes, if it is one.
    pub fn file(&self) -> Option<&Path> {
        if let Way::File(appender) = &self.way { Some(appender.path()) } else { None }
    }

    /// Hands a batch over. It comes back when the sink has it for good, as far as a sink of its kind can say.
    async fn take(&self, batch: &Batch) -> Result<(), String> {
        match &self.way {
            Way::File(appender) => appender.take(batch.lines()).await,
            Way::Syslog(receiver) => receiver.take(batch).await,
            Way::Https(collector) => collector.take(batch.lines()).await,
        }
    }
}

/// Starts a task for each sink, and one that watches them; they end when `stopped` says so.
pub fn start(front: &Front, sinks: Vec<Sink>, stopped: &watch::Receiver<bool>) {
    let mut all = Vec::with_capacity(sinks.len());
    for sink in sinks {
        let progress = Arc::new(Progress::of(&sink.name));
        all.push(progress.clone());
        tokio::spawn(Feed::new(front.service.clone(), sink, progress).run(stopped.clone()));
    }
    if !all.is_empty() {
        tokio::spawn(watch_all(front.clone(), all, stopped.clone()));
    }
}

/// Says again and again how far behind each sink is, and why.
async fn watch_all(front: Front, all: Vec<Arc<Progress>>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(WATCHED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        let Some(size) = entries(&front.service).await else { continue };
        let now = front.service.clock().boot();
        let complaints = all.iter().filter_map(|progress| {
            let lag = size.saturating_sub(progress.next());
            #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("claviger_sink_lag_entries", "sink" => progress.name().to_owned()).set(lag as f64);
            progress.complaint(now)
        });
        let complaints: Vec<String> = complaints.collect();
        front.notes.warn(Warning::SinkBehind, (!complaints.is_empty()).then(|| complaints.join("; ")));
    }
}

async fn entries(service: &Service) -> Option<u64> {
    service.store().tree_head().await.ok().map(|head| head.size)
}
