//! `POST /api/v1/token`: OAuth 2 client credentials (RFC 6749 sections 2.3.1, 4.4, 5).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::id::AppId;
use claviger_core::service::ServiceError;
use data_encoding::BASE64;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::auth::{address, request_id};
use crate::front::Front;
use crate::net::CloseConnection;

/// An access token (RFC 6749 section 5.1).
#[derive(Serialize, ToSchema)]
pub(super) struct TokenView {
    /// A JWT (ES256), for `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
}

/// An error (RFC 6749 section 5.2).
#[derive(Serialize, ToSchema)]
pub(super) struct TokenError {
    /// `invalid_client`, `invalid_request`, `unsupported_grant_type`, `temporarily_unavailable`.
    error: &'static str,
    /// What to do.
    error_description: String,
}

/// Gives an app an access token for its id and secret.
#[utoipa::path(post, path = "/api/v1/token", tag = "api",
    request_body(content_type = "application/x-www-form-urlencoded", content = String, description = "grant_type=client_credentials, with HTTP Basic"),
    responses((status = 200, body = TokenView), (status = 400, body = TokenError), (status = 401, body = TokenError), (status = 503, body = TokenError)))]
pub(super) async fn issue(State(front): State<Front>, parts: Parts, body: Bytes) -> Response {
    match try_issue(&front, &parts, &body).await {
        Ok(token) => {
            let mut response = Json(token).into_response();
            // The request carried the app's secret.
            response.extensions_mut().insert(CloseConnection);
            response
        }
        Err(refusal) => refusal,
    }
}

async fn try_issue(front: &Front, parts: &Parts, body: &[u8]) -> Result<TokenView, Response> {
    let headers = &parts.headers;
    let form = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if form.split(';').next().unwrap_or_default().trim() != "application/x-www-form-urlencoded" {
        return Err(refused(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "send a form, application/x-www-form-urlencoded",
        ));
    }
    if body != b"grant_type=client_credentials" {
        let text = "send grant_type=client_credentials, and the id and secret by HTTP Basic";
        return Err(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", text));
    }
    let unknown = || refused(StatusCode::UNAUTHORIZED, "invalid_client", "the app's id or secret is not right");
    let (id, secret) = basic(headers).ok_or_else(unknown)?;
    let origin = Origin {
        kind: UserKind::App,
        id: id.to_string(),
        address: address(parts).to_string(),
        request: request_id(parts, front),
        guard: None,
    };
    match front.service.access_token(id, &secret, front.access_seconds, &origin).await {
        Ok((access_token, expires_in)) => Ok(TokenView { access_token, token_type: "Bearer", expires_in }),
        Err(ServiceError::Unauthenticated(_)) => Err(unknown()),
        Err(error) => Err(refused(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", &error.to_string())),
    }
}

fn basic(headers: &HeaderMap) -> Option<(AppId, Zeroizing<String>)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = Zeroizing::new(BASE64.decode(encoded.as_bytes()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.parse().ok()?, Zeroizing::new(secret.to_owned())))
}

fn refused(status: StatusCode, error: &'static str, text: &str) -> Response {
    let mut response = (status, Json(TokenError { error, error_description: text.to_owned() })).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    }
    response
}
