//! The audit log: read as JSON or CSV, exported for `claviger audit verify`. Reading it is itself audited.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::audit::{Entry, EntryOutcome, Hash, SignedCheckpoint, VerifierKey, export as lines, leaf_hash};
use claviger_core::execution::Origin;
use claviger_core::id::TenantId;
use claviger_core::service::ServiceError;
use claviger_core::store::{AuditRange, Leaf, StoreError};
use claviger_core::view::PageView;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;
use crate::net::Streaming;

/// Entries per read of an export.
const CHUNK: usize = 1_000;

/// Records that something was read, before the answer leaves.
pub(super) async fn read(front: &Front, origin: &Origin, tenant: Option<TenantId>, what: &str) -> Result<(), Problem> {
    let mut entry = origin.draft(&format!("{what}.read"), EntryOutcome::Allowed).on(what, "");
    if let Some(tenant) = tenant {
        entry = entry.tenant(tenant.to_string());
    }
    let appended = front.service.store().append(vec![entry]).await;
    appended.map(drop).map_err(|e| Problem::of(&e.into(), origin.request))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    tenant: Option<String>,
    from: Option<u64>,
    limit: Option<usize>,
}

async fn tenant_of(
    front: &Front,
    caller: &CallingOperator,
    tenant: Option<&String>,
) -> Result<Option<TenantId>, Problem> {
    let Some(tenant) = tenant else { return Ok(None) };
    let found = front.service.tenant(tenant).await;
    found.map(|tenant| Some(tenant.id)).map_err(|e| Problem::of(&e, caller.origin.request))
}

/// Entries in order; JSON, or CSV with `Accept: text/csv`.
#[utoipa::path(get, path = "/api/v1/audit", tag = "admin",
    params(("tenant" = Option<String>, Query), ("from" = Option<u64>, Query), ("limit" = Option<usize>, Query)),
    responses((status = 200, description = "entries as objects, or CSV")))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    headers: HeaderMap,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant = tenant_of(&front, &caller, query.tenant.as_ref()).await?;
    let limit = query.limit.unwrap_or(200);
    if !(1..=10_000).contains(&limit) {
        let text = "`limit` is 1 to 10000".to_owned();
        return Err(told(ServiceError::Invalid { code: "page_invalid", text }));
    }
    let from = query.from.unwrap_or(0);
    read(&front, &caller.origin, tenant, "audit").await?;
    let leaves = front.service.store().audit_scan(AuditRange { tenant, from, limit }).await;
    let leaves = leaves.map_err(|e| told(e.into()))?;
    let entries = entries(&leaves).map_err(|e| told(e.into()))?;
    let wants_csv = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/csv"));
    if wants_csv {
        return Ok(csv_answer(csv(&entries)));
    }
    // A tenant's entries have a count of their own.
    let last = entries.last().filter(|_| leaves.len() == limit);
    let next = last.map(|last| if tenant.is_some() { last.tenant_seq } else { last.seq }.saturating_add(1));
    Ok(Json(PageView { data: entries, next_cursor: next.map(|next| next.to_string()) }).into_response())
}

fn entries(leaves: &[Leaf]) -> Result<Vec<Entry>, StoreError> {
    let read = |leaf: &Leaf| {
        Entry::from_leaf(&leaf.bytes).map_err(|e| StoreError::Corrupt(format!("audit entry {}: {e}", leaf.seq)))
    };
    leaves.iter().map(read).collect()
}

/// The columns, those that a regulator asks for first.
const COLUMNS: [&str; 14] = [
    "user_id",
    "action",
    "resource_type",
    "resource_id",
    "ip_address",
    "timestamp",
    "outcome",
    "rule",
    "tenant",
    "tenant_seq",
    "seq",
    "user_kind",
    "request_id",
    "detail",
];

