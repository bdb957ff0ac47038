//! The listeners' certificate: new files are served without a restart, and its end is announced.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::front::{Front, Warning};
use crate::tls::{Look, Renewal};

/// The files are looked at this often, and at once when somebody asks for it.
const EVERY: Duration = Duration::from_secs(1);

/// The end of the certificate is announced this long before, seconds.
const NOTICE_S: i64 = 14 * 24 * 60 * 60;

/// Looks after the certificate until `stopped` says so.
pub(crate) async fn renew(mut renewal: Renewal, front: Front, asked: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let complete = tokio::select! {
            _ = ticks.tick() => false,
            () = asked.notified() => true,
            _ = stopped.changed() => return,
        };
        match renewal.look(complete) {
            Look::Nothing => {}
            Look::Renewed => {
                let until = date(renewal.served().expires_unix_s());
                tracing::info!(%until, "a new certificate is served");
                front.notes.warn(Warning::CertificateUnfit, None);
            }
            Look::Unfit(error) => {
                let text = format!("{error}; the certificate before is served on");
                front.notes.warn(Warning::CertificateUnfit, Some(text));
            }
        }
        let (expires, now_ms) = (renewal.served().expires_unix_s(), front.service.clock().unix_ms());
        let left = expires.saturating_sub(i64::try_from(now_ms / 1_000).unwrap_or(i64::MAX));
        #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "seconds of a few years are exact")]
        metrics::gauge!("claviger_tls_expiry_seconds").set(left as f64);
        front.notes.warn(Warning::CertificateExpires, notice(expires, left));
    }
}

/// What is said about a certificate that ends in `left` seconds.
fn notice(expires_unix_s: i64, left: i64) -> Option<String> {
    let ends = if left > 0 { "ends" } else { "ended" };
    let date = date(expires_unix_s);
    let text = || format!("the certificate {ends} at {date}: put a new one and its key in place, with no restart");
    (left < NOTICE_S).then(text)
}

fn date(unix_s: i64) -> String {
    Timestamp::from_second(unix_s).map_or_else(|_| unix_s.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_announced_two_weeks_before() {
        assert_eq!(notice(1_800_000_000, NOTICE_S), None);
        let soon = notice(1_800_000_000, NOTICE_S - 1).unwrap();
        assert!(soon.contains("ends at 2027-01-15T08:00:00Z"), "{soon}");
        assert!(notice(1_800_000_000, -1).unwrap().contains("ended at"));
    }
}
