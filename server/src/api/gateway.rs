//! The gateway: a venue's own protocol, spoken to clients that nobody changed. What it is `core::service::gateway` says.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::service::{GatewayAnswer, ServiceError};
use claviger_venues::{Inbound, VenueId};

use super::problem::Problem;
use crate::auth::{address, request_id};
use crate::front::Front;

/// Where the gateway begins; the venue's id and its own path follow.
const PREFIX: &str = "/gateway/";

/// The rule or code that refused, beside the venue's own words for it.
const RULE: HeaderName = HeaderName::from_static("x-claviger-rule");

/// A venue's own request, signed with a virtual key, or public market data.
#[utoipa::path(post, path = "/gateway/{venue}/{path}", tag = "api",
    params(("venue" = String, Path), ("path" = String, Path, description = "The venue's own path and query.")),
    responses((status = 200, description = "the venue's answer, or a refusal in its shape; `x-claviger-rule` says why")))]
pub(super) async fn serve(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let id = request_id(&parts, &front);
    let told = |error: ServiceError| Problem::of(&error, id);
    let from = address(&parts);
    let (venue, path) = target(parts.uri.path()).ok_or_else(|| told(ServiceError::NotFound("venue")))?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let (headers, path) = (parts.headers.clone(), path.to_owned());
    let method = parts.method.clone();
    let body = Bytes::from_request(Request::from_parts(parts, body), &front).await.map_err(|rejection| {
        Problem::new(rejection.status(), "body_invalid", "the body is longer than 64 KiB, or did not arrive whole", id)
    })?;
    let headers = readable(&headers).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "header_invalid", "a header is no plain ASCII; nothing was done", id)
    })?;
    let inbound = Inbound { method: method.as_str(), path: &path, query: &query, headers: &headers, body: &body };
    let origin = Origin { kind: UserKind::App, id: String::new(), address: from.to_string(), request: id, guard: None };
    let answer = front.service.at_gateway(venue, &inbound, from, &origin).await;
    Ok(shown(answer))
}

/// Venue and the venue's own path, undecoded.
fn target(path: &str) -> Option<(VenueId, &str)> {
    let rest = path.strip_prefix(PREFIX)?;
    let at = rest.find('/')?;
    let (venue, path) = rest.split_at(at);
    Some((venue.parse().ok()?, path))
}

fn readable(headers: &HeaderMap) -> Option<Vec<(&str, &str)>> {
    headers.iter().map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect()
}

fn shown(answer: GatewayAnswer) -> Response {
    let GatewayAnswer { status, headers, body, tag } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = (status, Body::from(body)).into_response();
    for (name, value) in &headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value))
            && name != CONTENT_LENGTH
        {
            response.headers_mut().insert(name, value);
        }
    }
    if let Some(tag) = tag {
        metrics::counter!("claviger_gateway_refused_total", "rule" => tag.clone()).increment(1);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(RULE, tag);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_the_venues_own_byte_for_byte() {
        assert_eq!(target("/gateway/binance/api/v3/order"), Some((VenueId::Binance, "/api/v3/order")));
        assert_eq!(target("/gateway/kraken//0/private%2fX"), Some((VenueId::Kraken, "//0/private%2fX")));
        for other in ["/gateway/binance", "/gateway/nowhere/api", "/gateway//api", "/api/v1", "/gateway/Binance/x"] {
            assert_eq!(target(other), None, "{other}");
        }
    }
}
