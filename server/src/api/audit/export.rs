//! The export: every leaf in order, or its hash, and the newest checkpoint.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::{Entry, Hash, SignedCheckpoint, export as lines, leaf_hash};
use claviger_core::id::TenantId;
use claviger_core::service::ServiceError;
use claviger_core::store::{AuditRange, Leaf, StoreError};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::super::problem::Problem;
use super::{Asked, read, sign_head, tenant_of};
use crate::auth::CallingOperator;
use crate::front::Front;
use crate::net::Streaming;

/// Entries per read.
const CHUNK: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ExportQuery {
    tenant: Option<String>,
}

/// The whole log, or a tenant's part of it, for `claviger audit verify`.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "admin", params(("tenant" = Option<String>, Query)),
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub(in super::super) async fn export(
    State(front): State<Front>,
    caller: CallingOperator,
    Asked(query): Asked<ExportQuery>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant = tenant_of(&front, &caller, query.tenant.as_deref()).await?;
    read(&front, &caller.origin, tenant, "audit").await?;
    // The newest entries are signed first if the token is there; without it the tail is exported as not proven yet.
    sign_head(&front).await;
    let key = front.service.log_key().await.map_err(told)?;
    let newest = front.service.newest_checkpoint().await.unwrap_or_else(|error| {
        tracing::error!(%error, "the audit log is exported without a checkpoint");
        None
    });
    let head = front.service.store().tree_head().await.map_err(|e| told(e.into()))?;
    let signed = newest.map(|(checkpoint, note)| (checkpoint.size, note));
    let origin = front.service.origin();
    let writer = origin.rsplit('/').next().unwrap_or(origin);
    let header = lines::Header::new(origin, &key, tenant.map(|tenant| tenant.to_string()), writer);
    let header = header.archived(head.oldest);
    let (sender, receiver) = mpsc::channel(4);
    let first = lines::header_line(&header);
    let work = Export { front: front.clone(), tenant, archived: head.oldest, size: head.size, signed, out: sender };
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
    archived: u64,
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
            let lines = match self.lines(next, tenant.as_deref()).await {
                Ok(lines) if !lines.is_empty() => lines,
                Ok(_) => {
                    tracing::warn!("the export of the audit log ended early: its next entries just left for a segment");
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the export of the audit log ended early");
                    return;
                }
            };
            for line in lines {
                chunk.push_str(&line);
                next = next.saturating_add(1);
                self.checkpoint_at(next, &mut chunk);
            }
            if self.out.send(Bytes::from(std::mem::take(&mut chunk))).await.is_err() {
                return;
            }
        }
        let _ = self.out.send(Bytes::from(chunk)).await;
    }

    /// Some of the lines from entry `next` on: hashes of what has left the store, else leaves. Empty if what should be
    /// there has just left.
    async fn lines(&self, next: u64, tenant: Option<&str>) -> Result<Vec<String>, StoreError> {
        let store = self.front.service.store();
        if next < self.archived {
            let hashes = store.leaf_hashes(next, self.archived).await?;
            return Ok((next..).zip(&hashes).map(|(seq, hash)| lines::hash_line(seq, hash)).collect());
        }
        let leaves = store.audit_scan(AuditRange { tenant: None, from: next, limit: CHUNK }).await?;
        let here = (next..self.size).zip(&leaves).take_while(|(seq, leaf)| leaf.seq == *seq);
        Ok(here.map(|(_, leaf)| line(leaf, tenant)).collect())
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
