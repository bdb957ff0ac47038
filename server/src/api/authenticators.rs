//! What apps authenticate with, for operators: secrets, public keys, client certificates.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claviger_core::id::{AuthenticatorId, TenantId};
use claviger_core::identity::{AppKey, Evidence};
use claviger_core::service::ServiceError;
use claviger_core::view::{AppView, AuthenticatorView, NewSecretView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::accounts::app;
use super::body::{Id, JsonBody};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;
use crate::net::CloseConnection;
use crate::tls;

/// A public key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyBody {
    /// PEM (`BEGIN PUBLIC KEY`) as a text, or a JWK as an object: Ed25519, P-256, or RSA of 2048 bits or more.
    public_key: serde_json::Value,
}

/// A client certificate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CertificateBody {
    /// One certificate, PEM. Who issued it and until when it is valid is not looked at: it may be self-signed.
    certificate: String,
}

/// The `{id}` and the `{authenticator}` of a path.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    id: String,
    authenticator: String,
}

/// An app, what it authenticates with, and when each was last used.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/apps/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = AppView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Json<AppView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = app(&front, &caller, tenant, &id).await?;
    let known = front.service.app(id).await.map_err(told)?;
    let used = front.service.app_use(&known.app).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, Some(tenant), "app").await?;
    Ok(Json(AppView::of(&known.app, &used)))
}

/// Makes another secret of an app. It is shown once.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/apps/{id}/secrets", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 201, body = NewSecretView), (status = 409, body = Problem)))]
pub(super) async fn add_secret(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Response, Problem> {
    let id = app(&front, &caller, tenant, &id).await?;
    let added = front.service.add_secret(tenant, id, &caller.origin).await;
    let (new, secret) = added.map_err(|e| Problem::of(&e, caller.origin.request))?;
    let view = NewSecretView { authenticator: (&new).into(), secret: secret.reveal().to_owned() };
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    response.extensions_mut().insert(CloseConnection);
    Ok(response)
}

/// Registers a public key, for assertions. Its id is their `kid`.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/apps/{id}/keys", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = KeyBody,
    responses((status = 201, body = AuthenticatorView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn add_key(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<KeyBody>,
) -> Result<(StatusCode, Json<AuthenticatorView>), Problem> {
    let key = match body.public_key.as_str() {
        Some(pem) => AppKey::from_pem(pem),
        None => AppKey::from_jwk(&body.public_key),
    };
    let key = key.map_err(|error| invalid("public_key_invalid", error.to_string()));
    add(&front, &caller, (tenant, &id), key.map(Evidence::Key)).await
}

/// Registers a client certificate, by its thumbprint.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/apps/{id}/certificates", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = CertificateBody,
    responses((status = 201, body = AuthenticatorView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn add_certificate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<CertificateBody>,
) -> Result<(StatusCode, Json<AuthenticatorView>), Problem> {
    let thumbprint = tls::thumbprint_of_pem(&body.certificate).ok_or_else(|| {
        let text = "send one certificate, PEM (BEGIN CERTIFICATE), of 8 KiB at most, and no private key";
        invalid("certificate_invalid", text.to_owned())
    });
    add(&front, &caller, (tenant, &id), thumbprint.map(Evidence::Certificate)).await
}

async fn add(
    front: &Front,
    caller: &CallingOperator,
    (tenant, id): (TenantId, &str),
    evidence: Result<Evidence, ServiceError>,
) -> Result<(StatusCode, Json<AuthenticatorView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = app(front, caller, tenant, id).await?;
    let evidence = evidence.map_err(told)?;
    let new = front.service.add_authenticator(tenant, id, evidence, &caller.origin).await.map_err(told)?;
    Ok((StatusCode::CREATED, Json((&new).into())))
}

fn invalid(code: &'static str, text: String) -> ServiceError {
    ServiceError::Invalid { code, text }
}

/// Ends a secret: access tokens that were given for it are refused.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/apps/{id}/secrets/{authenticator}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("authenticator" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove_secret(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(which): Path<Which>,
) -> Result<StatusCode, Problem> {
    remove(&front, &caller, (tenant, which), "secret").await
}

/// Ends a key: access tokens that were given for its assertions are refused.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/apps/{id}/keys/{authenticator}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("authenticator" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove_key(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(which): Path<Which>,
) -> Result<StatusCode, Problem> {
    remove(&front, &caller, (tenant, which), "key").await
}

/// Ends a certificate: access tokens that were given for it or are bound to it are refused.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/apps/{id}/certificates/{authenticator}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("authenticator" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove_certificate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(which): Path<Which>,
) -> Result<StatusCode, Problem> {
    remove(&front, &caller, (tenant, which), "certificate").await
}

async fn remove(
    front: &Front,
    caller: &CallingOperator,
    (tenant, which): (TenantId, Which),
    kind: &str,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = app(front, caller, tenant, &which.id).await?;
    let authenticator: AuthenticatorId =
        which.authenticator.parse().map_err(|_| told(ServiceError::NotFound("authenticator")))?;
    let removed = front.service.remove_authenticator(tenant, id, kind, authenticator, &caller.origin).await;
    removed.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}
