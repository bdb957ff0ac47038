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
    /// When it said so by its own clock, in milliseconds since the Unix epoch, to the second.
    pub said_ms: Option<u64>,
}

impl Readiness {
    /// Takes in what the server says.
    pub fn from_view(view: &ReadyView) -> Self {
        Self {
            ready: view.ready,
            parts: view.parts.iter().map(|(name, text)| (clean(name), clean(text))).collect(),
            warnings: view.warnings.iter().map(|text| clean(text)).collect(),
            said_ms: None,
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
    /// The server cannot be reached; what is shown, if there is anything, was so this many seconds ago.
    Offline(Option<u64>),
}

/// How soon something is worth asking for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Haste {
    /// Now and then: it changes all the time, and each asking is an entry of the audit log.
    Seldom,
    /// At once.
    Soon,
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
    /// How soon what is looked at is to be asked for, because the stream said that it changed.
    pub pushed: Option<Haste>,
    /// When it was asked for because of that last.
    hurried_ms: Option<u64>,
    /// How far the server's clock is ahead of this machine's, in milliseconds; 0 where they agree.
    pub skew_ms: i64,
}

impl Service {
    /// Whether it is time to ask.
    pub fn is_due(&self, now: Moment) -> bool {
        !self.waiting && self.asked_ms.is_none_or(|asked| now.since(asked) >= POLL_MS)
    }

    /// Makes it due.
    pub fn hurry(&mut self) {
        self.asked_ms = None;
    }

    /// Whether what changes is told, so that it need not be asked for all the time.
    pub fn is_told(&self, now: Moment) -> bool {
        self.streamed_ms.is_some_and(|heard| now.since(heard) <= STREAM_LIVE_MS)
    }

    /// Notes that the stream of events was heard, or that it broke off.
    pub fn hear_stream(&mut self, now: Moment, open: bool) {
        self.streamed_ms = open.then_some(now.steady_ms);
    }

    /// Notes that the stream said that something that is looked at changed.
    pub fn push(&mut self, haste: Haste) {
        self.pushed = self.pushed.max(Some(haste));
    }

    /// Whether what is looked at is to be asked for by now because of what the stream said; if so, that is done with.
    pub fn is_pushed(&mut self, now: Moment) -> bool {
        let due = match self.pushed {
            None => false,
            Some(Haste::Seldom) => self.hurried_ms.is_none_or(|hurried| now.since(hurried) >= SELDOM_MS),
            Some(Haste::Soon) => true,
        };
        if due {
            (self.pushed, self.hurried_ms) = (None, Some(now.steady_ms));
        }
        due
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
            let ahead = readiness.said_ms.and_then(|said| said.checked_signed_diff(now.unix_ms)).unwrap_or(0);
            self.skew_ms = if ahead.unsigned_abs() > SKEW_MS { ahead } else { 0 };
            self.readiness = readiness;
            self.heard_ms = Some(now.steady_ms);
        }
    }

