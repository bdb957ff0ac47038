//! The words of notices, for operators.

use axum::Json;
use axum::extract::{Path, State};
use claviger_core::notice::{Template, Topic};
use claviger_core::service::ServiceError;
use claviger_core::view::{PageView, TemplateView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// The notice that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct OfTopic {
    topic: String,
}

/// Words for a notice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateBody {
    /// One line, in at most 150 characters.
    subject: String,
    /// Plain text, in at most 8000 characters.
    text: String,
}

/// What a tenant's owners are told: its own words, and those that are built in.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/templates", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = PageView<TemplateView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
) -> Result<Json<PageView<TemplateView>>, Problem> {
    let mut data = Vec::new();
    for topic in Topic::ALL {
        let (template, own) = front.service.template(tenant, topic).await.map_err(|e| told(&caller, &e))?;
        data.push(TemplateView::of(topic, template, own));
    }
    super::audit::read(&front, &caller.origin, Some(tenant), "template").await?;
    Ok(Json(PageView { data, next_cursor: None }))
}

/// Gives a notice words of the tenant's own.
#[utoipa::path(put, path = "/api/v1/tenants/{t}/templates/{topic}", tag = "admin",
    params(("t" = String, Path), ("topic" = String, Path)), request_body = TemplateBody,
    responses((status = 200, body = TemplateView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn set(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(OfTopic { topic }): Path<OfTopic>,
    JsonBody(TemplateBody { subject, text }): JsonBody<TemplateBody>,
) -> Result<Json<TemplateView>, Problem> {
    let (topic, template) = (named(&caller, &topic)?, Template { subject, text });
    let set = front.service.set_template(tenant, topic, template.clone(), &caller.origin).await;
    set.map(|()| Json(TemplateView::of(topic, template, true))).map_err(|e| told(&caller, &e))
}

/// Lets a notice have the words again that are built in.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/templates/{topic}", tag = "admin",
    params(("t" = String, Path), ("topic" = String, Path)),
    responses((status = 200, body = TemplateView), (status = 404, body = Problem)))]
pub(super) async fn reset(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(OfTopic { topic }): Path<OfTopic>,
) -> Result<Json<TemplateView>, Problem> {
    let topic = named(&caller, &topic)?;
    let reset = front.service.reset_template(tenant, topic, &caller.origin).await;
    reset.map(|()| Json(TemplateView::of(topic, topic.template(), false))).map_err(|e| told(&caller, &e))
}

fn named(caller: &CallingOperator, topic: &str) -> Result<Topic, Problem> {
    topic.parse().map_err(|_| told(caller, &ServiceError::NotFound("notice: docs/notices.md has the list")))
}

fn told(caller: &CallingOperator, error: &ServiceError) -> Problem {
    Problem::of(error, caller.origin.request)
}
