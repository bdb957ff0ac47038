//! Executions and signatures, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::execution::Released;
use crate::service::ReleasedSignature;
use crate::store::{Execution, ExecutionState, Receipt};

/// The venue of an execution, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueView {
    /// The venue.
    pub id: String,
    /// The HTTP status of its answer, for 72 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body of its answer, JSON as it came, or text; for 72 hours. Operators' lists are without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub body: Option<serde_json::Value>,
    /// The operation that it answers, where the order was found later by asking for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_to: Option<String>,
}

/// Where the audit entry of an execution's intent is; the next checkpoint proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// The log.
    pub origin: String,
    /// The entry's number in it.
    pub seq: u64,
    /// SHA-256 as of RFC 6962 over the entry, hexadecimal.
    pub leaf_hash: String,
}

impl From<&Receipt> for ReceiptView {
    fn from(receipt: &Receipt) -> Self {
        Self { origin: receipt.origin.clone(), seq: receipt.seq, leaf_hash: receipt.leaf_hash.to_string() }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionView {
    /// `exec_…`
    pub id: String,
    /// How it stands. `unknown` means that it may have reached the venue: the venue is being asked.
    pub state: ExecutionState,
    /// The venue, and what it answered.
    pub venue: VenueView,
    /// The operation.
    pub operation: String,
    /// The credential used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// RFC 3339.
    pub at: String,
    /// Until when the venue takes a released signature, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// Proof of the record.
    pub receipt: ReceiptView,
}

impl ExecutionView {
    /// The same as a list has it: an answer may have 32 KiB.
    #[must_use]
    pub fn without_answer(self) -> Self {
        Self { venue: VenueView { body: None, ..self.venue }, ..self }
    }
}

impl From<&Execution> for ExecutionView {
    fn from(row: &Execution) -> Self {
        Self {
            id: row.id.to_string(),
            state: row.state,
            venue: VenueView {
                id: row.scopes.venue.to_string(),
                status: row.answer.as_ref().map(|answer| answer.status),
                body: row.answer.as_ref().map(|answer| body_of(&answer.body)),
                answer_to: row.answer.as_ref().and_then(|answer| answer.question.clone()),
            },
            operation: row.operation.clone(),
            credential: row.scopes.credential.map(|id| id.to_string()),
            at: timestamp(row.at_ms),
            valid_until: row.valid_until_ms.map(timestamp),
            receipt: (&row.receipt).into(),
        }
    }
}

/// A body as JSON if it is JSON, else as text.
#[must_use]
pub fn body_of(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}

/// A signature that was given out instead of being sent: a complete request, or the fields of a stream's login. Whoever has
/// it can use it once until it expires.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignatureView {
    /// The record of it, in state `released`.
    #[serde(flatten)]
    pub execution: ExecutionView,
    /// The request, to be sent as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<SignedRequestView>,
    /// The login's fields in the venue's own names, the signature last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<Vec<(String, String)>>,
}

/// A request that the venue takes as it is. The real key id is in it, because the venue needs that.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedRequestView {
    /// The HTTP method.
    pub method: String,
    /// Host, path and query.
    pub url: String,
    /// Names and values, in the order to send them.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: String,
}

impl From<ReleasedSignature> for SignatureView {
    fn from(released: ReleasedSignature) -> Self {
        match released {
            ReleasedSignature::Request(row, Released { what, .. }) => {
                let request = SignedRequestView {
                    method: what.method.to_string(),
                    url: what.url,
                    headers: what.headers,
                    body: String::from_utf8_lossy(&what.body).into_owned(),
                };
                Self { execution: (&row).into(), request: Some(request), login: None }
            }
            ReleasedSignature::Login(row, Released { what, .. }) => {
                Self { execution: (&row).into(), request: None, login: Some(what) }
            }
        }
    }
}

impl std::fmt::Debug for SignatureView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignatureView").field("execution", &self.execution).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedRequestView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedRequestView(..)")
    }
}