    /// How far what is shown can be believed: as far as the older of status and list, which was heard at `list_ms`.
    pub fn link(&self, now: Moment, list_ms: Option<u64>, trouble: bool) -> Link {
        let (Some(status_ms), Some(list_ms)) = (self.heard_ms, list_ms) else {
            return if self.unreachable { Link::Offline(None) } else { Link::Opening };
        };
        let (status_age, list_age) = (now.since(status_ms), now.since(list_ms));
        let list_max = if self.is_told(now) { LIST_TOLD_LIVE_MS } else { LIST_LIVE_MS };
        let age = status_age.max(list_age) / 1000;
        if !trouble && status_age <= STATUS_LIVE_MS && list_age <= list_max {
            Link::Live
        } else if self.unreachable {
            Link::Offline(Some(age))
        } else {
            Link::Stale(age)
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
/// The same of a list whose changes are told: it is asked for seldom, and an answer that does not come is asked for again.
pub const LIST_TOLD_LIVE_MS: u64 = super::list::REFRESH_TOLD_MS + LIST_LIVE_MS;
/// A stream that was not heard for so long tells nothing: it says every five seconds that it is there.
pub const STREAM_LIVE_MS: u64 = 15_000;
/// Clocks that differ by no more agree; what the server says of its own has no fractions of a second.
pub const SKEW_MS: u64 = 30_000;
/// So often at most something is asked for that changes all the time.
pub const SELDOM_MS: u64 = 3_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(steady_ms: u64) -> Moment {
        Moment { steady_ms, unix_ms: 0 }
    }

    #[test]
    fn stale_is_loud() {
        let mut service = Service::default();
        assert_eq!(service.link(at(0), None, false), Link::Opening);
        service.hear(at(0), Err(Failure::NotSent("refused".into())));
        assert_eq!(service.link(at(0), None, false), Link::Offline(None));
        service.hear(at(0), Ok(Readiness::default()));
        assert_eq!(service.link(at(0), Some(0), false), Link::Live);
        assert_eq!(service.link(at(STATUS_LIVE_MS), Some(0), false), Link::Live);
        assert_eq!(service.link(at(STATUS_LIVE_MS + 1000), Some(0), false), Link::Stale(7));
        service.hear(at(20_000), Ok(Readiness::default()));
        assert_eq!(service.link(at(20_000), Some(0), false), Link::Stale(20), "a list that does not come is stale too");
        service.hear(at(40_000), Err(Failure::NotSent("refused".into())));
        assert_eq!(service.link(at(40_000), Some(30_000), false), Link::Offline(Some(20)));
    }

    #[test]
    fn a_list_whose_changes_are_told_lives_longer_while_they_are() {
        let mut service = Service::default();
        let heard = |service: &mut Service, ms| service.hear(at(ms), Ok(Readiness::default()));
        heard(&mut service, 20_000);
        assert_eq!(service.link(at(20_000), Some(0), false), Link::Stale(20));
        service.hear_stream(at(20_000), true);
        assert_eq!(service.link(at(20_000), Some(0), false), Link::Live);
        heard(&mut service, 36_000);
        assert_eq!(
            service.link(at(36_000), Some(20_000), false),
            Link::Stale(16),
            "a stream that is not heard tells nothing"
        );
        service.hear_stream(at(36_000), true);
        assert_eq!(service.link(at(36_000), Some(20_000), false), Link::Live);
        service.hear_stream(at(36_000), false);
        assert_eq!(service.link(at(36_000), Some(20_000), false), Link::Stale(16));
    }

    #[test]
    fn clocks_that_differ_much_are_noticed() {
        let mut service = Service::default();
        let mut check = |said_ms, expected| {
            let now = Moment { steady_ms: 0, unix_ms: 1_000_000 };
            service.hear(now, Ok(Readiness { said_ms, ..Readiness::default() }));
            assert_eq!(service.skew_ms, expected, "{said_ms:?}");
        };
        check(Some(1_030_000), 0);
        check(Some(1_031_000), 31_000);
        check(Some(969_000), -31_000);
        check(Some(970_000), 0);
        check(Some(u64::MAX), 0);
        check(None, 0);
    }

    #[test]
    fn what_changes_all_the_time_is_asked_for_now_and_then() {
        let mut service = Service::default();
        assert!(!service.is_pushed(at(0)));
        let asked = (0..20_u64).filter(|half| {
            service.push(Haste::Seldom);
            service.is_pushed(at(10_000 + half * 500))
        });
        assert_eq!(asked.map(|half| half * 500).collect::<Vec<_>>(), [0, 3_000, 6_000, 9_000]);
        service.push(Haste::Soon);
        service.push(Haste::Seldom);
        assert!(service.is_pushed(at(19_600)), "what does not wait is asked for at once");
        assert!(!service.is_pushed(at(30_000)), "and all of it with that");
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
