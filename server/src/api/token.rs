//! `POST /api/v1/token`: OAuth 2 client credentials (RFC 6749 sections 2.3.1, 4.4, 5), with a secret, an assertion
//! (RFC 7523) or a certificate (RFC 8705).

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::id::AppId;
use claviger_core::service::{ServiceError, Shown};
use data_encoding::BASE64;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::auth::{address, assertion, certificate, request_id};
use crate::front::Front;
use crate::net::CloseConnection;

/// What is asked for, as a form. Members that nobody knows are ignored (RFC 6749 section 3.2).
#[derive(Deserialize, ToSchema)]
pub(super) struct TokenForm {
    /// `client_credentials`.
    #[serde(default)]
    grant_type: String,
    /// `app_…`: needed with a certificate alone.
    client_id: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
    /// A signed JWT.
    client_assertion: Option<String>,
    /// Left out: grants say what an app may do.
    #[serde(default)]
    scope: String,
    #[serde(default)]
    #[schema(ignore)]
    client_secret: Option<IgnoredAny>,
}

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
    /// `invalid_client`, `invalid_request`, `invalid_scope`, `unsupported_grant_type`, `temporarily_unavailable`.
    error: &'static str,
    /// What to do.
    error_description: String,
}

/// Gives an app an access token for its secret, an assertion, or the certificate of its connection.
#[utoipa::path(post, path = "/api/v1/token", tag = "api",
    request_body(content_type = "application/x-www-form-urlencoded", content = TokenForm, description = "with HTTP Basic, or an assertion, or over a connection with a client certificate"),
    responses((status = 200, body = TokenView), (status = 400, body = TokenError), (status = 401, body = TokenError), (status = 503, body = TokenError)))]
pub(super) async fn issue(
    State(front): State<Front>,
    parts: Parts,
    form: Result<Form<TokenForm>, FormRejection>,
) -> Response {
    match try_issue(&front, &parts, form).await {
        Ok(token) => {
            let mut response = Json(token).into_response();
            // The request carried the app's secret.
            response.extensions_mut().insert(CloseConnection);
            response
        }
        Err(refusal) => refusal,
    }
}

async fn try_issue(
    front: &Front,
    parts: &Parts,
    form: Result<Form<TokenForm>, FormRejection>,
) -> Result<TokenView, Response> {
    let malformed = |error, text| refused(StatusCode::BAD_REQUEST, error, text);
    let Ok(Form(form)) = form else {
        return Err(malformed("invalid_request", "send a form, application/x-www-form-urlencoded, each member once"));
    };
    if form.grant_type != "client_credentials" {
        return Err(malformed("unsupported_grant_type", "send grant_type=client_credentials"));
    }
    if !form.scope.is_empty() {
        return Err(malformed("invalid_scope", "leave `scope` out: what an app may do is in its grants"));
    }
    let (app, shown) = who(front, &parts.headers, &form).await?;
    let origin = Origin {
        kind: UserKind::App,
        id: app.to_string(),
        address: address(parts).to_string(),
        request: request_id(parts, front),
        guard: None,
    };
    let issued = front.service.access_token(app, shown, certificate(parts), front.access_seconds, &origin).await;
    let (access_token, expires_in) = issued.map_err(|error| told(&error))?;
    Ok(TokenView { access_token, token_type: "Bearer", expires_in })
}

/// Who asks, and what it shows: by one method, not two (RFC 6749 section 2.3).
async fn who(front: &Front, headers: &HeaderMap, form: &TokenForm) -> Result<(AppId, Shown), Response> {
    let malformed = |text| refused(StatusCode::BAD_REQUEST, "invalid_request", text);
    let unknown = |text| refused(StatusCode::UNAUTHORIZED, "invalid_client", text);
    if form.client_secret.is_some() {
        return Err(malformed("send id and secret by HTTP Basic, not in the form"));
    }
    let named = form.client_id.as_deref().filter(|id| !id.is_empty());
    let (app, shown) = match (headers.contains_key(AUTHORIZATION), &form.client_assertion) {
        (true, Some(_)) => return Err(malformed("authenticate by HTTP Basic or by an assertion, not by both")),
        (true, None) => {
            let (app, secret) = basic(headers).ok_or_else(|| unknown("the app's id or secret is not right"))?;
            (app, Shown::Secret(secret))
        }
        (false, Some(text)) => {
            if form.client_assertion_type.as_deref() != Some(assertion::TYPE) {
                return Err(malformed(
                    "client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ));
            }
            let (app, asserted) = assertion::verify(front, text).await.map_err(|error| told(&error))?;
            (app, Shown::Assertion(asserted))
        }
        (false, None) => {
            let app = named.and_then(|id| id.parse().ok());
            let text = "send id and secret by HTTP Basic, or an assertion, or client_id over a connection with a \
                        client certificate";
            (app.ok_or_else(|| unknown(text))?, Shown::Certificate)
        }
    };
    if named.is_some_and(|id| id != app.to_string()) {
        return Err(unknown("client_id names another app"));
    }
    Ok((app, shown))
}

fn basic(headers: &HeaderMap) -> Option<(AppId, Zeroizing<String>)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = Zeroizing::new(BASE64.decode(encoded.as_bytes()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.parse().ok()?, Zeroizing::new(secret.to_owned())))
}

fn told(error: &ServiceError) -> Response {
    if let ServiceError::Unauthenticated(text) = error {
        refused(StatusCode::UNAUTHORIZED, "invalid_client", text)
    } else {
        refused(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", &error.to_string())
    }
}

fn refused(status: StatusCode, error: &'static str, text: &str) -> Response {
    let mut response = (status, Json(TokenError { error, error_description: text.to_owned() })).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    }
    response
}
