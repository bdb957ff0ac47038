//! What a venue's answer means for the order, for the key, and for trying again.

use crate::{encoding::printable, venue::VenueId};

/// How much of a venue's error code is kept.
const CODE_CHARS_MAX: usize = 64;

/// The meaning of an answer. Only [`Meaning::Unknown`] leaves open whether the call was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The venue did what was asked.
    Accepted,
    /// The venue refused this call for a reason of its own, such as a filter or a balance.
    Rejected {
        /// The venue's code, shortened to 64 characters of printable ASCII.
        code: String,
    },
    /// The signature does not match: a fault of Claviger's, if the key has worked before.
    BadSignature,
    /// The venue says without ambiguity that the key is gone.
    DeadKey,
    /// The key, its permissions or the source address: probe the key to learn which.
    SuspectKey,
    /// The key lacks a permission.
    MissingPermission,
    /// The key is bound to other source addresses.
    AddressNotAllowed,
    /// The timestamp is outside the venue's window.
    ClockSkew,
    /// The nonce is not above the last one the key has used.
    BadNonce,
    /// Too many requests.
    RateLimited {
        /// How long the venue's documentation says to wait, in milliseconds; a `Retry-After` header goes before it.
        retry_after_ms: Option<u64>,
    },
    /// The venue was not able to look at the call; it was certainly not executed.
    Unavailable,
    /// The call may have been executed or not: ask the venue, never repeat it blindly.
    Unknown,
}

impl Meaning {
    /// Whether it is certain if the call was executed.
    pub fn is_settled(&self) -> bool {
        *self != Self::Unknown
    }

    /// Makes a refusal with a cleaned code.
    pub(crate) fn rejected(code: &str) -> Self {
        Self::Rejected { code: printable(code, CODE_CHARS_MAX) }
    }
}

/// Classifies a venue's answer; any bytes have a meaning.
pub fn meaning(venue: VenueId, status: u16, body: &[u8]) -> Meaning {
    venue.rules().meaning(status, body)
}

/// Whether the body is one whole JSON object or list; an answer that was cut off is none.
pub(crate) fn is_json(body: &[u8]) -> bool {
    let begins = |first: &u8| matches!(first, b'{' | b'[');
    body.trim_ascii_start().first().is_some_and(begins) && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Classifies an answer by its status alone, where the body says nothing the venue documents.
///
/// It never returns [`Meaning::Accepted`]: an answer that was cut off proves nothing.
pub(crate) fn by_status(status: u16) -> Meaning {
    match status {
        401 | 403 => Meaning::SuspectKey,
        418 | 429 => Meaning::RateLimited { retry_after_ms: None },
        // A timeout that the server reports may hide an execution.
        408 => Meaning::Unknown,
        400..=499 => Meaning::rejected(&format!("http-{status}")),
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_alone_never_means_accepted() {
        for status in 0..=u16::MAX {
            assert_ne!(by_status(status), Meaning::Accepted);
        }
        for status in [0, 100, 200, 204, 301, 408, 500, 502, 503, 504, 520] {
            assert!(!by_status(status).is_settled(), "{status}");
        }
        assert_eq!(by_status(404), Meaning::Rejected { code: "http-404".to_owned() });
    }

    #[test]
    fn codes_are_short_and_printable() {
        let body = format!(r#"{{"error":["EOrder:\r\n{}"]}}"#, "é".repeat(500));
        let code = format!("EOrder:??{}", "?".repeat(CODE_CHARS_MAX - 9));
        assert_eq!(meaning(VenueId::Kraken, 200, body.as_bytes()), Meaning::Rejected { code });
    }

    #[test]
    fn an_empty_answer_leaves_everything_open() {
        for venue in VenueId::ALL.iter().copied() {
            assert_eq!(meaning(venue, 200, b""), Meaning::Unknown, "{venue}");
            assert_eq!(meaning(venue, 200, b"{\"err"), Meaning::Unknown, "{venue}");
            assert_eq!(meaning(venue, 502, b"<html>"), Meaning::Unknown, "{venue}");
        }
    }
}
