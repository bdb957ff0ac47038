//! What Kraken's answers mean. Nearly all of them have status 200; the list `error` tells.
//!
//! Source: `docs.kraken.com`, *Error messages*.

use serde::Deserialize;

use crate::meaning::{Meaning, by_status};

/// How long a temporary lockout lasts.
const LOCKOUT_MS: u64 = 15 * 60 * 1_000;

/// The frame of every answer; an entry begins with `E` for an error or `W` for a warning.
#[derive(Deserialize)]
struct Answer {
    error: Vec<String>,
}

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let Ok(Answer { error }) = serde_json::from_slice(body) else {
        return by_status(status);
    };
    let mut meanings = error.iter().filter(|entry| !entry.starts_with('W')).map(|entry| by_text(entry));
    let Some(first) = meanings.next() else {
        return if (200..=299).contains(&status) { Meaning::Accepted } else { by_status(status) };
    };
    meanings.fold(first, graver)
}

/// Of two errors in one answer keeps the one that leaves more open; a plain refusal says least.
fn graver(kept: Meaning, next: Meaning) -> Meaning {
    let rank = |meaning: &Meaning| match meaning {
        Meaning::Unknown => 2,
        Meaning::Rejected { .. } | Meaning::Accepted => 0,
        Meaning::BadSignature
        | Meaning::DeadKey
        | Meaning::SuspectKey
        | Meaning::MissingPermission
        | Meaning::AddressNotAllowed
        | Meaning::ClockSkew
        | Meaning::BadNonce
        | Meaning::RateLimited { .. }
        | Meaning::Unavailable => 1,
    };
    if rank(&next) > rank(&kept) { next } else { kept }
}

fn by_text(entry: &str) -> Meaning {
    match entry {
        "EAPI:Invalid key" => Meaning::DeadKey,
        "EAPI:Invalid signature" => Meaning::BadSignature,
        "EAPI:Invalid nonce" => Meaning::BadNonce,
        "EGeneral:Permission denied" => Meaning::MissingPermission,
        "EAPI:Rate limit exceeded" | "EOrder:Rate limit exceeded" => Meaning::RateLimited { retry_after_ms: None },
        "EGeneral:Temporary lockout" => Meaning::RateLimited { retry_after_ms: Some(LOCKOUT_MS) },
        "EService:Unavailable" | "EService:Busy" | "EService:Timeout" | "EGeneral:Internal error" => Meaning::Unknown,
        other => Meaning::rejected(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error: &str) -> Meaning {
        meaning(200, format!(r#"{{"error":{error}}}"#).as_bytes())
    }

    fn rejected(code: &str) -> Meaning {
        Meaning::Rejected { code: code.to_owned() }
    }

    #[test]
    fn documented_errors() {
        let limited = |retry_after_ms| Meaning::RateLimited { retry_after_ms };
        for (error, expected) in [
            ("[]", Meaning::Accepted),
            (r#"["WGeneral:Careful"]"#, Meaning::Accepted),
            (r#"["EAPI:Invalid key"]"#, Meaning::DeadKey),
            (r#"["EAPI:Invalid signature"]"#, Meaning::BadSignature),
            (r#"["EAPI:Invalid nonce"]"#, Meaning::BadNonce),
            (r#"["EGeneral:Permission denied"]"#, Meaning::MissingPermission),
            (r#"["EAPI:Rate limit exceeded"]"#, limited(None)),
            (r#"["EOrder:Rate limit exceeded"]"#, limited(None)),
            (r#"["EGeneral:Temporary lockout"]"#, limited(Some(900_000))),
            (r#"["EService:Unavailable"]"#, Meaning::Unknown),
            (r#"["EService:Busy"]"#, Meaning::Unknown),
            (r#"["EService:Timeout"]"#, Meaning::Unknown),
            (r#"["EAPI:Feature disabled"]"#, rejected("EAPI:Feature disabled")),
            (r#"["EOrder:Insufficient funds"]"#, rejected("EOrder:Insufficient funds")),
            (r#"["EGeneral:Unknown method"]"#, rejected("EGeneral:Unknown method")),
        ] {
            assert_eq!(answer(error), expected, "{error}");
        }
    }

    #[test]
    fn of_several_errors_the_one_that_leaves_more_open_counts() {
        assert_eq!(answer(r#"["EOrder:X","EService:Busy"]"#), Meaning::Unknown);
        assert_eq!(answer(r#"["EService:Busy","EAPI:Invalid key"]"#), Meaning::Unknown);
        assert_eq!(answer(r#"["EOrder:X","EAPI:Invalid key"]"#), Meaning::DeadKey);
        assert_eq!(answer(r#"["EOrder:X","EOrder:Y"]"#), rejected("EOrder:X"));
        assert_eq!(answer(r#"["WGeneral:X","EAPI:Invalid nonce"]"#), Meaning::BadNonce);
    }

    #[test]
    fn other_answers_are_judged_by_their_status() {
        assert_eq!(meaning(200, br#"{"result":{}}"#), Meaning::Unknown);
        assert_eq!(meaning(200, br#"{"error":[1]}"#), Meaning::Unknown);
        assert_eq!(meaning(520, b"<html>"), Meaning::Unknown);
        assert_eq!(meaning(502, br#"{"error":[]}"#), Meaning::Unknown);
        assert_eq!(meaning(403, b"<html>"), Meaning::SuspectKey);
        assert_eq!(meaning(429, b""), Meaning::RateLimited { retry_after_ms: None });
    }
}
