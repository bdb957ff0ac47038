//! What many times come to.

use std::time::Duration;

/// What a crowd did in a while.
#[derive(Debug, Default)]
pub(crate) struct Round {
    times: Vec<Duration>,
    /// How many attempts came to nothing.
    pub(crate) errors: u32,
    /// The first of them, in words.
    pub(crate) first_error: Option<String>,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl Round {
    /// Takes down one attempt that came to something.
    pub(crate) fn took(&mut self, time: Duration) {
        self.times.push(time);
    }

    /// Takes down one that did not.
    pub(crate) fn failed(&mut self, error: &anyhow::Error) {
        self.errors = self.errors.saturating_add(1);
        self.first_error.get_or_insert_with(|| format!("{error:#}"));
    }

    /// Adds another round to this one; the clock is the caller's affair.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.times.extend(other.times);
        self.errors = self.errors.saturating_add(other.errors);
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// How many came to something.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.times.len()).unwrap_or(u32::MAX)
    }

    /// How many in a second.
    pub(crate) fn rate(&self) -> f64 {
        ratio(f64::from(self.count()), self.elapsed.as_secs_f64())
    }

    /// The time that so many percent of the attempts stayed within.
    pub(crate) fn percentile(&self, percent: u32) -> Duration {
        percentile(&self.times, percent)
    }

    /// What of `whole` falls to each.
    pub(crate) fn each(&self, whole: Duration) -> Duration {
        whole.checked_div(self.count()).unwrap_or_default()
    }
}

/// The smallest of the times that at least so many percent of them stay within (nearest rank); zero without any.
pub(crate) fn percentile(times: &[Duration], percent: u32) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let percent = usize::try_from(percent).unwrap_or(usize::MAX);
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// One number over another; zero where there is no other.
pub(crate) fn ratio(of: f64, to: f64) -> f64 {
    if to > 0.0 { of / to } else { 0.0 }
}

/// Milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn check(times: &[u64], percent: u32, expected: u64) {
        let times: Vec<Duration> = times.iter().copied().map(ms).collect();
        assert_eq!(percentile(&times, percent), ms(expected), "{percent} % of {times:?}");
    }

    #[test]
    fn a_percentile_is_one_of_the_times_and_needs_no_order() {
        check(&[], 50, 0);
        check(&[7], 1, 7);
        check(&[7], 99, 7);
        check(&[3, 1, 2], 50, 2);
        check(&[4, 3, 2, 1], 50, 2);
        check(&[4, 3, 2, 1], 51, 3);
        check(&[4, 3, 2, 1], 100, 4);
    }

    #[test]
    fn one_slow_in_a_hundred_is_beyond_the_99th_percentile_and_two_are_not() {
        let mut times = vec![ms(1); 99];
        times.push(ms(500));
        assert_eq!(percentile(&times, 99), ms(1));
        times.push(ms(500));
        assert_eq!(percentile(&times, 99), ms(500));
    }

    #[test]
    fn a_rate_counts_what_came_to_something_and_each_has_its_share() {
        let mut round = Round { elapsed: ms(500), ..Round::default() };
        for _ in 0..10 {
            round.took(ms(1));
        }
        round.absorb(Round { times: vec![ms(2); 10], errors: 5, elapsed: ms(9), ..Round::default() });
        assert!((round.rate() - 40.0).abs() < 1e-9, "{}", round.rate());
        assert_eq!((round.count(), round.errors), (20, 5));
        assert_eq!(round.each(ms(60)), ms(3));
    }

    #[test]
    fn nothing_at_all_is_no_division_by_zero() {
        let none = Round::default();
        assert!(none.rate().abs() < f64::EPSILON);
        assert_eq!(none.each(ms(1)), Duration::ZERO);
        assert!(ratio(1.0, 0.0).abs() < f64::EPSILON);
    }
}
