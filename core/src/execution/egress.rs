//! The way out to a venue, as the domain sees it.

use std::time::Duration;

use async_trait::async_trait;
use claviger_venues::{RequestParts, VenueId};
use data_encoding::HEXLOWER_PERMISSIVE;

/// What a venue answered: bounded, and with only the headers that may pass on (rate headers, `Retry-After`, `Date`,
/// `Content-Type`), names in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that may pass on.
    pub headers: Vec<(String, String)>,
    /// The body, at most as long as the venue entry allows.
    pub body: Vec<u8>,
}

impl VenueAnswer {
    /// Puts `shown` in the place of the key id, wherever the venue repeats it.
    pub(super) fn hide(&mut self, key_id: &str, shown: &str) {
        if key_id.is_empty() {
            return;
        }
        let mut rest = self.body.as_slice();
        let mut cleaned = Vec::new();
        while let Some((before, after)) = parted(rest, key_id.as_bytes()) {
            cleaned.extend_from_slice(before);
            cleaned.extend_from_slice(shown.as_bytes());
            rest = after;
        }
        if rest.len() < self.body.len() {
            cleaned.extend_from_slice(rest);
            self.body = cleaned;
        }
    }
}

/// What stands before the first key id and what stands after it.
fn parted<'a>(text: &'a [u8], key_id: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    (0..text.len()).find_map(|at| {
        let (before, from) = text.split_at(at);
        Some((before, beyond(from, key_id)?))
    })
}

/// What stands behind the key id that the text begins with, each of whose characters may be escaped (RFC 8259 section 7).
fn beyond<'a>(text: &'a [u8], key_id: &[u8]) -> Option<&'a [u8]> {
    key_id.iter().try_fold(text, |text, byte| match text {
        [b'\\', b'u', b'0', b'0', high, low, rest @ ..]
            if HEXLOWER_PERMISSIVE.decode(&[*high, *low]).is_ok_and(|code| code == [*byte]) =>
        {
            Some(rest)
        }
        [b'\\', given, rest @ ..] | [given, rest @ ..] if given == byte => Some(rest),
        _ => None,
    })
}

/// Why there is no answer. The difference decides whether an order may exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not one byte of the request reached the venue: certainly not executed.
    #[error("the venue could not be reached: {0}")]
    NotSent(String),
    /// The request, or a part of it, left and no complete answer came back: executed or not.
    #[error("the venue's answer was lost: {0}")]
    Unknown(String),
}

/// Sends finished requests to venues.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Sends `request` to `venue`: it leaves within `departure` or not at all, and the whole answer is waited for at most
    /// `timeout`.
    ///
    /// # Errors
    /// [`SendError`] says what is certain. No text in it holds a URL, a header or a body.
    async fn send(
        &self,
        venue: VenueId,
        request: RequestParts,
        departure: Duration,
        timeout: Duration,
    ) -> Result<VenueAnswer, SendError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_key_id_is_hidden_wherever_it_stands() {
        let cleaned = |body: &str, key_id: &str| {
            let mut answer = VenueAnswer { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
            answer.hide(key_id, "shown");
            String::from_utf8(answer.body).unwrap()
        };
        assert_eq!(cleaned(r#"{"apiKey":"REAL","x":"REALREAL"}"#, "REAL"), r#"{"apiKey":"shown","x":"shownshown"}"#);
        assert_eq!(cleaned("REAL", "REAL"), "shown");
        assert_eq!(cleaned("nothing", "REAL"), "nothing");
        assert_eq!(cleaned("REAL", ""), "REAL");
        // Base64 has slashes and plus signs, which many a venue's JSON escapes.
        for spelled in ["R/a+L", r"R\/a+L", r"R\u002fa\u002BL", r"\u0052/\u0061+\u004C"] {
            assert_eq!(cleaned(&format!(r#"{{"key":"{spelled}"}}"#), "R/a+L"), r#"{"key":"shown"}"#);
        }
        for other in [r"R\u002", r"R\", r"R\u002ga+L", r"R\\a+L"] {
            assert_eq!(cleaned(other, "R/a+L"), other);
        }
    }
}
