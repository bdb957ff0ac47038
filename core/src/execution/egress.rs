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
