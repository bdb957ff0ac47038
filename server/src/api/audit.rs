//! The audit log: read as JSON or CSV, exported for `claviger audit verify`, proven entry by entry. Reading it is itself
//! audited.

use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::EntryOutcome;
use claviger_core::execution::Origin;
use claviger_core::id::TenantId;
use claviger_core::service::{NOT_SIGNED, ServiceError};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::auth::{CallingOperator, request_id};
use crate::front::Front;

mod csv;
pub(super) mod export;
pub(super) mod list;
pub(super) mod proof;

/// Records that things were read, before the answer leaves.
pub(super) async fn read(front: &Front, origin: &Origin, tenant: Option<TenantId>, what: &str) -> Result<(), Problem> {
    read_one(front, origin, tenant, what, "").await
}

/// Records that one thing was read, before the answer leaves; while the disk is all but full, it is not read.
pub(super) async fn read_one(
    front: &Front,
    origin: &Origin,
    tenant: Option<TenantId>,
    what: &str,
    id: &str,
) -> Result<(), Problem> {
    front.service.spare().map_err(|e| Problem::of(&e, origin.request))?;
    note(front, origin, tenant, what, id).await
}

/// Records a read that goes on whatever the disk says.
pub(super) async fn note(
    front: &Front,
    origin: &Origin,
    tenant: Option<TenantId>,
    what: &str,
    id: &str,
) -> Result<(), Problem> {
    let mut entry = origin.draft(&format!("{what}.read"), EntryOutcome::Allowed).on(what, id);
    if let Some(tenant) = tenant {
        entry = entry.tenant(tenant.to_string());
    }
    let appended = front.service.store().append(vec![entry]).await;
    appended.map(drop).map_err(|e| Problem::of(&e.into(), origin.request))
}

/// The log's verifier key, as text.
#[utoipa::path(get, path = "/api/v1/audit/key", tag = "admin", responses((status = 200, body = String)))]
pub(super) async fn key(State(front): State<Front>, caller: CallingOperator) -> Result<Response, Problem> {
    let key = front.service.log_key().await.map_err(|e| Problem::of(&e, caller.origin.request))?;
    read(&front, &caller.origin, None, "audit-key").await?;
    Ok((StatusCode::OK, format!("{key}\n")).into_response())
}

/// A query, all of which must be known.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Front> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        let id = request_id(parts, front);
        let query = Query::<T>::from_request_parts(parts, front).await;
        query.map(|Query(asked)| Self(asked)).map_err(|error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "query_invalid",
                format!("{}; see docs/api.md", error.body_text()),
                id,
            )
        })
    }
}

/// The tenant whose part is wanted: the one asked for, else the operator's own, if they are bound to one.
async fn tenant_of(front: &Front, caller: &CallingOperator, asked: Option<&str>) -> Result<Option<TenantId>, Problem> {
    match asked {
        Some(named) => match named.parse() {
            // Of a tenant that was deleted the log is what is left.
            Ok(id) if caller.principal.reaches(id) && front.service.deletion(id).await.is_ok() => Ok(Some(id)),
            _ => caller.tenant(front, named).await.map(Some),
        },
        None => Ok(caller.principal.tenant),
    }
}

/// Asks for a proof, and once more with the newest entries signed where that was missing.
async fn proven<T, F: Future<Output = Result<T, ServiceError>>>(
    front: &Front,
    ask: impl Fn() -> F,
) -> Result<T, ServiceError> {
    match ask().await {
        Err(ServiceError::Conflict { code: NOT_SIGNED, .. }) => {
            sign_head(front).await;
            ask().await
        }
        answer => answer,
    }
}

/// Has the newest entries signed, if the token is there.
///
/// Not cut short when the client goes away: the keeper would know of a head that the front does not.
async fn sign_head(front: &Front) {
    let service = front.service.clone();
    if let Ok(Err(error)) = tokio::spawn(async move { service.sign_head().await }).await {
        tracing::warn!(%error, "the newest audit entries stay without a signature for the moment");
    }
}
