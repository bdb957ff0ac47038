//! Executions: asked for by apps, listed for apps and operators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::execution::Origin;
use claviger_core::execution::egress::VenueAnswer;
use claviger_core::id::{CredentialId, ExecutionId, RequestId, TenantId};
use claviger_core::service::{Executed, ExecutionRequest, ServiceError};
use claviger_core::store::{Execution, ExecutionState, Page};
use claviger_core::view::{ExecutionView, PageView};
use claviger_venues::{Params, VenueId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::audit::Asked;
use super::body::{Id, JsonBody, PageQuery, page};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;

/// What an app asks to have done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExecuteBody {
    /// The credential; may be left out for market data.
    #[schema(value_type = Option<String>)]
    credential: Option<CredentialId>,
    /// The venue, for market data without a credential.
    #[schema(value_type = Option<String>)]
    venue: Option<VenueId>,
    /// The operation's name in the catalogue, such as `order.place`.
    operation: String,
    /// The venue's own parameters, in order: `[["symbol", "BTCUSDT"], …]`.
    #[serde(default)]
    params: Vec<(String, String)>,
}

/// Carries out one operation.
#[utoipa::path(post, path = "/api/v1/executions", tag = "api", request_body = ExecuteBody,
    params(("Idempotency-Key" = String, Header, description = "The same request under the same key is carried out once.")),
    responses((status = 200, body = ExecutionView, description = "acked or rejected by the venue"),
        (status = 202, body = ExecutionView, description = "unknown: it may have reached the venue, which is being asked"),
        (status = 403, body = Problem, description = "denied; `rule` says by what"),
        (status = 503, body = Problem, description = "something is down; nothing was sent")))]
pub(super) async fn execute(
    State(front): State<Front>,
    caller: CallingApp,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ExecuteBody>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let idempotency_key = idempotency_key(&headers).map_err(told)?;
    let request = ExecutionRequest {
        venue: body.venue,
        credential: body.credential,
        operation: body.operation,
        params: Params::from(body.params),
        idempotency_key,
    };
    let app = front.service.live_app(caller.principal.app).await.map_err(told)?;
    let executed = front.service.execute(&caller.principal, &app, request, &caller.origin).await;
    executed.map(|executed| answer(&executed)).map_err(|error| told(error).noted())
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, ServiceError> {
    let text = "send an Idempotency-Key of 1 to 255 printable characters; nothing was done";
    let bad = || ServiceError::Invalid { code: "idempotency_key_missing", text: text.to_owned() };
    let mut keys = headers.get_all("idempotency-key").iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return Err(bad()) };
    let key = key.to_str().map_err(|_| bad())?;
    if (1..=255).contains(&key.len()) { Ok(key.to_owned()) } else { Err(bad()) }
}

fn answer(executed: &Executed) -> Response {
    let status = match executed.execution.state {
        ExecutionState::Open | ExecutionState::Unknown => StatusCode::ACCEPTED,
        ExecutionState::Acked | ExecutionState::Rejected | ExecutionState::Failed | ExecutionState::Released => {
            StatusCode::OK
        }
    };
    let mut response = (status, Json(ExecutionView::from(&executed.execution))).into_response();
    if executed.replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    if let Some(answer) = &executed.answer {
        pass_on(answer, response.headers_mut());
    }
    response
}

/// The venue's rate headers and its `Retry-After`, under its own names.
fn pass_on(answer: &VenueAnswer, headers: &mut HeaderMap) {
    for (name, value) in &answer.headers {
        let rate = name == "retry-after" || name.starts_with("x-mbx-") || name.starts_with("x-sapi-");
        if let (true, Ok(name), Ok(value)) = (rate, HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

/// One execution of the app's tenant.
#[utoipa::path(get, path = "/api/v1/executions/{id}", tag = "api", params(("id" = String, Path)),
    responses((status = 200, body = ExecutionView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
) -> Result<Json<ExecutionView>, Problem> {
    one(&front, &caller.origin, caller.principal.tenant, &id, |_| true).await
}

async fn one(
    front: &Front,
    origin: &Origin,
    tenant: TenantId,
    id: &str,
    shows: impl Fn(&Execution) -> bool,
) -> Result<Json<ExecutionView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let missing = || told(ServiceError::NotFound("execution"));
    let id: ExecutionId = id.parse().map_err(|_| missing())?;
    let row = front.service.execution(tenant, id).await.map_err(told)?;
    if !shows(&row) {
        return Err(missing());
    }
    super::audit::read_one(front, origin, Some(tenant), "execution", &id.to_string()).await?;
    Ok(Json((&row).into()))
}

/// The tenant's executions, newest first.
#[utoipa::path(get, path = "/api/v1/executions", tag = "api",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PageView<ExecutionView>)))]
pub(super) async fn list_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    query: PageQuery,
) -> Result<Json<PageView<ExecutionView>>, Problem> {
    let rows = listed(&front, &caller.origin, caller.principal.tenant, (query, None), |_| true).await?;
    Ok(page(rows, |row: &Execution| row.into()))
}

/// `limit`, `cursor` and `credential` of an operator's list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfCredential {
    limit: Option<usize>,
    cursor: Option<String>,
    credential: Option<CredentialId>,
}

impl OfCredential {
    pub(super) fn parts(self, request: RequestId) -> Result<(PageQuery, Option<CredentialId>), Problem> {
        let page = PageQuery::of(self.limit, self.cursor.as_deref()).ok_or_else(|| {
            let text = "a list takes `limit` (1 to 200) and `cursor` (from `next_cursor`)";
            Problem::new(StatusCode::BAD_REQUEST, "page_invalid", text, request)
        })?;
        Ok((page, self.credential))
    }
}

/// A tenant's executions, newest first, without the venues' answers.
///
/// Those of one credential are looked for among a bounded number of the tenant's: a page may be short, or empty, and yet
/// have a `next_cursor`, with which the search goes on.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/executions", tag = "admin", params(("t" = String, Path),
    ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query), ("credential" = Option<String>, Query)),
    responses((status = 200, body = PageView<ExecutionView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Asked(query): Asked<OfCredential>,
) -> Result<Json<PageView<ExecutionView>>, Problem> {
    let flagged_only = caller.principal.flagged_only;
    let query = query.parts(caller.origin.request)?;
    let rows = listed(&front, &caller.origin, tenant, query, |row| !flagged_only || row.is_flagged()).await?;
    Ok(page(rows, |row: &Execution| ExecutionView::from(row).without_answer()))
}

/// One execution of a tenant, with the venue's answer.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/executions/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ExecutionView), (status = 404, body = Problem)))]
pub(super) async fn show_to_operator(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Json<ExecutionView>, Problem> {
    let flagged_only = caller.principal.flagged_only;
    one(&front, &caller.origin, tenant, &id, |row| !flagged_only || row.is_flagged()).await
}

async fn listed(
    front: &Front,
    origin: &Origin,
    tenant: TenantId,
    (query, credential): (PageQuery, Option<CredentialId>),
    shows: impl Fn(&Execution) -> bool,
) -> Result<Page<Execution>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let before = query.after.map(|bytes| bytes.try_into().map(ExecutionId::from_bytes)).transpose();
    let before = before.map_err(|_| {
        told(ServiceError::Invalid { code: "page_invalid", text: "`cursor` is not one of this list".to_owned() })
    })?;
    let mut rows = front.service.executions(tenant, credential, before, query.limit).await.map_err(told)?;
    rows.rows.retain(shows);
    super::audit::read(front, origin, Some(tenant), "execution").await?;
    Ok(rows)
}
