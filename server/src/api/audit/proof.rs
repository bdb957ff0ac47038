//! Proofs: that an entry is in the log, that the log only grew, and what became of an execution.

use axum::Json;
use axum::extract::{Path, State};
use claviger_core::audit::ProvenReceipt;
use claviger_core::id::ExecutionId;
use claviger_core::service::ServiceError;
use claviger_core::view::ProofView;
use serde::Deserialize;

use super::super::problem::Problem;
use super::{Asked, proven, read_one};
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ProofQuery {
    seq: Option<u64>,
    size: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
}

/// Proves an entry by the newest signed checkpoint, or by the one over `size` entries; with `from` and `to`, also that
/// the log of `to` entries begins with that of `from`. The proofs are those of RFC 6962.
#[utoipa::path(get, path = "/api/v1/audit/proof", tag = "admin",
    params(("seq" = Option<u64>, Query, description = "The entry."),
        ("size" = Option<u64>, Query, description = "The checkpoint, by how many entries it covers; else the newest."),
        ("from" = Option<u64>, Query, description = "Entries of the smaller log."),
        ("to" = Option<u64>, Query, description = "Entries of the larger log.")),
    responses((status = 200, body = ProofView), (status = 404, body = Problem, description = "no such entry or checkpoint"),
        (status = 409, body = Problem, description = "no checkpoint covers the entry yet; ask again")))]
pub(in super::super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    Asked(query): Asked<ProofQuery>,
) -> Result<Json<ProofView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let service = &front.service;
    let origin = service.origin().to_owned();
    let mut proof = ProofView { origin, entry: None, checkpoint: None, consistency: None };
    match (query.seq, query.size) {
        (Some(seq), size) => {
            let (entry, checkpoint) = proven(&front, || service.proof_of_entry(seq, size)).await.map_err(told)?;
            (proof.entry, proof.checkpoint) = (Some(entry), Some(checkpoint.into_string()));
        }
        (None, None) => {}
        (None, Some(_)) => return Err(told(incomplete())),
    }
    match (query.from, query.to) {
        (Some(from), Some(to)) => {
            proof.consistency = Some(service.proof_of_growth(from, to).await.map_err(told)?);
        }
        (None, None) if proof.entry.is_some() => {}
        _ => return Err(told(incomplete())),
    }
    let seq = query.seq.map(|seq| seq.to_string()).unwrap_or_default();
    read_one(&front, &caller.origin, None, "audit-proof", &seq).await?;
    Ok(Json(proof))
}

fn incomplete() -> ServiceError {
    let text = "ask with `seq` and perhaps `size`, or with `from` and `to`, or with all of them".to_owned();
    ServiceError::Invalid { code: "proof_invalid", text }
}

/// The receipt of one execution of the app's tenant: its entries, proven by a signed checkpoint. `claviger audit receipt`
/// checks it anywhere.
#[utoipa::path(get, path = "/api/v1/executions/{id}/receipt", tag = "api", params(("id" = String, Path)),
    responses((status = 200, body = ProvenReceipt), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "no checkpoint covers the entries yet; ask again")))]
pub(in super::super) async fn receipt(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
) -> Result<Json<ProvenReceipt>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant = caller.principal.tenant;
    let id: ExecutionId = id.parse().map_err(|_| told(ServiceError::NotFound("execution")))?;
    let receipt = proven(&front, || front.service.receipt(tenant, id)).await.map_err(told)?;
    read_one(&front, &caller.origin, Some(tenant), "receipt", &id.to_string()).await?;
    Ok(Json(receipt))
}
