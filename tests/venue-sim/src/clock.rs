//! The only place that looks at the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A reading of `CLOCK_REALTIME`, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Reads the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "a venue lives by its own clock; the one of the product is not at hand here"
    )]
    pub(crate) fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The moment `ms` milliseconds after the Unix epoch.
    #[cfg(test)]
    pub(crate) const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    /// The moment that is `duration` later.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Nanoseconds since the Unix epoch.
    pub(crate) const fn ns(self) -> u64 {
        self.0
    }

    /// Microseconds since the Unix epoch.
    pub(crate) const fn us(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds since the Unix epoch.
    pub(crate) const fn ms(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds since the Unix epoch.
    pub(crate) const fn secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Reads a time of day in UTC or with an offset; `None` from anything else, or from before the epoch.
    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        let timestamp: Timestamp = text.parse().ok()?;
        u64::try_from(timestamp.as_nanosecond()).ok().map(Self)
    }

    /// `2025-01-01T00:00:00.123Z`, always with three digits of a second.
    pub(crate) fn rfc3339(self) -> String {
        let ms = i64::try_from(self.ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(ms).map(|timestamp| format!("{timestamp:.3}")).unwrap_or_default()
    }
}
