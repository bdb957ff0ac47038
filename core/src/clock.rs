//! Time as an argument. Nothing else in the workspace reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point of `CLOCK_BOOTTIME` in nanoseconds: it never goes back, counts while the machine sleeps, and is the same in
/// every process of one machine, so that a deadline may be handed from the front to the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct BootTime(pub u64);

impl BootTime {
    /// This point and `duration` after it.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long it is from this point until `later`; zero when `later` has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_nanos(later.0.saturating_sub(self.0))
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Nanoseconds since the Unix epoch. A wall clock: it may jump.
    fn unix_ns(&self) -> u64;

    /// Now, for deadlines.
    fn boot(&self) -> BootTime;

    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> u64 {
        self.unix_ns() / 1_000_000
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_ns(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
        let now = SystemTime::now();
        now.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
    }

    fn boot(&self) -> BootTime {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
        BootTime(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }
}
