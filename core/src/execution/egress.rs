//! The way out to a venue, as the domain sees it.

use std::time::Duration;

use async_trait::async_trait;
use claviger_venues::{RequestParts, VenueId};

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
        let key_id = key_id.as_bytes();
        if key_id.is_empty() {
            return;
        }
        let mut rest = self.body.as_slice();
        let mut cleaned = Vec::new();
        while let Some(at) = rest.windows(key_id.len()).position(|window| window == key_id) {
            let (before, after) = rest.split_at(at);
            cleaned.extend_from_slice(before);
            cleaned.extend_from_slice(shown.as_bytes());
            rest = after.get(key_id.len()..).unwrap_or_default();
        }
        if cleaned.is_empty() && rest.len() == self.body.len() {
            return;
        }
        cleaned.extend_from_slice(rest);
        self.body = cleaned;
    }
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
    }
}
