//! The health monitor: keys are asked about when they are due, venue by venue, so that one that is slow or down keeps no
//! other waiting.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use claviger_core::agenda::Due;
use claviger_core::credential::Health;
use claviger_core::id::CredentialId;
use claviger_core::service::{Look, Service, ServiceError};
use claviger_venues::VenueId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

/// Probes under way at once at one venue.
const AT_ONCE: usize = 16;

/// It is looked this often for what is due, when nothing was.
const EVERY: Duration = Duration::from_secs(1);

/// Notices and ends are looked for this often.
const EXPIRY_EVERY: Duration = Duration::from_secs(1);

/// The pause between two probes of a venue that cannot be asked: the first, and what it grows to at most, or to a tenth of a
/// cycle.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_mins(1);

const HEALTHS: [Health; 4] = [Health::Ok, Health::Suspect, Health::Dead, Health::Unproven];

/// Watches all keys until `stopped` says so.
pub(crate) async fn monitor(service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let mut jobs = JoinSet::new();
    for venue in service.venues().enabled.iter().copied() {
        jobs.spawn(ask(service.clone(), venue));
    }
    jobs.spawn(tend(service.clone()));
    jobs.spawn(count(service));
    // What was recorded is stored, and the next start goes on.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Gives notices and freezes what has expired.
async fn tend(service: Arc<Service>) {
    let mut ticks = interval(EXPIRY_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = service.tend_expiries().await {
            tracing::warn!(%error, "keys that expire cannot be read");
        }
    }
}

/// Counts the credentials by health, once in a cycle.
async fn count(service: Arc<Service>) {
    let mut ticks = interval(service.cycle());
    loop {
        ticks.tick().await;
        let counts = service.census().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "credentials cannot be counted");
            BTreeMap::new()
        });
        for venue in &service.venues().enabled {
            for health in HEALTHS.map(Health::as_str) {
                let count = counts.get(&(*venue, health)).copied().unwrap_or(0);
                #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a gauge")]
                metrics::gauge!("claviger_credentials", "venue" => venue.as_str(), "health" => health)
                    .set(count as f64);
            }
        }
    }
}

/// The probes of one venue.
#[derive(Default)]
struct Rounds {
    under_way: JoinSet<(CredentialId, Result<Look, ServiceError>)>,
    busy: HashSet<CredentialId>,
    /// How long it is left alone, while it cannot be asked: then one probe at a time shows whether it can.
    pause: Option<Duration>,
}

/// The pause after so long a one.
fn longer(pause: Duration, cycle: Duration) -> Duration {
    let tenth = cycle.checked_div(10).unwrap_or(FIRST_PAUSE);
    pause.saturating_mul(2).min(tenth.clamp(FIRST_PAUSE, LAST_PAUSE))
}

async fn ask(service: Arc<Service>, venue: VenueId) {
    let mut rounds = Rounds::default();
    loop {
        let due = service.next_probes(venue, AT_ONCE.saturating_mul(2)).await.unwrap_or_else(|error| {
            tracing::warn!(%error, %venue, "keys that are due cannot be read");
            Vec::new()
        });
        let now = service.clock().unix_ms();
        let late_ms = due.first().map_or(0, |due| now.saturating_sub(due.at_ms));
        metrics::gauge!("claviger_probe_lag_seconds", "venue" => venue.as_str())
            .set(Duration::from_millis(late_ms).as_secs_f64());
        let wait = due.first().map_or(EVERY, |due| Duration::from_millis(due.at_ms.saturating_sub(now)));
        for due in due.into_iter().filter(|due| due.at_ms <= now) {
            rounds.begin(&service, venue, due);
        }
        tokio::select! {
            Some(ended) = rounds.under_way.join_next() => {
                let Ok((id, look)) = ended else {
                    // Nobody knows which one it was: all are begun anew.
                    rounds = Rounds::default();
                    continue;
                };
                if let Some(pause) = rounds.end(venue, id, look, service.cycle()) {
                    sleep(pause).await;
                }
            }
            () = sleep(wait.clamp(FIRST_PAUSE, EVERY)) => {}
        }
    }
}

impl Rounds {
    /// Begins a probe, if there is room for it.
    fn begin(&mut self, service: &Arc<Service>, venue: VenueId, due: Due) {
        let room = if self.pause.is_some() { 1 } else { AT_ONCE };
        if self.busy.len() >= room || !self.busy.insert(due.credential) {
            return;
        }
        let service = service.clone();
        self.under_way.spawn(async move { (due.credential, service.look_after(venue, &due).await) });
    }

    /// Takes note of what a probe brought, and says how long the venue is left alone.
    fn end(
        &mut self,
        venue: VenueId,
        id: CredentialId,
        look: Result<Look, ServiceError>,
        cycle: Duration,
    ) -> Option<Duration> {
        self.busy.remove(&id);
        let look = match look {
            Ok(look) => look,
            Err(error) => {
                tracing::warn!(%error, credential.id = %id, "what the venue says of a key could not be stored");
                return Some(EVERY);
            }
        };
        metrics::counter!("claviger_probes_total", "venue" => venue.as_str(), "outcome" => look.as_str()).increment(1);
        self.pause = match look {
            // Those that were under way together say it together.
            Look::Gap if !self.busy.is_empty() => self.pause.or(Some(FIRST_PAUSE)),
            Look::Gap => Some(self.pause.map_or(FIRST_PAUSE, |pause| longer(pause, cycle))),
            // A venue that refuses one key can be asked about others.
            Look::Told(_) | Look::Gained | Look::Refused => None,
            Look::Nothing => self.pause,
        };
        if look == Look::Gained {
            metrics::counter!("claviger_alarms_total", "kind" => "scope-gained").increment(1);
        }
        self.pause.filter(|_| self.busy.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_venue_is_left_alone_while_it_does_not_answer_and_not_for_what_it_refuses() {
        let (mut rounds, cycle) = (Rounds::default(), Duration::from_mins(15));
        let mut after = |look| rounds.end(VenueId::Kraken, CredentialId::MIN, Ok(look), cycle);
        assert_eq!((0..100).find_map(|_| after(Look::Refused)), None);
        let pauses = [(); 3].map(|()| after(Look::Gap));
        assert_eq!(pauses, [250, 500, 1_000].map(|ms| Some(Duration::from_millis(ms))));
        assert_eq!(after(Look::Refused), None);
    }
}
