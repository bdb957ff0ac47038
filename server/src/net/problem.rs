//! The answers this layer gives itself, as problem+json (RFC 9457).

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use claviger_core::{clock::SystemClock, id::RequestId};
use serde::Serialize;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What went wrong, in words for a person and a code for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'static str,
}

/// A problem and the request that it is about.
#[derive(Serialize)]
struct Named<'a> {
    #[serde(flatten)]
    problem: Problem,
    request_id: &'a str,
}

impl Problem {
    pub(super) const HTTPS_REQUIRED: Self = Self::new(
        400,
        "HTTPS required",
        "https_required",
        "this port speaks HTTPS only: use an https:// address; nothing of what you sent was read, but a secret sent \
         without TLS may have been seen on the way and should be replaced",
    );
    pub(super) const TRANSFER_ENCODING: Self = Self::new(
        400,
        "Transfer-Encoding not supported",
        "transfer_encoding_refused",
        "send the body with a Content-Length, or with exactly one Transfer-Encoding, which is chunked",
    );
    pub(super) const FORWARDED_FOR: Self = Self::new(
        400,
        "X-Forwarded-For not understood",
        "forwarded_for_invalid",
        "a trusted proxy sent an X-Forwarded-For that is no list of addresses, and nothing was done: have the proxy write \
         the address of its client there, as docs/tls.md says",
    );
    pub(super) const BODY_TOO_LARGE: Self =
        Self::new(413, "Body too large", "body_too_large", "send less in one request: the body is over the limit");
    pub(super) const BODY_TOO_SLOW: Self = Self::new(
        408,
        "Body too slow",
        "body_too_slow",
        "the body did not arrive in time and nothing was done: send the request again",
    );
    pub(super) const TOOK_TOO_LONG: Self = Self::new(
        503,
        "Request took too long",
        "request_timeout",
        "the request was given up and may have taken effect: look up its outcome before you repeat it",
    );
    pub(super) const INTERNAL: Self = Self::new(
        500,
        "Internal error",
        "internal",
        "this is a fault of the service, and the request may have taken effect: look up its outcome before you repeat \
         it, and report the time of the request",
    );

    const fn new(status: u16, title: &'static str, code: &'static str, detail: &'static str) -> Self {
        Self { r#type: "about:blank", title, status, code, detail }
    }

    /// The body of the answer.
    pub(super) fn to_json(self) -> Vec<u8> {
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// The answer, under an id of its own: the layer above, which names requests, never saw this one.
    pub(super) fn into_response(self) -> Response<Body> {
        let id = RequestId::new(&SystemClock).to_string();
        tracing::debug!(code = self.code, request.id = %id, "refused before it was read");
        let body = serde_json::to_vec(&Named { problem: self, request_id: &id }).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}
