//! What comes in: JSON bodies read strictly, pages, preconditions. No error repeats what was sent.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::id::RequestId;
use claviger_core::service::ServiceError;
use claviger_core::store::Order;
use claviger_core::view::PageView;
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::auth::request_id;
use crate::front::Front;

/// A JSON body as it came, with its content type checked; read by [`RawJson::read`], more than once if need be.
#[derive(Clone, Debug)]
pub(super) struct RawJson {
    bytes: Bytes,
    request: RequestId,
}

impl FromRequest<Front> for RawJson {
    type Rejection = Problem;

    async fn from_request(request: Request, front: &Front) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let id = request_id(&parts, front);
        if !is_json(&parts) {
            let text = "send the body as Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", text, id));
        }
        let bytes = Bytes::from_request(Request::from_parts(parts, body), front).await.map_err(|rejection| {
            let status = rejection.status();
            match status {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                    status,
                    "body_too_large",
                    "the body is too long: 64 KiB is the most, 512 KiB for operators; nothing was done",
                    id,
                ),
                _ => Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", "the body did not arrive whole", id),
            }
        })?;
        Ok(Self { bytes, request: id })
    }
}

fn is_json(parts: &Parts) -> bool {
    let mut types = parts.headers.get_all(CONTENT_TYPE).iter();
    let one = types.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = one.split(';').next().unwrap_or_default().trim();
    types.next().is_none() && media.eq_ignore_ascii_case("application/json")
}

impl RawJson {
    /// Reads the body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let detail = described(&error);
            Problem::new(StatusCode::BAD_REQUEST, "body_invalid", detail, self.request)
        })
    }

    /// Reads one part of the body, for whoever must not keep the problem of the whole.
    pub(super) fn part<'a, T: Deserialize<'a>>(&'a self) -> Result<T, String> {
        serde_json::from_slice(&self.bytes).map_err(|error| described(&error))
    }
}

/// What is wrong, and where, without the value that stands there.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    let named = ["unknown field `", "missing field `", "duplicate field `"].iter().find_map(|prefix| {
        let rest = text.strip_prefix(prefix)?;
        let name = rest.split('`').next()?;
        let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        Some(if plain { format!("{prefix}{name}`") } else { prefix.trim_end_matches(" `").to_owned() })
    });
    match (named, error.classify()) {
        (Some(named), _) => format!("{named} ({place}); nothing was done"),
        (None, serde_json::error::Category::Data) => format!("a value of the wrong form at {place}; nothing was done"),
        (None, _) => format!("not JSON at {place}; nothing was done"),
    }
}

/// A JSON body, read.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Front> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, front: &Front) -> Result<Self, Problem> {
        RawJson::from_request(request, front).await?.read().map(Self)
    }
}

/// The `{id}` of a path.
#[derive(Debug, Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

/// The reason for an act.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// Why, for the audit log; at most 200 characters.
    #[serde(default)]
    pub(super) reason: String,
}

impl Reason {
    /// An act that cannot be undone says why.
    pub(super) fn required(self) -> Result<String, ServiceError> {
        if self.reason.trim().is_empty() {
            return Err(ServiceError::Invalid {
                code: "reason_missing",
                text: "say why: {\"reason\": \"...\"}; nothing was done".to_owned(),
            });
        }
        Ok(self.reason)
    }
}

/// `limit` and `cursor` of a list.
#[derive(Debug)]
pub(super) struct PageQuery {
    pub(super) limit: usize,
    pub(super) after: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl FromRequestParts<Front> for PageQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let id = request_id(parts, front);
        let bad = || {
            let text = "a list takes `limit` (1 to 200) and `cursor` (from `next_cursor`)";
            Problem::new(StatusCode::BAD_REQUEST, "page_invalid", text, id)
        };
        let Query(raw) = Query::<RawPage>::from_request_parts(parts, front).await.map_err(|_| bad())?;
        Self::of(raw.limit, raw.cursor.as_deref()).ok_or_else(bad)
    }
}

impl PageQuery {
    /// The page that is asked for, if there can be one like it.
    pub(super) fn of(limit: Option<usize>, cursor: Option<&str>) -> Option<Self> {
        let limit = limit.unwrap_or(50);
        let after = cursor.map(|cursor| BASE64URL_NOPAD.decode(cursor.as_bytes())).transpose().ok()?;
        (1..=200).contains(&limit).then_some(Self { limit, after })
    }
}

/// `limit`, `cursor` and `order` of a list that can be read from either end.
#[derive(Debug)]
pub(super) struct OrderedQuery {
    pub(super) page: PageQuery,
    pub(super) order: Order,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrdered {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    order: Order,
}

impl FromRequestParts<Front> for OrderedQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let id = request_id(parts, front);
        let bad = || {
            let text = "this list takes `limit` (1 to 200), `cursor` (from `next_cursor`) and `order` (`oldest` or \
                `newest`)";
            Problem::new(StatusCode::BAD_REQUEST, "page_invalid", text, id)
        };
        let Query(raw) = Query::<RawOrdered>::from_request_parts(parts, front).await.map_err(|_| bad())?;
        let page = PageQuery::of(raw.limit, raw.cursor.as_deref()).ok_or_else(bad)?;
        Ok(Self { page, order: raw.order })
    }
}

/// A page as it leaves.
pub(super) fn page<T, V: Serialize>(page: claviger_core::store::Page<T>, view: impl Fn(&T) -> V) -> Json<PageView<V>> {
    let next_cursor = page.next.map(|next| BASE64URL_NOPAD.encode(&next));
    Json(PageView { data: page.rows.iter().map(view).collect(), next_cursor })
}

/// The version that the caller read: `If-Match`.
#[derive(Clone, Copy, Debug)]
pub(super) struct IfMatch(pub(super) u64);

impl FromRequestParts<Front> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let id = request_id(parts, front);
        let version = version_of(&parts.headers);
        version.map(Self).ok_or_else(|| {
            let text = "read it first, and send its ETag as If-Match; nothing was done";
            Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", text, id)
        })
    }
}

pub(super) fn version_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(IF_MATCH)?.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// An answer with its `ETag`.
pub(super) fn tagged<T: Serialize>(version: u64, value: T) -> Response {
    let mut response = Json(value).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
