//! The gate in front of every route: who calls, whether the route is for them, and in which tenant.

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use claviger_core::id::{RequestId, TenantId};
use claviger_core::identity::role::Permission;
use claviger_core::service::ServiceError;

use super::problem::Problem;
use super::routes::{Needs, Proof, Reach};
use crate::auth::{Caller, CallingApp, CallingOperator, request_id};
use crate::config::SecondFactor;
use crate::front::Front;

/// Lets those through whom the route is for. Handlers find the caller, and the tenant of the path, in what they extract;
/// nothing else puts them there.
pub(super) async fn pass(
    State((front, needs)): State<(Front, Needs)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    match needs {
        Needs::Nobody | Needs::Client => {}
        Needs::App => {
            let app = CallingApp::authenticate(&parts, &front).await?;
            Caller::note(&parts, &app.origin, Some(app.principal.tenant));
            parts.extensions.insert(app);
        }
        Needs::Operator { permission, reach, proof } => {
            let operator = CallingOperator::authenticate(&parts, &front).await?;
            let tenant = match reach {
                Reach::Path => Some(operator.tenant(&front, &named_tenant(&mut parts).await).await),
                Reach::Own | Reach::Nothing => None,
            };
            Caller::note(&parts, &operator.origin, tenant.as_ref().and_then(|found| found.as_ref().ok()).copied());
            // Whoever has a second factor has what to log in with: their password alone sets up nothing else.
            let whole = match proof {
                Proof::Login => permission.is_some(),
                Proof::Fresh => permission.is_some() || operator.principal.has_second,
                Proof::Whole => true,
            };
            if whole {
                operator.has_factors(front.second_factor)?;
            }
            if let Some(permission) = permission {
                operator.may(permission)?;
            }
            if let Some(tenant) = tenant {
                parts.extensions.insert(InTenant(tenant?));
            }
            if reach == Reach::Nothing {
                operator.everywhere()?;
            }
            if proof != Proof::Login {
                operator.proven(front.service.clock().unix_ms())?;
            }
            parts.extensions.insert(operator);
        }
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// What stands in the path's `{t}`; a path without one names no tenant, hence lets nobody through.
async fn named_tenant(parts: &mut Parts) -> String {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    params.ok().and_then(|all| all.iter().find(|(name, _)| *name == "t").map(|(_, t)| t.to_owned())).unwrap_or_default()
}

impl CallingOperator {
    /// The tenant of this id or name, if the operator reaches it: another's is as little there as one that is not.
    ///
    /// # Errors
    /// 404.
    pub(super) async fn tenant(&self, front: &Front, named: &str) -> Result<TenantId, Problem> {
        let told = |error: ServiceError| Problem::of(&error, self.origin.request);
        let id = front.service.tenant(named).await.map_err(told)?.id;
        if self.principal.reaches(id) { Ok(id) } else { Err(told(ServiceError::NotFound("tenant"))) }
    }

    /// Whether a second factor was shown for the login, where one is required.
    ///
    /// # Errors
    /// 403 `second_factor_missing`.
    fn has_factors(&self, wanted: SecondFactor) -> Result<(), Problem> {
        if wanted == SecondFactor::Optional || self.principal.kind.is_full() {
            return Ok(());
        }
        let text = "a password alone does not do this: log in by passkey (`claviger login --passkey`) or with a code \
            (`claviger login`), or set up a second factor first (`claviger me totp`); nothing was done";
        Err(self.forbidden("second_factor_missing", text.to_owned()))
    }

    /// Whether the role allows it.
    ///
    /// # Errors
    /// 403 `role_denied`.
    pub(super) fn may(&self, permission: Permission) -> Result<(), Problem> {
        if self.principal.may(permission) {
            return Ok(());
        }
        let text = format!("your role does not allow `{permission}`: ask an operator whose does; nothing was done");
        Err(self.forbidden("role_denied", text))
    }

    /// Whether the operator is bound to no tenant.
    ///
    /// # Errors
    /// 403 `tenant_bound`.
    pub(super) fn everywhere(&self) -> Result<(), Problem> {
        if self.principal.tenant.is_none() {
            return Ok(());
        }
        let text = "this is about all tenants, and you are bound to one: ask an operator who is not; nothing was done";
        Err(self.forbidden("tenant_bound", text.to_owned()))
    }

    /// Whether the operator has shown who it is a moment ago.
    ///
    /// # Errors
    /// 403 `step_up_required`.
    pub(super) fn proven(&self, now_ms: u64) -> Result<(), Problem> {
        if self.principal.proven(now_ms) {
            return Ok(());
        }
        let text = "prove again that it is you, then repeat this within five minutes: see docs/operators.md; \
            nothing was done";
        Err(self.forbidden("step_up_required", text.to_owned()))
    }

    fn forbidden(&self, code: &'static str, text: String) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, code, text, self.origin.request)
    }
}

/// The tenant that the path names, which the calling operator reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct InTenant(pub(super) TenantId);

impl FromRequestParts<Front> for InTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| not_let_through(request_id(parts, front)))
    }
}

impl FromRequestParts<Front> for CallingApp {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        parts.extensions.remove().ok_or_else(|| not_let_through(request_id(parts, front)))
    }
}

impl FromRequestParts<Front> for CallingOperator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        parts.extensions.remove().ok_or_else(|| not_let_through(request_id(parts, front)))
    }
}

/// The handler wants a caller whom its row does not ask for.
fn not_let_through(request: RequestId) -> Problem {
    tracing::error!(request.id = %request, "a route does not ask for the caller that its handler needs");
    let text = "a bug keeps everybody from using this route; nothing was done";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text, request)
}
