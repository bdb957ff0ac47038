//! The receipt of an execution: its entries, proven by a signed checkpoint.
//!
//! Who has it and the log's key can check it anywhere, without the log and without asking its keeper. [`ReceiptReport`]
//! says in words what it shows; that it is silent about an outcome shows nothing, because a receipt is made at one
//! moment and the log goes on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::super::entry::Entry;
use super::super::note::VerifierKey;
use super::super::verify::Receipt;
use super::{ProvenEntry, Unproven};

/// The form that this code writes and reads.
pub const RECEIPT_FORMAT: &str = "claviger-receipt/v1";

/// The most outcomes of a receipt. An order that was lost and found has two; the newest are kept.
pub const OUTCOMES_MAX: usize = 16;

/// An execution's entries and what proves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenReceipt {
    /// [`RECEIPT_FORMAT`].
    pub format: String,
    /// The log.
    pub origin: String,
    /// `exec_…`
    pub execution: String,
    /// The entry that was written before anything was signed.
    pub intent: ProvenEntry,
    /// The entries that say what became of it, oldest first; none while nobody knows.
    pub outcomes: Vec<ProvenEntry>,
    /// The signed checkpoint that covers all of them.
    #[schema(value_type = String)]
    pub checkpoint: SignedCheckpoint,
}

/// What a receipt that verified shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptReport {
    /// The log.
    pub origin: String,
    /// `exec_…`
    pub execution: String,
    /// How many entries the log had when it was signed.
    pub entries: u64,
    /// When it was signed, if the checkpoint says so.
    pub checkpoint_time: Option<String>,
    /// What was recorded before the signature.
    pub intent: Entry,
    /// What became of it, oldest first.
    pub outcomes: Vec<Entry>,
}

impl ProvenReceipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// [`Unproven::Json`], [`Unproven::Format`] or [`Unproven::TooMany`].
    pub fn parse(text: &[u8]) -> Result<Self, Unproven> {
        let receipt: Self = serde_json::from_slice(text).map_err(Unproven::Json)?;
        if receipt.format != RECEIPT_FORMAT {
            return Err(Unproven::Format(receipt.format));
        }
        if receipt.outcomes.len() > OUTCOMES_MAX { Err(Unproven::TooMany) } else { Ok(receipt) }
    }

    /// Verifies the receipt with nothing but the log's key.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<ReceiptReport, Unproven> {
        let checkpoint = self.checkpoint.verify(key).map_err(Unproven::Checkpoint)?;
        if checkpoint.origin != self.origin {
            return Err(Unproven::OtherLog { found: checkpoint.origin, expected: self.origin.clone() });
        }
        let intent = self.intent_in(&checkpoint)?;
        let mut outcomes: Vec<Entry> = Vec::new();
        for proven in &self.outcomes {
            let outcome = proven.entry(&checkpoint)?;
            let last = outcomes.last().map_or(intent.seq, |last| last.seq);
            belongs(&intent, &outcome, last)?;
            outcomes.push(outcome);
        }
        Ok(ReceiptReport {
            origin: checkpoint.origin.clone(),
            execution: self.execution.clone(),
            entries: checkpoint.size,
            checkpoint_time: checkpoint.time().map(str::to_owned),
            intent,
            outcomes,
        })
    }

    /// What the receipt says of each of its entries, as evidence against an export.
    pub fn receipts(&self) -> impl Iterator<Item = Receipt> {
        std::iter::once(&self.intent).chain(&self.outcomes).map(|entry| Receipt {
            origin: self.origin.clone(),
            seq: entry.seq,
            leaf_hash: entry.leaf_hash,
        })
    }

    fn intent_in(&self, checkpoint: &Checkpoint) -> Result<Entry, Unproven> {
        let intent = self.intent.entry(checkpoint)?;
        let misplaced = |field| Err(Unproven::Misplaced { seq: intent.seq, field });
        if !intent.opens_intent() {
            return misplaced("action");
        }
        if intent.resource_type != "execution" || intent.resource_id != self.execution {
            return misplaced("resource_id");
        }
        Ok(intent)
    }
}

/// Checks that an outcome is the intent's, and stands after `last`.
fn belongs(intent: &Entry, outcome: &Entry, last: u64) -> Result<(), Unproven> {
    let agrees = [
        ("seq", outcome.seq > last),
        ("intent", outcome.intent == Some(intent.seq)),
        ("tenant", outcome.tenant == intent.tenant),
        ("resource_id", outcome.resource_type == intent.resource_type && outcome.resource_id == intent.resource_id),
    ];
    match agrees.into_iter().find(|(_, agrees)| !agrees) {
        Some((field, _)) => Err(Unproven::Misplaced { seq: outcome.seq, field }),
        None => Ok(()),
    }
}

impl ReceiptReport {
    /// The verdict in words, a line each: what is proven, and what nothing in the receipt proves.
    pub fn verdict(&self) -> Vec<String> {
        let signed = self.checkpoint_time.as_ref().map(|time| format!(", signed at {time}")).unwrap_or_default();
        let mut lines = vec![
            format!("{}: {} is in its first {} entries{signed}", self.origin, self.execution, self.entries),
            self.intent_line(),
        ];
        lines.extend(self.outcomes.iter().map(outcome_line));
        if !self.outcomes.iter().any(|outcome| outcome.outcome.is_settled()) {
            lines.push("not proven: what became of it; as far as this receipt goes, that is unknown".to_owned());
        }
        lines.push(
            "not proven: the order's figures, which no entry holds; what the venue did with it; and that no later entry \
             says otherwise"
                .to_owned(),
        );
        lines
    }

    fn intent_line(&self) -> String {
        let Entry { seq, at, user_id, tenant, ip_address, rule, detail, .. } = &self.intent;
        let told = |name: &str| detail.get(name).map_or("-", String::as_str);
        format!(
            "proven: entry {seq}, written at {at} before anything was signed: {} {user_id} of {tenant}, from {ip_address}, \
             was let through by {rule}: {} at {} with {}",
            word(&self.intent.user_kind),
            told("operation"),
            told("venue"),
            told("credential"),
        )
    }
}

fn outcome_line(outcome: &Entry) -> String {
    let Entry { seq, at, detail, .. } = outcome;
    let status = detail.get("status").map(|status| format!(", the venue's status {status}")).unwrap_or_default();
    format!("proven: entry {seq}, written at {at}: the outcome was recorded as {}{status}", word(&outcome.outcome))
}

/// The word that an entry has for it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
