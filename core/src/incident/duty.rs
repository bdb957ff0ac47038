//! Clocks: what must be done about an incident, and by when.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// What must be done about an incident within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// The supervisor of a financial entity is told first (DORA article 19).
    DoraInitial,
    /// Everybody can read of it.
    Publish,
    /// Whose keys or data are touched, and the authority (GDPR article 33), are told.
    Notify,
    /// The supervisor is told what is known by then.
    DoraIntermediate,
    /// The supervisor is told what was the cause.
    DoraFinal,
}

impl Duty {
    /// All of them, soonest first.
    pub const ALL: [Self; 5] =
        [Self::DoraInitial, Self::Publish, Self::Notify, Self::DoraIntermediate, Self::DoraFinal];

    /// The word used in API, command line and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoraInitial => "dora-initial",
            Self::Publish => "publish",
            Self::Notify => "notify",
            Self::DoraIntermediate => "dora-intermediate",
            Self::DoraFinal => "dora-final",
        }
    }

    /// Within what time, milliseconds from the moment that the incident was known.
    ///
    /// DORA counts some of its times from an earlier report; from the detection on they are never later. Its month is
    /// taken as 28 days, the shortest there is.
    pub fn within_ms(self) -> u64 {
        let hours = match self {
            Self::DoraInitial => 4,
            Self::Publish => 24,
            Self::Notify | Self::DoraIntermediate => 72,
            Self::DoraFinal => 28 * 24,
        };
        HOUR_MS.saturating_mul(hours)
    }

    /// Whether only incidents that touch a tenant under DORA have it.
    pub fn is_dora(self) -> bool {
        matches!(self, Self::DoraInitial | Self::DoraIntermediate | Self::DoraFinal)
    }
}

/// The text names no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a clock is `publish`, `notify`, `dora-initial`, `dora-intermediate` or `dora-final`")]
pub struct BadDuty;

impl FromStr for Duty {
    type Err = BadDuty;

    fn from_str(text: &str) -> Result<Self, BadDuty> {
        Self::ALL.into_iter().find(|duty| duty.as_str() == text).ok_or(BadDuty)
    }
}

/// A clock of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// What must be done.
    pub duty: Duty,
    /// By when, milliseconds since the Unix epoch.
    pub due_ms: u64,
    /// When it was done, milliseconds since the Unix epoch.
    pub met_ms: Option<u64>,
}

impl Deadline {
    /// Whether it has run out without being met, at a time in milliseconds since the Unix epoch.
    pub fn is_overdue(&self, now_ms: u64) -> bool {
        self.met_ms.is_none() && now_ms > self.due_ms
    }
}

/// The clocks of an incident that was known at a time in milliseconds since the Unix epoch, soonest first; `dora` says
/// whether it touches a tenant that falls under DORA.
pub fn deadlines(detected_ms: u64, dora: bool) -> Vec<Deadline> {
    let due = |duty: Duty| Deadline { duty, due_ms: detected_ms.saturating_add(duty.within_ms()), met_ms: None };
    Duty::ALL.into_iter().filter(|duty| dora || !duty.is_dora()).map(due).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_785_312_000_000;

    fn hours(dora: bool) -> Vec<(&'static str, u64)> {
        let all = deadlines(NOW_MS, dora).into_iter();
        all.map(|deadline| (deadline.duty.as_str(), deadline.due_ms.saturating_sub(NOW_MS) / HOUR_MS)).collect()
    }

    #[test]
    fn everybody_has_two_clocks_and_dora_three_more() {
        assert_eq!(hours(false), [("publish", 24), ("notify", 72)]);
        let dora =
            [("dora-initial", 4), ("publish", 24), ("notify", 72), ("dora-intermediate", 72), ("dora-final", 672)];
        assert_eq!(hours(true), dora);
    }

    #[test]
    fn a_clock_is_overdue_after_its_last_millisecond_until_it_is_met() {
        for deadline in deadlines(NOW_MS, true) {
            assert!(!deadline.is_overdue(NOW_MS));
            assert!(!deadline.is_overdue(deadline.due_ms));
            assert!(deadline.is_overdue(deadline.due_ms + 1));
            let met = Deadline { met_ms: Some(deadline.due_ms + 5), ..deadline.clone() };
            assert!(!met.is_overdue(deadline.due_ms + 9), "late, and done");
        }
    }

    #[test]
    fn times_at_the_end_of_all_times_do_not_wrap() {
        assert!(deadlines(u64::MAX, true).iter().all(|deadline| deadline.due_ms == u64::MAX));
    }

    #[test]
    fn a_clock_is_found_by_its_word() {
        for duty in Duty::ALL {
            assert_eq!(duty.as_str().parse(), Ok(duty));
        }
        assert_eq!("tell".parse::<Duty>(), Err(BadDuty));
    }
}
