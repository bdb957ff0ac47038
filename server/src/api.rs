//! The three route tables, so that nothing on the web can place an order: `api` for apps, `admin` for operators,
//! `public` for everybody.

mod accounts;
mod audit;
mod body;
mod credentials;
mod enroll;
mod executions;
mod gateway;
mod health;
mod login;
pub mod metrics;
mod middleware;
pub mod openapi;
pub mod problem;
mod signatures;
mod stops;
mod token;
mod venues;
mod virtual_keys;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post};
use claviger_core::id::RequestId;
use claviger_core::service::ServiceError;

use crate::front::Front;
use problem::Problem;

/// For apps. The only table with a route that places orders, and one that no browser gets to.
pub fn app_routes(front: &Front) -> Router {
    let routes = Router::new()
        .route("/api/v1/token", post(token::issue))
        .route("/api/v1/credentials", post(enroll::enroll_as_app).get(credentials::list_as_app))
        .route("/api/v1/credentials/{id}", get(credentials::show_as_app))
        .route("/api/v1/credentials/{id}/activate", post(enroll::activate_as_app))
        .route("/api/v1/executions", post(executions::execute).get(executions::list_as_app))
        .route("/api/v1/executions/{id}", get(executions::show))
        .route("/api/v1/executions/{id}/receipt", get(audit::proof::receipt))
        .route("/api/v1/signatures", post(signatures::sign))
        .route("/api/v1/virtual-keys", post(virtual_keys::make_as_app).get(virtual_keys::list_as_app))
        .route("/api/v1/virtual-keys/{id}", delete(virtual_keys::revoke_as_app))
        .route("/gateway/{venue}/{*path}", any(gateway::serve))
        .route("/openapi.json", get(openapi::serve))
        .layer(from_fn(middleware::no_browsers));
    finished(routes, front, "api")
}

/// For operators.
pub fn admin_routes(front: &Front) -> Router {
    let credential = Router::new()
        .route("/", get(credentials::show).delete(credentials::delete))
        .route("/activate", post(enroll::activate))
        .route("/freeze", post(credentials::freeze))
        .route("/reduce-only", post(credentials::reduce_only))
        .route("/revoke", post(credentials::revoke))
        .route("/unfreeze", post(credentials::unfreeze))
        .route("/rotate", post(credentials::rotate))
        .route("/probe", post(credentials::probe));
    let routes = Router::new()
        .route("/api/v1/login", post(login::log_in).delete(login::log_out))
        .route("/api/v1/logins", get(login::list))
        .route("/api/v1/status", get(health::status))
        .route("/api/v1/tenants", get(accounts::tenants).post(accounts::make_tenant))
        .route("/api/v1/tenants/{t}/apps", get(accounts::apps).post(accounts::make_app))
        .route("/api/v1/tenants/{t}/apps/{id}/revoke", post(accounts::revoke_app))
        .route("/api/v1/tenants/{t}/apps/{id}/grants", get(accounts::grants).post(accounts::make_grant))
        .route("/api/v1/tenants/{t}/apps/{id}/grants/{grant}", delete(accounts::revoke_grant))
        .route("/api/v1/tenants/{t}/credentials", get(credentials::list).post(enroll::enroll))
        .nest("/api/v1/tenants/{t}/credentials/{id}", credential)
        .route("/api/v1/tenants/{t}/executions", get(executions::list))
        .route("/api/v1/tenants/{t}/virtual-keys", get(virtual_keys::list).post(virtual_keys::make))
        .route("/api/v1/tenants/{t}/virtual-keys/{id}", delete(virtual_keys::revoke))
        .route("/api/v1/stops", get(stops::list).post(stops::stop))
        .route("/api/v1/stops/resume", post(stops::resume))
        .route("/api/v1/audit", get(audit::list::list))
        .route("/api/v1/audit/export", get(audit::export::export))
        .route("/api/v1/audit/proof", get(audit::proof::show))
        .route("/api/v1/audit/key", get(audit::key));
    finished(routes, front, "admin")
}

/// For everybody.
pub fn public_routes(front: &Front) -> Router {
    finished(Router::new(), front, "public")
}

fn finished(routes: Router<Front>, front: &Front, listener: &'static str) -> Router {
    routes
        .route("/api/v1/venues", get(venues::list))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state((front.clone(), listener), middleware::around))
        .with_state(front.clone())
}

async fn not_found(request: axum::extract::Extension<RequestId>) -> Problem {
    Problem::of(&ServiceError::NotFound("route"), request.0)
}

async fn wrong_method(request: axum::extract::Extension<RequestId>) -> Problem {
    let text = "this route does not take this method: see docs/api.md";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text, request.0)
}
