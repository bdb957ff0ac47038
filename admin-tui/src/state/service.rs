//! How the service is, and how far what is shown can be believed.

use std::collections::BTreeMap;

use claviger_core::view::ReadyView;
use serde::{Deserialize, Serialize};

use crate::clean::{Clean, clean};
use crate::event::{Failure, Moment};

/// What the service says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether executions are served.
    pub ready: bool,
    /// Each part: `ok`, or what is wrong.
    pub parts: BTreeMap<Clean, Clean>,
    /// What weakens a guarantee.
    pub warnings: Vec<Clean>,
}

impl Readiness {
    /// Takes in what the server says.
    pub fn from_view(view: &ReadyView) -> Self {
        Self {
            ready: view.ready,
            parts: view.parts.iter().map(|(name, text)| (clean(name), clean(text))).collect(),
            warnings: view.warnings.iter().map(|text| clean(text)).collect(),
        }
    }

    /// The parts that are not well.
    pub fn red(&self) -> impl Iterator<Item = (&Clean, &Clean)> {
        self.parts.iter().filter(|(_, text)| text.as_str() != OK)
    }
}

/// How far what is shown can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// Nothing was heard yet.
    Opening,
    /// It is as it is.
    Live,
    /// It was so, this many seconds ago.
    Stale(u64),
    /// The server cannot be reached.
    Offline,
}

/// The polling of the service's status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What it said last.
    pub readiness: Readiness,
    /// When it said so, on the steady clock.
    pub heard_ms: Option<u64>,
    /// When it was asked last.
    pub asked_ms: Option<u64>,
    /// Whether an answer is awaited.
    pub waiting: bool,
    /// Whether it could not be reached when it was asked last.
    pub unreachable: bool,
    /// When the stream of events was heard last, if it is open.
    pub streamed_ms: Option<u64>,
    /// Whether the stream said that something that is looked at changed.
    pub pushed: bool,
}

impl Service {
    /// Whether it is time to ask.
    pub fn is_due(&self, now: Moment) -> bool {
        !self.waiting && self.asked_ms.is_none_or(|asked| now.since(asked) >= POLL_MS)
    }

    /// Notes that the stream of events was heard, or that it broke off.
    pub fn hear_stream(&mut self, now: Moment, open: bool) {
        self.streamed_ms = open.then_some(now.steady_ms);
    }

    /// Notes that it is being asked.
    pub fn ask(&mut self, now: Moment) {
        self.asked_ms = Some(now.steady_ms);
        self.waiting = true;
    }

    /// Takes in the answer.
    pub fn hear(&mut self, now: Moment, result: Result<Readiness, Failure>) {
        self.waiting = false;
        self.unreachable = matches!(result, Err(Failure::NotSent(_)));
        if let Ok(readiness) = result {
            self.readiness = readiness;
            self.heard_ms = Some(now.steady_ms);
        }
    }

    /// How far what is shown can be believed: as far as the older of status and list, which was heard at `list_ms`.
    pub fn link(&self, now: Moment, list_ms: Option<u64>) -> Link {
        let (Some(status_ms), Some(list_ms)) = (self.heard_ms, list_ms) else {
            return if self.unreachable { Link::Offline } else { Link::Opening };
        };
        let (status_age, list_age) = (now.since(status_ms), now.since(list_ms));
        if status_age <= STATUS_LIVE_MS && list_age <= LIST_LIVE_MS {
            Link::Live
        } else if self.unreachable {
            Link::Offline
        } else {
            Link::Stale(status_age.max(list_age) / 1000)
        }
    }
}

/// What a part says when it is well.
pub const OK: &str = "ok";

/// How often the status is asked for.
pub const POLL_MS: u64 = 2_000;
/// Two answers may be missing before the status counts as old.
pub const STATUS_LIVE_MS: u64 = 3 * POLL_MS;
/// One answer may be missing before the list counts as old.
pub const LIST_LIVE_MS: u64 = 2 * super::list::REFRESH_MS + POLL_MS;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(steady_ms: u64) -> Moment {
        Moment { steady_ms, unix_ms: 0 }
    }

    #[test]
    fn stale_is_loud() {
        let mut service = Service::default();
        assert_eq!(service.link(at(0), None), Link::Opening);
        service.hear(at(0), Err(Failure::NotSent("refused".into())));
        assert_eq!(service.link(at(0), None), Link::Offline);
        service.hear(at(0), Ok(Readiness::default()));
        assert_eq!(service.link(at(0), Some(0)), Link::Live);
        assert_eq!(service.link(at(STATUS_LIVE_MS), Some(0)), Link::Live);
        assert_eq!(service.link(at(STATUS_LIVE_MS + 1000), Some(0)), Link::Stale(7));
        service.hear(at(20_000), Ok(Readiness::default()));
        assert_eq!(service.link(at(20_000), Some(0)), Link::Stale(20), "a list that does not come is stale too");
        service.hear(at(40_000), Err(Failure::NotSent("refused".into())));
        assert_eq!(service.link(at(40_000), Some(39_000)), Link::Offline);
    }

    #[test]
    fn asks_once_at_a_time() {
        let mut service = Service::default();
        assert!(service.is_due(at(0)));
        service.ask(at(0));
        assert!(!service.is_due(at(60_000)));
        service.hear(at(1000), Err(Failure::NoAnswer("nothing".into())));
        assert!(!service.is_due(at(1999)));
        assert!(service.is_due(at(2000)));
    }
}
