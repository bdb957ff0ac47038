//! Tenants' webhooks, and what was sent to them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use claviger_core::id::{DeliveryId, WebhookId};
use claviger_core::service::ServiceError;
use claviger_core::view::{NewWebhookView, PageView, WebhookDeliveryView, WebhookView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{Id, JsonBody, PageQuery, page};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::egress::NotThere;
use crate::front::Front;

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookBody {
    /// Where it is: `https://…`
    url: String,
    /// What it is called.
    label: String,
}

/// A delivery of a webhook.
#[derive(Debug, Deserialize)]
pub(super) struct DeliveryPath {
    id: String,
    delivery: String,
}

/// Makes a webhook. Its secret is shown once.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/webhooks", tag = "admin", params(("t" = String, Path)),
    request_body = WebhookBody, responses((status = 201, body = NewWebhookView), (status = 400, body = Problem)))]
pub(super) async fn make(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(WebhookBody { url, label }): JsonBody<WebhookBody>,
) -> Result<(StatusCode, Json<NewWebhookView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    front.webhooks.admits(&url).map_err(|error| told(not_admitted(error)))?;
    let shown = front.service.make_webhook(tenant, &label, &url, &caller.origin).await.map_err(told)?;
    Ok((StatusCode::CREATED, Json((&shown).into())))
}

fn not_admitted(error: NotThere) -> ServiceError {
    let code = match error {
        NotThere::Url => "url_invalid",
        NotThere::Address => "url_not_public",
    };
    ServiceError::Invalid { code, text: format!("`url`: {error} (docs/webhooks.md); nothing was made") }
}

/// A tenant's webhooks.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/webhooks", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = PageView<WebhookView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    query: PageQuery,
) -> Result<Json<PageView<WebhookView>>, Problem> {
    let rows = front.service.webhooks(tenant, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, Some(tenant), "webhook").await?;
    Ok(page(rows, |row| row.into()))
}

/// Removes a webhook, with what was and is to be sent to it.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/webhooks/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    front.service.remove_webhook(tenant, named(&id).map_err(told)?, &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook another secret, which is shown once. The one before signs along for 24 hours.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/webhooks/{id}/rotate", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = NewWebhookView), (status = 404, body = Problem)))]
pub(super) async fn rotate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Json<NewWebhookView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let shown = front.service.rotate_webhook(tenant, named(&id).map_err(told)?, &caller.origin).await.map_err(told)?;
    Ok(Json((&shown).into()))
}

/// Sends a webhook `webhook.ping`. One that is disabled and takes it is enabled.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/webhooks/{id}/test", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 202, body = WebhookDeliveryView), (status = 404, body = Problem)))]
pub(super) async fn test(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<(StatusCode, Json<WebhookDeliveryView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let ping = front.service.ping_webhook(tenant, named(&id).map_err(told)?, &caller.origin).await.map_err(told)?;
    Ok((StatusCode::ACCEPTED, Json((&ping).into())))
}

/// What a webhook was sent in 30 days and is to be sent, newest first.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/webhooks/{id}/deliveries", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = PageView<WebhookDeliveryView>), (status = 404, body = Problem)))]
pub(super) async fn deliveries(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    query: PageQuery,
) -> Result<Json<PageView<WebhookDeliveryView>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = named(&id).map_err(told)?;
    let rows = front.service.deliveries(tenant, id, query.after, query.limit).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, Some(tenant), "webhook").await?;
    Ok(page(rows, |row| row.into()))
}

/// Sends a message once more, under the same `webhook-id`.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/webhooks/{id}/deliveries/{delivery}/redeliver", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("delivery" = String, Path)),
    responses((status = 202, body = WebhookDeliveryView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn redeliver(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(DeliveryPath { id, delivery }): Path<DeliveryPath>,
) -> Result<(StatusCode, Json<WebhookDeliveryView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = named(&id).map_err(told)?;
    let delivery: DeliveryId = delivery.parse().map_err(|_| told(ServiceError::NotFound("delivery")))?;
    let again = front.service.redeliver(tenant, id, delivery, &caller.origin).await.map_err(told)?;
    Ok((StatusCode::ACCEPTED, Json((&again).into())))
}

fn named(id: &str) -> Result<WebhookId, ServiceError> {
    id.parse().map_err(|_| ServiceError::NotFound("webhook"))
}
