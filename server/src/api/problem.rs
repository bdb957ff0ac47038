//! Errors as they leave: RFC 9457 problem details with a stable code.

use std::num::NonZeroU32;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::id::RequestId;
use claviger_core::service::{Part, ServiceError};
use serde::Serialize;
use utoipa::ToSchema;

use super::middleware::Noted;

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says what it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: &'static str,
    /// What happened, what was not changed, what to do.
    pub detail: String,
    /// The rule that refused, of docs/policy.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// Each objection against a key, with what its owner can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<ObjectionView>,
    /// Names this request in logs and audit entries.
    #[schema(value_type = String)]
    pub request_id: RequestId,
    /// `Retry-After`, seconds.
    #[serde(skip)]
    retry_after: Option<NonZeroU32>,
    /// Whether the refusal has its audit entry already.
    #[serde(skip)]
    noted: bool,
}

/// RFC 9457 section 4.2.1.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub enum Kind {
    /// The problem is what its status and code say.
    #[serde(rename = "about:blank")]
    Blank,
}

/// One objection against a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectionView {
    /// Stable.
    pub code: &'static str,
    /// Which box to untick, in the venue's words.
    pub advice: String,
}

impl Problem {
    /// A problem of this code.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>, request: RequestId) -> Self {
        Self {
            kind: Kind::Blank,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            rule: None,
            objections: Vec::new(),
            request_id: request,
            retry_after: None,
            noted: false,
        }
    }

    /// A problem that is over in so many seconds, at least 1.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self { retry_after: NonZeroU32::new(seconds), ..self }
    }

    /// The problem of a refusal that the use-case has recorded itself.
    #[must_use]
    pub fn noted(self) -> Self {
        Self { noted: true, ..self }
    }

    /// What a use-case's error is over HTTP.
    pub fn of(error: &ServiceError, request: RequestId) -> Self {
        let (status, code) = match error {
            ServiceError::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            ServiceError::CodeMissing => (StatusCode::UNAUTHORIZED, "code_missing"),
            ServiceError::Denied(_) => (StatusCode::FORBIDDEN, "policy_denied"),
            ServiceError::Invalid { code, .. } => (StatusCode::BAD_REQUEST, *code),
            ServiceError::Objections(_) => (StatusCode::UNPROCESSABLE_ENTITY, "key_refused"),
            ServiceError::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            ServiceError::Conflict { code: "idempotency_key_reused", .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused")
            }
            ServiceError::Conflict { code, .. } => (StatusCode::CONFLICT, *code),
            ServiceError::Forbidden { code, .. } => (StatusCode::FORBIDDEN, *code),
            ServiceError::PlanChanged => (StatusCode::PRECONDITION_FAILED, "plan_changed"),
            ServiceError::Changed => (StatusCode::PRECONDITION_FAILED, "changed"),
            ServiceError::Unavailable { part, .. } => (StatusCode::SERVICE_UNAVAILABLE, part.code()),
            ServiceError::Limited { .. } => (StatusCode::TOO_MANY_REQUESTS, "venue_budget"),
            ServiceError::Tampered => (StatusCode::INTERNAL_SERVER_ERROR, "tampered"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let mut problem = Self::new(status, code, error.to_string(), request);
        problem.noted = error.is_disk_full();
        if let ServiceError::Denied(denied) = error {
            problem.rule = Some(denied.rule);
        }
        if let ServiceError::Objections(all) = error {
            problem.objections = all.iter().map(|o| ObjectionView { code: o.code, advice: o.advice.clone() }).collect();
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (code, noted, after) = (self.code, self.noted, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        if noted {
            response.extensions_mut().insert(Noted);
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let load = code == Part::Load.code();
        if status == StatusCode::SERVICE_UNAVAILABLE || load || status == StatusCode::CONFLICT {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(seconds) = after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.get()));
        }
        response
    }
}
