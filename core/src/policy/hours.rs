//! Hours of the week, UTC.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A part of some days, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days; empty for all.
    #[serde(default)]
    pub days: Vec<Day>,
    /// From when on, `HH:MM`.
    pub from: String,
    /// Until when, `HH:MM`, later than `from`; `24:00` for the end of the day.
    pub until: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    const fn of(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A moment of the week.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    day: Day,
    minute: u16,
}

impl Moment {
    /// The moment of a time in milliseconds since the Unix epoch; none for one that no calendar has.
    pub(super) fn of(unix_ms: u64) -> Option<Self> {
        let time = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?.to_zoned(TimeZone::UTC);
        let minute =
            u16::try_from(time.hour()).ok()?.checked_mul(60)?.checked_add(u16::try_from(time.minute()).ok()?)?;
        Some(Self { day: Day::of(time.weekday()), minute })
    }
}

impl Hours {
    /// Checks the form.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        match (minute(&self.from), minute(&self.until)) {
            (Some(from), Some(until)) if from < until => Ok(()),
            _ => Err("hours are `from` and `until`, HH:MM in UTC, the first before the second".to_owned()),
        }
    }

    /// Whether a list of hours, where empty means always, has this moment.
    pub(super) fn any_has(all: &[Self], moment: Option<Moment>) -> bool {
        all.is_empty() || moment.is_some_and(|moment| all.iter().any(|hours| hours.has(moment)))
    }

    fn has(&self, moment: Moment) -> bool {
        let day = self.days.is_empty() || self.days.contains(&moment.day);
        let within = |from, until| (from..until).contains(&moment.minute);
        day && minute(&self.from).zip(minute(&self.until)).is_some_and(|(from, until)| within(from, until))
    }

    /// Whether each lies within one of the others, where an empty list means always.
    pub(super) fn all_within(own: &[Self], others: &[Self]) -> bool {
        let inside = |one: &Self, other: &Self| {
            super::limits::narrower(&one.days, &other.days)
                && minute(&one.from) >= minute(&other.from)
                && minute(&one.until) <= minute(&other.until)
        };
        let covered = |one: &Self| others.iter().any(|other| inside(one, other));
        others.is_empty() || (!own.is_empty() && own.iter().all(covered))
    }
}

/// Minutes since midnight of `HH:MM`, up to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let plain = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let figures = |part: &str| plain(part).then(|| part.parse::<u16>().ok()).flatten();
    let (hour, minute) = (figures(hour)?, figures(minute)?);
    let fits = (hour < 24 && minute < 60) || (hour, minute) == (24, 0);
    fits.then(|| hour.checked_mul(60)?.checked_add(minute)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: &[Day], from: &str, until: &str) -> Hours {
        Hours { days: days.to_vec(), from: from.to_owned(), until: until.to_owned() }
    }

    #[test]
    fn a_moment_lies_in_the_hours_that_have_its_day_and_minute() {
        // 2026-07-29 was a Wednesday.
        let moment = Moment::of(1_785_312_000_000);
        let open = [hours(&[Day::Mon], "00:00", "24:00"), hours(&[Day::Wed], "08:00", "08:01")];
        assert!(Hours::any_has(&open, moment));
        assert!(!Hours::any_has(&open, Moment::of(1_785_312_060_000)));
        assert!(!Hours::any_has(&open[..1], moment));
        assert!(!Hours::any_has(&open, Moment::of(u64::MAX)));
        assert!(Hours::any_has(&[], None));
    }

    #[test]
    fn texts_that_are_no_hours() {
        for (from, until) in [("08:00", "08:00"), ("8:00", "09:00"), ("23:00", "25:00"), ("", ""), ("+1:00", "02:00")] {
            assert!(hours(&[], from, until).check().is_err(), "{from} {until}");
        }
        assert_eq!(hours(&[], "00:00", "24:00").check(), Ok(()));
    }

    #[test]
    fn narrower_hours_lie_within_wider_ones() {
        let day = [hours(&[], "08:00", "20:00")];
        let morning = [hours(&[Day::Mon], "08:00", "12:00")];
        assert!(Hours::all_within(&morning, &day));
        assert!(!Hours::all_within(&day, &morning));
        assert!(Hours::all_within(&day, &[]));
        assert!(!Hours::all_within(&[], &day));
    }
}
