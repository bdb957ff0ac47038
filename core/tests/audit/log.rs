//! A log in memory, written the way the store writes one.

use std::collections::HashMap;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use claviger_core::audit::{
    AuditKey, Break, Checkpoint, Draft, Entry, EntryOutcome, Evidence, Frontier, Header, Personal, Receipt, Report,
    SignedCheckpoint, Stamp, UserKind, VerifierKey, checkpoint_line, hash_line, header_line, leaf_hash, leaf_line,
    verify,
};

pub(crate) const NAME: &str = "claviger/log_1";
pub(crate) const WRITER: &str = "node-a";
pub(crate) const EPOCH_MS: u64 = 1_785_312_000_000;

/// Of as many executions, one never gets its outcome, and one gets an unknown one.
const UNKNOWN_EVERY: u64 = 100;

/// A log in memory, its signing key, and what it knows about itself.
pub(crate) struct Log {
    pub(crate) pair: Ed25519KeyPair,
    pub(crate) leaves: Vec<Vec<u8>>,
    counters: HashMap<String, u64>,
    pub(crate) unknown: Vec<u64>,
}

impl Default for Log {
    fn default() -> Self {
        Self { pair: pair(1), leaves: Vec::new(), counters: HashMap::new(), unknown: Vec::new() }
    }
}

impl Log {
    /// Executions of three tenants, intent and outcome apart, with entries of no tenant in between.
    pub(crate) fn of(entries: u64) -> Self {
        let mut log = Self::default();
        for execution in 0.. {
            if log.size() >= entries {
                break;
            }
            let tenant = ["alpha", "beta", "gamma"][usize::try_from(execution % 7 % 3).unwrap()];
            let draft = |action, outcome| {
                Draft::new(action, outcome)
                    .tenant(tenant)
                    .by(UserKind::App, "app_1")
                    .on("execution", format!("exec_{execution}"))
                    .from_ip("192.0.2.7")
                    .request(format!("req_{execution}"))
                    .detail("venue", "kraken \u{1}\"quoted\"")
            };
            let intent = log.append(draft("execution.intent", EntryOutcome::Allowed));
            if execution % 5 == 0 {
                log.append(Draft::new("checkpoint.put", EntryOutcome::Allowed).by(UserKind::System, "system"));
            }
            let outcome = match execution % UNKNOWN_EVERY {
                0 => None,
                1 => Some(EntryOutcome::Unknown),
                _ if log.size() >= entries => None,
                _ => Some(EntryOutcome::Acked),
            };
            if outcome != Some(EntryOutcome::Acked) {
                log.unknown.push(intent);
            }
            if let Some(outcome) = outcome {
                let owner = Personal { owner: "own_1".to_owned() };
                log.append(draft("execution.outcome", outcome).intent(intent).personal(owner));
            }
        }
        log.leaves.truncate(usize::try_from(entries).unwrap());
        log.unknown.retain(|intent| *intent < entries);
        log
    }

    /// The same log, whose entries from `seq` on were written anew.
    pub(crate) fn with_another_history_from(&self, seq: u64) -> Self {
        let mut other = Self { pair: pair(1), ..Self::default() };
        other.leaves.clone_from(&self.leaves);
        for seq in seq..self.size() {
            let edited = Entry { ip_address: "198.51.100.1".to_owned(), ..self.entry(seq) };
            other.leaves[usize::try_from(seq).unwrap()] = edited.to_leaf();
        }
        other
    }

    fn append(&mut self, draft: Draft) -> u64 {
        self.append_at(EPOCH_MS + self.size(), draft)
    }

    pub(crate) fn append_at(&mut self, at_ms: u64, draft: Draft) -> u64 {
        let seq = self.size();
        let counter = self.counters.entry(draft.tenant.clone()).or_default();
        *counter += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&seq.to_be_bytes());
        let stamp = Stamp { writer: WRITER.to_owned(), seq, at_ms, tenant_seq: *counter, salt };
        self.leaves.push(draft.into_entry(stamp, Some(&owner_key())).to_leaf());
        seq
    }

    fn size(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap()
    }

    pub(crate) fn entry(&self, seq: u64) -> Entry {
        Entry::from_leaf(&self.leaves[usize::try_from(seq).unwrap()]).unwrap()
    }

    pub(crate) fn key(&self) -> VerifierKey {
        VerifierKey::new(NAME, self.pair.public_key().as_ref()).unwrap()
    }

    pub(crate) fn receipt(&self, seq: u64) -> Receipt {
        let leaf_hash = leaf_hash(&self.leaves[usize::try_from(seq).unwrap()]);
        Receipt { origin: NAME.to_owned(), seq, leaf_hash }
    }

    pub(crate) fn head(&self, size: u64) -> Checkpoint {
        let mut frontier = Frontier::new();
        for leaf in &self.leaves[..usize::try_from(size).unwrap()] {
            frontier.push(leaf_hash(leaf));
        }
        Checkpoint::new(NAME, size, frontier.root())
    }

    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> SignedCheckpoint {
        let signature = self.pair.sign(checkpoint.body().as_bytes());
        let public_key = self.pair.public_key().as_ref();
        SignedCheckpoint::assemble(checkpoint, NAME, public_key, signature.as_ref()).unwrap()
    }

    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        self.sign(&self.head(size).with_time(EPOCH_MS + size))
    }

    pub(crate) fn export(&self, tenant: Option<&str>) -> Vec<String> {
        self.export_of(self.size(), tenant)
    }

    /// The lines of an export of the first `size` entries.
    pub(crate) fn export_of(&self, size: u64, tenant: Option<&str>) -> Vec<String> {
        let header = Header::new(NAME, &self.key(), tenant.map(str::to_owned), WRITER);
        let leaves = (0..size).zip(&self.leaves).map(|(seq, leaf)| {
            let shown = tenant.is_none_or(|tenant| Entry::from_leaf(leaf).unwrap().tenant == tenant);
            if shown { leaf_line(seq, leaf).unwrap() } else { hash_line(seq, &leaf_hash(leaf)) }
        });
        let mut lines = vec![header_line(&header)];
        lines.extend(leaves);
        lines.push(checkpoint_line(&self.checkpoint(size)));
        lines
    }

    pub(crate) fn verify(&self, export: &[String]) -> Result<Report, Break> {
        self.verify_with(export, &Evidence::default())
    }

    pub(crate) fn verify_with(&self, export: &[String], evidence: &Evidence) -> Result<Report, Break> {
        verify(export.concat().as_bytes(), &self.key(), evidence)
    }

    pub(crate) fn refused(&self, export: &[String]) -> String {
        self.verify(export).unwrap_err().to_string()
    }
}

pub(crate) fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

pub(crate) fn owner_key() -> AuditKey {
    AuditKey::new([7; 32])
}