fn csv(entries: &[Entry]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    // Writing to memory does not fail; a row that did would be missing visibly, by its number.
    let _ = writer.write_record(COLUMNS);
    for entry in entries {
        let detail: Vec<String> = entry.detail.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cells = [
            entry.user_id.clone(),
            entry.action.clone(),
            entry.resource_type.clone(),
            entry.resource_id.clone(),
            entry.ip_address.clone(),
            entry.at.clone(),
            word(entry.outcome),
            entry.rule.clone(),
            entry.tenant.clone(),
            entry.tenant_seq.to_string(),
            entry.seq.to_string(),
            word(entry.user_kind),
            entry.request_id.clone(),
            detail.join(" "),
        ];
        let _ = writer.write_record(cells.iter().map(|cell| neutral(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A cell that no spreadsheet runs: what begins like a formula, also in full-width forms or behind white space, gets an
/// apostrophe; control characters are shown as a replacement character.
fn neutral(cell: &str) -> String {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let clean: String = cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let begins = cell.trim_start().starts_with(FORMULA) || cell.starts_with(['\t', '\r', '\n']);
    if begins { format!("'{clean}") } else { clean }
}

fn csv_answer(body: Vec<u8>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.csv\""));
    response
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    tenant: Option<String>,
}

/// The whole log, or a tenant's part of it, for `claviger audit verify`.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "admin", params(("tenant" = Option<String>, Query)),
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub(super) async fn export(
    State(front): State<Front>,
    caller: CallingOperator,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant = tenant_of(&front, &caller, query.tenant.as_ref()).await?;
    read(&front, &caller.origin, tenant, "audit").await?;
    // The newest entries are signed first if the token is there; without it the tail is exported as not proven yet.
    // Not cut short when the client goes away: the keeper would know of a head that the front does not.
    let service = front.service.clone();
    if let Ok(Err(error)) = tokio::spawn(async move { service.sign_head().await }).await {
        tracing::warn!(%error, "the newest entries are exported without a signature");
    }
    let key = verifier_key(&front).await.map_err(told)?;
    let checkpoint = front.service.store().newest_checkpoint().await.map_err(|e| told(e.into()))?;
    let head = front.service.store().tree_head().await.map_err(|e| told(e.into()))?;
    let signed = checkpoint.as_deref().and_then(|note| {
        let parsed = SignedCheckpoint::unverified(note).verify(&key).ok()?;
        Some((parsed.size, SignedCheckpoint::unverified(note)))
    });
    let origin = front.service.origin();
    let writer = origin.rsplit('/').next().unwrap_or(origin);
    let header = lines::Header::new(origin, &key, tenant.map(|tenant| tenant.to_string()), writer);
    let (sender, receiver) = mpsc::channel(4);
    let first = lines::header_line(&header);
    let work = Export { front: front.clone(), tenant, size: head.size, signed, out: sender };
    tokio::spawn(work.run(first));
    let mut response = Body::new(Lines(receiver)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response.extensions_mut().insert(Streaming);
    Ok(response)
}

/// An export under way. The client's pace is its pace; a failure cuts it short, which the verifier sees.
struct Export {
    front: Front,
    tenant: Option<TenantId>,
    size: u64,
    signed: Option<(u64, SignedCheckpoint)>,
    out: mpsc::Sender<Bytes>,
}

impl Export {
    async fn run(mut self, header: String) {
        let tenant = self.tenant.map(|tenant| tenant.to_string());
        let mut chunk = header;
        let mut next = 0;
        self.checkpoint_at(0, &mut chunk);
        while next < self.size {
            let range = AuditRange { tenant: None, from: next, limit: CHUNK };
            let leaves = match self.front.service.store().audit_scan(range).await {
                Ok(leaves) if !leaves.is_empty() => leaves,
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "the export of the audit log ended early");
                    return;
                }
            };
            let size = self.size;
            for leaf in leaves.into_iter().filter(|leaf| leaf.seq < size) {
                chunk.push_str(&line(&leaf, tenant.as_deref()));
                next = leaf.seq.saturating_add(1);
                self.checkpoint_at(next, &mut chunk);
            }
            if self.out.send(Bytes::from(std::mem::take(&mut chunk))).await.is_err() {
                return;
            }
        }
        let _ = self.out.send(Bytes::from(chunk)).await;
    }

    fn checkpoint_at(&mut self, size: u64, chunk: &mut String) {
        if let Some((_, note)) = self.signed.take_if(|(signed, _)| *signed == size) {
            chunk.push_str(&lines::checkpoint_line(&note));
        }
    }
}

/// A leaf, or only its hash when it is another tenant's.
fn line(leaf: &Leaf, tenant: Option<&str>) -> String {
    let own = |tenant: &str| Entry::from_leaf(&leaf.bytes).is_ok_and(|entry| entry.tenant == tenant);
    let hash = || -> Hash { leaf_hash(&leaf.bytes) };
    if tenant.is_none_or(own) {
        lines::leaf_line(leaf.seq, &leaf.bytes).unwrap_or_else(|_| lines::hash_line(leaf.seq, &hash()))
    } else {
        lines::hash_line(leaf.seq, &hash())
    }
}

/// A body that is written as it is read.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }
}

/// The log's verifier key, as text.
#[utoipa::path(get, path = "/api/v1/audit/key", tag = "admin", responses((status = 200, body = String)))]
pub(super) async fn key(State(front): State<Front>, caller: CallingOperator) -> Result<Response, Problem> {
    let key = verifier_key(&front).await.map_err(|e| Problem::of(&e, caller.origin.request))?;
    read(&front, &caller.origin, None, "audit-key").await?;
    Ok((StatusCode::OK, format!("{key}\n")).into_response())
}

async fn verifier_key(front: &Front) -> Result<VerifierKey, ServiceError> {
    let keys = front.service.public_keys().await?;
    let key = keys.and_then(|keys| VerifierKey::new(front.service.origin(), &keys.audit).ok());
    key.ok_or(ServiceError::NotFound("audit key"))
}

#[cfg(test)]
mod tests {
    use super::neutral;

    #[test]
    fn no_cell_begins_a_formula() {
        for hostile in ["=1+1", "+cmd", "-2", "@SUM(A1)", " =1", "\t=1", "＝1+1", "\r\n=x"] {
            let cell = neutral(hostile);
            assert!(cell.starts_with('\''), "{hostile:?} became {cell:?}");
            assert!(!cell.chars().any(char::is_control));
        }
        assert_eq!(neutral("cred_0123"), "cred_0123");
        assert_eq!(neutral(""), "");
    }
}
