//! OKX's signature: in headers, over time, method, path with query, and body; the passphrase stands beside it.
//!
//! Source: `www.okx.com/docs-v5`, *REST Authentication* (2026-11-21).

use jiff::Timestamp;

use crate::{
    encoding::Encoding,
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

/// How long OKX accepts a signature, and for how long it takes one from the future.
pub(super) const TOLERANCE_MS: u32 = 30_000;

/// Stage 1: the time as OKX writes it, in UTC with milliseconds. What is beyond the calendar is its beginning.
pub(super) fn timestamp(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", moment.unwrap_or_default())
}

/// Stage 2: the text to sign; `query` is raw and without its question mark.
pub(super) fn string_to_sign(timestamp: &str, method: &str, path: &str, query: &str, body: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    [timestamp, method, path, mark, query, body].concat()
}

/// Runs the stages for one request.
///
/// A signature cannot say how long it is good. So that it is not good for longer than wanted, its time lies as far back as
/// OKX would still have accepted it after that.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let rendered = Rendered::of(draft.call);
    let back_ms = TOLERANCE_MS.saturating_sub(draft.at.valid_ms);
    let timestamp = timestamp(draft.at.now_ms.saturating_sub(u64::from(back_ms)));
    let method = draft.call.operation().method.as_str();
    let to_sign = string_to_sign(&timestamp, method, &rendered.path, &rendered.query, &rendered.body).into_bytes();
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("OK-ACCESS-KEY", draft.key.key_id.to_owned()),
        ("OK-ACCESS-TIMESTAMP", timestamp),
    ];
    Signable {
        scheme: Some(Scheme::HmacSha256),
        to_sign,
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![
            Fill::signature(Encoding::Base64, Place::header("OK-ACCESS-SIGN")),
            Fill::part(1, Place::header("OK-ACCESS-PASSPHRASE")),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Host, Identity, Params, Proof, SecretKind, SigningTime, VenueId, attach, check, operation, prepare};

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(timestamp(1_735_689_600_123), "2025-01-01T00:00:00.123Z");
        assert_eq!(timestamp(1_735_689_600_000), "2025-01-01T00:00:00.000Z");
        assert_eq!(timestamp(u64::MAX), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn the_query_stands_behind_a_mark() {
        assert_eq!(string_to_sign("T", "GET", "/a", "b=1", ""), "TGET/a?b=1");
        assert_eq!(string_to_sign("T", "POST", "/a", "", "{}"), "TPOST/a{}");
    }

    #[test]
    fn a_signature_ends_when_it_shall_and_the_passphrase_stands_beside_it() {
        let params = Params::new();
        let call = check(operation(VenueId::Okx, "balances").unwrap(), &params).unwrap();
        let host = Host::parse("https://www.okx.com").unwrap();
        let key = Identity::new("key", SecretKind::Hmac);
        for (valid_ms, time) in [(5_000, "00:00:05.000"), (30_000, "00:00:30.000"), (u32::MAX, "00:00:30.000")] {
            let at = SigningTime { now_ms: 1_735_689_630_000, valid_ms };
            let signable = prepare(&call, &host, key, at, 0).unwrap();
            let request = attach(signable, Proof { signature: &[0xff], parts: &[b"secret", b"Pass phrase!1"] });
            let header =
                |name| request.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
            assert_eq!(header("OK-ACCESS-TIMESTAMP"), Some(format!("2025-01-01T{time}Z").as_str()));
            assert_eq!(header("OK-ACCESS-SIGN"), Some("/w=="));
            assert_eq!(header("OK-ACCESS-PASSPHRASE"), Some("Pass phrase!1"));
            assert_eq!(header("x-simulated-trading"), None);
        }
    }
}
