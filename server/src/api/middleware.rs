//! Around every request: an id, the same headers on every answer, a line in the log, a metric.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::EntryOutcome;
use claviger_core::clock::BootTime;
use claviger_core::id::RequestId;

use super::problem::Problem;
use crate::auth::Caller;
use crate::front::Front;
use crate::net::CloseConnection;

/// The routes whose bodies never hold a secret: a denial there costs no new connection.
const WITHOUT_SECRETS: &[&str] = &["/api/v1/executions", "/gateway/{venue}/{*path}"];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, and the answer its headers. Paths are logged as routes: a query or an id in a path is
/// nobody's business there.
pub(super) async fn around(
    State((front, listener)): State<(Front, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    let clock = front.service.clock();
    let id = RequestId::new(clock);
    let begun = clock.boot();
    request.extensions_mut().insert(id);
    let caller = Caller::default();
    request.extensions_mut().insert(caller.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let mut response = if method.is_safe() { next.run(request).await } else { to_the_end(next.run(request), id).await };
    // Whatever was refused may have carried a secret all the same, and buffers are wiped with the connection.
    if !method.is_safe() && !response.status().is_success() && !WITHOUT_SECRETS.contains(&route.as_str()) {
        response.extensions_mut().insert(CloseConnection);
    }
    let status = response.status().as_u16();
    if status >= 400 && response.extensions().get::<Noted>().is_none() {
        note_refusal(&front, &caller, &format!("{method} {route}"), status).await;
    }
    let took = BootTime(begun.0).until(front.service.clock().boot());
    tracing::debug!(listener, %method, route, status, request.id = %id, duration_us = took.as_micros(), "answered");
    let labels = [("listener", listener.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("claviger_requests_total", &labels).increment(1);
    metrics::histogram!("claviger_request_seconds", "listener" => listener).record(took.as_secs_f64());
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Put into the extensions of a refusal that has its audit entry already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted;

/// Every authenticated request leaves an entry, refused ones too.
async fn note_refusal(front: &Front, caller: &Caller, what: &str, status: u16) {
    let Some((origin, tenant)) = caller.found() else { return };
    let mut entry = origin.draft("request.refuse", EntryOutcome::Denied).on("route", what);
    entry = entry.detail("status", status.to_string());
    if let Some(tenant) = tenant {
        entry = entry.tenant(tenant.to_string());
    }
    if let Err(error) = front.service.store().append(vec![entry]).await {
        tracing::warn!(%error, "a refused request left no audit entry");
    }
}

/// Once begun, an act is carried to its end, whether or not the client waits for it: half of one would leave caches and
/// the keeper behind what is stored.
async fn to_the_end(act: impl Future<Output = Response> + Send + 'static, id: RequestId) -> Response {
    tokio::spawn(act).await.unwrap_or_else(|_panic| {
        metrics::counter!("claviger_panics_total").increment(1);
        tracing::error!(request.id = %id, "a handler panicked");
        let text = "a bug ended this request: look whether it took effect before you repeat it";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text, id).into_response()
    })
}

/// Refuses whatever a browser would send by itself: nothing on the web can place an order.
pub(super) async fn no_browsers(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(COOKIE) || headers.contains_key(ORIGIN) {
        let id = request.extensions().get::<RequestId>().copied().unwrap_or(RequestId::MIN);
        let text = "requests with a Cookie or an Origin are refused here: this listener is for apps, not for browsers";
        return Problem::new(StatusCode::FORBIDDEN, "browser_refused", text, id).into_response();
    }
    next.run(request).await
}
