//! One message on its way to one webhook: at least once, with growing pauses, for three days.

use serde::{Deserialize, Serialize};

use super::Message;
use crate::id::{DeliveryId, TenantId, WebhookId};

/// A message for one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id: the `webhook-id` of each attempt.
    pub id: DeliveryId,
    /// The tenant.
    pub tenant: TenantId,
    /// Where it goes.
    pub webhook: WebhookId,
    /// What it says.
    pub message: Message,
    /// Since when it is tried, milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// Attempts since then.
    pub attempts: u32,
    /// How it stands.
    pub state: DeliveryState,
    /// What became of the last attempt.
    pub last: Option<Attempt>,
}

impl Delivery {
    /// When it is tried next, if it is.
    pub fn due(&self) -> Option<DueDelivery> {
        let DeliveryState::Waiting(at_ms) = self.state else { return None };
        Some(DueDelivery { tenant: self.tenant, webhook: self.webhook, at_ms, delivery: self.id })
    }
}

/// How a delivery stands; times are milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryState {
    /// It is tried next at this time.
    Waiting(u64),
    /// It was taken.
    Taken(u64),
    /// It is not tried any more.
    GivenUp(u64),
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong; empty where nothing did.
    pub fault: String,
}

/// That a delivery is to be tried at some time. Those of one webhook stand together, so that one that fails hides no
/// other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueDelivery {
    /// The tenant.
    pub tenant: TenantId,
    /// Where it goes.
    pub webhook: WebhookId,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The delivery.
    pub delivery: DeliveryId,
}

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Pauses after the first, the second and each further attempt: three days altogether.
const PAUSES_MS: [u64; 11] = [
    SECOND_MS,
    5 * SECOND_MS,
    30 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    18 * HOUR_MS,
    22 * HOUR_MS,
];

/// The longest pause that a receiver can ask for, milliseconds.
const ASKED_MS_MAX: u64 = 24 * HOUR_MS;

/// When to try again after `attempts` of them, the last at `now_ms`; `None` to give up. `asked_ms` is the pause that the
/// receiver asked for. `random` spreads what failed together over a tenth of the pause.
pub fn next_try_ms(attempts: u32, now_ms: u64, asked_ms: Option<u64>, random: u8) -> Option<u64> {
    let at = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let pause = PAUSES_MS.get(at)?;
    let pause = asked_ms.map_or(*pause, |asked| asked.min(ASKED_MS_MAX).max(*pause));
    let spread = (pause / 10).saturating_mul(u64::from(random)) / 255;
    Some(now_ms.saturating_add(pause).saturating_add(spread))
}

/// The pause that a receiver asks for by `Retry-After`: seconds, or a time (RFC 9110 section 10.2.3).
pub(crate) fn asked_ms(retry_after: &str, now_ms: u64) -> Option<u64> {
    let text = retry_after.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(SECOND_MS));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some(u64::try_from(at).ok()?.saturating_sub(now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_785_312_000_000;

    #[test]
    fn it_is_tried_for_three_days() {
        for random in [0, 100, 255] {
            let mut now = NOW;
            let mut attempts = 0;
            loop {
                attempts += 1;
                let Some(next) = next_try_ms(attempts, now, None, random) else { break };
                assert!(next > now);
                now = next;
            }
            assert_eq!(attempts, 12);
            let hours = (now - NOW) / HOUR_MS;
            assert!((71..=79).contains(&hours), "{hours} hours");
        }
        assert_eq!(next_try_ms(0, NOW, None, 0), None);
    }

    #[test]
    fn a_receiver_asks_for_more_time_and_never_for_less() {
        assert_eq!(next_try_ms(1, NOW, Some(60_000), 0), Some(NOW + 60_000));
        assert_eq!(next_try_ms(4, NOW, Some(60_000), 0), Some(NOW + 5 * MINUTE_MS));
        assert_eq!(next_try_ms(1, NOW, Some(u64::MAX), 0), Some(NOW + ASKED_MS_MAX));
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_a_time() {
        assert_eq!(asked_ms("120", NOW), Some(120_000));
        assert_eq!(asked_ms("Wed, 29 Jul 2026 08:01:00 GMT", NOW), Some(60_000));
        assert_eq!(asked_ms("Wed, 29 Jul 2020 08:01:00 GMT", NOW), Some(0));
        assert_eq!(["", "soon", "-1", "1.5"].map(|text| asked_ms(text, NOW)), [None; 4]);
    }

    #[test]
    fn what_failed_together_is_not_tried_together() {
        let at = |random| next_try_ms(5, NOW, None, random).unwrap();
        assert_eq!((at(0), at(255)), (NOW + 30 * MINUTE_MS, NOW + 33 * MINUTE_MS));
        assert!(at(128) > at(0) && at(128) < at(255));
    }
}
