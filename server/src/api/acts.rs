//! Acts over HTTP: `?dry_run=true` on the act's own route shows the plan, and the act itself names it.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::act::Act;
use claviger_core::id::TenantId;
use claviger_core::service::{Ask, Reply, ServiceError};
use claviger_core::store::Scope;
use claviger_core::view::{ApprovalView, ApprovedView, ForesightView, PlanView, scope_words};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{tagged, version_of};
use super::problem::Problem;
use crate::auth::{CallingOperator, request_id};
use crate::front::Front;

/// The header that names the plan.
const PLAN_DIGEST: &str = "plan-digest";

/// Whether an act is only planned, and on what it is done.
#[derive(Clone, Debug)]
pub(super) struct How {
    dry_run: bool,
    digest: Option<String>,
    if_match: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DryRun {
    #[serde(default)]
    dry_run: bool,
}

impl FromRequestParts<Front> for How {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let id = request_id(parts, front);
        let query = Query::<DryRun>::from_request_parts(parts, front).await;
        let Query(DryRun { dry_run }) = query.map_err(|_| {
            let text = "an act takes `dry_run=true` or nothing; nothing was done";
            Problem::new(StatusCode::BAD_REQUEST, "query_invalid", text, id)
        })?;
        let digest = parts.headers.get(PLAN_DIGEST).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { dry_run, digest, if_match: version_of(&parts.headers) })
    }
}

impl How {
    /// Whether only the plan is wanted.
    pub(super) fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// The same, if it names the version that it is done on.
    pub(super) fn matched(self, caller: &CallingOperator) -> Result<Self, Problem> {
        if self.dry_run || self.if_match.is_some() {
            return Ok(self);
        }
        let text = "read it first, and send its ETag as If-Match; nothing was done";
        Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", text, caller.origin.request))
    }
}

/// What an act is done with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ActBody {
    /// Why, in 10 to 200 characters; the plan needs none.
    pub(super) reason: String,
    /// For what is irreversible: the plan's `name`.
    pub(super) confirm: String,
}

/// Plans an act, does it (204), or has it wait for a second operator (202).
pub(super) async fn perform(
    front: &Front,
    caller: &CallingOperator,
    how: &How,
    act: Act,
    body: &ActBody,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    if how.dry_run {
        return planned(front, caller, &act).await;
    }
    let Some(digest) = how.digest.as_deref() else {
        let text = "ask for the plan with ?dry_run=true first, and send its digest as Plan-Digest; nothing was done";
        let status = StatusCode::PRECONDITION_REQUIRED;
        return Err(Problem::new(status, "plan_missing", text, caller.origin.request));
    };
    let ask = Ask { act, digest, if_match: how.if_match, confirm: &body.confirm, reason: &body.reason };
    let now = front.service.clock().unix_ms();
    Ok(match front.service.ask(ask, &caller.principal, &caller.origin).await.map_err(told)? {
        Reply::Done => StatusCode::NO_CONTENT.into_response(),
        Reply::ToReview(approval) => {
            metrics::counter!("claviger_alarms_total", "kind" => "break-glass").increment(1);
            Json(ApprovalView::of(&approval, now)).into_response()
        }
        Reply::Waiting(approval, half) => {
            let location = HeaderValue::from_str(&format!("/api/v1/approvals/{}", approval.id)).ok();
            let invitation = half.map(|half| half.reveal().to_owned());
            let view = ApprovedView { approval: ApprovalView::of(&approval, now), invitation };
            let mut response = (StatusCode::ACCEPTED, Json(view)).into_response();
            response.headers_mut().extend(location.map(|location| (LOCATION, location)));
            response
        }
    })
}

/// What a revocation will do, if only that is wanted.
pub(super) async fn foreseen(
    front: &Front,
    caller: &CallingOperator,
    how: &How,
    tenant: TenantId,
    scope: &Scope,
) -> Result<Option<Response>, Problem> {
    if !how.dry_run {
        return Ok(None);
    }
    let seen = front.service.foresee_revoke(tenant, scope).await;
    let seen = seen.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::note(front, &caller.origin, Some(tenant), "plan", &scope_words(scope).1).await?;
    Ok(Some(Json(ForesightView::from(seen)).into_response()))
}

/// The plan of an act.
async fn planned(front: &Front, caller: &CallingOperator, act: &Act) -> Result<Response, Problem> {
    let plan = front.service.plan(act, &caller.principal).await;
    let plan = plan.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::note(front, &caller.origin, act.tenant(), "plan", act.rule().tag).await?;
    let view = PlanView::from(&plan);
    Ok(match plan.etag {
        Some(etag) => tagged(etag, view),
        None => Json(view).into_response(),
    })
}
