//! What callers give the store for an entry, and how it becomes one.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::super::personal::{self, AuditKey, Personal};
use super::{ENTRY_VERSION, Entry, EntryOutcome, SALT_BYTES, TEXT_BYTES_MAX, UserKind, timestamp};

/// The most details of one entry. Further ones are left out and counted under `omitted`.
pub const DETAILS_MAX: usize = 16;

/// What ends a text that was cut.
const CUT: &str = "…";

/// What an operator's entry depends on: the login that acts, by the hash of its bearer. The store writes no entry of a
/// login that has ended, nor anything that belongs to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Guard(pub [u8; 32]);

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard(..)")
    }
}

/// An entry before the store gives it its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Draft {
    /// The tenant, or empty.
    pub tenant: String,
    /// The kind of principal that acted.
    pub user_kind: UserKind,
    /// The principal's id, or empty.
    pub user_id: String,
    /// What was done.
    pub action: String,
    /// The kind of thing it was done to.
    pub resource_type: String,
    /// The id of that thing.
    pub resource_id: String,
    /// Where the request came from.
    pub ip_address: String,
    /// What became of it.
    pub outcome: EntryOutcome,
    /// The rule that decided.
    pub rule: String,
    /// The request that this was part of.
    pub request_id: String,
    /// The `seq`, in the same tree, of the intent that this belongs to.
    pub intent: Option<u64>,
    /// Further facts. Nothing secret.
    pub detail: BTreeMap<String, String>,
    /// Personal fields in the clear. They leave the draft sealed or not at all.
    pub personal: Option<Personal>,
    /// The login that it depends on; never written down.
    pub guard: Option<Guard>,
}

/// What only the writer of the log can add to a [`Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The writer.
    pub writer: String,
    /// Number of the leaf in the writer's tree.
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The tenant's counter. Ignored if the draft has no tenant.
    pub tenant_seq: u64,
    /// Fresh random bytes for each call; their first 12 are also the nonce of the personal fields.
    pub salt: [u8; SALT_BYTES],
}

impl Draft {
    /// Begins a draft. Until told otherwise, nobody did it, to nothing in particular.
    pub fn new(action: impl Into<String>, outcome: EntryOutcome) -> Self {
        Self {
            tenant: String::new(),
            user_kind: UserKind::Nobody,
            user_id: String::new(),
            action: action.into(),
            resource_type: String::new(),
            resource_id: String::new(),
            ip_address: String::new(),
            outcome,
            rule: String::new(),
            request_id: String::new(),
            intent: None,
            detail: BTreeMap::new(),
            personal: None,
            guard: None,
        }
    }

    /// Names the tenant.
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), ..self }
    }

    /// Names the principal that acted.
    pub fn by(self, kind: UserKind, id: impl Into<String>) -> Self {
        Self { user_kind: kind, user_id: id.into(), ..self }
    }

    /// Names what it was done to.
    pub fn on(self, resource_type: impl Into<String>, resource_id: impl Into<String>) -> Self {
        Self { resource_type: resource_type.into(), resource_id: resource_id.into(), ..self }
    }

    /// Names the address the request came from.
    pub fn from_ip(self, ip_address: impl Into<String>) -> Self {
        Self { ip_address: ip_address.into(), ..self }
    }

    /// Names the rule that decided.
    pub fn rule(self, rule: impl Into<String>) -> Self {
        Self { rule: rule.into(), ..self }
    }

    /// Names the request.
    pub fn request(self, request_id: impl Into<String>) -> Self {
        Self { request_id: request_id.into(), ..self }
    }

    /// Names the intent that this is the outcome or the release of.
    pub fn intent(self, seq: u64) -> Self {
        Self { intent: Some(seq), ..self }
    }

    /// Adds a fact. Nothing secret.
    pub fn detail(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.detail.insert(key.into(), value.into());
        self
    }

    /// Adds the personal fields.
    pub fn personal(self, personal: Personal) -> Self {
        Self { personal: Some(personal), ..self }
    }

    /// Makes it depend on a login.
    pub fn guarded(self, guard: Option<Guard>) -> Self {
        Self { guard, ..self }
    }

    /// Gives the draft its place in the log.
    ///
    /// Texts are cut to [`TEXT_BYTES_MAX`] and details to [`DETAILS_MAX`], visibly: what a caller sends can make an
    /// entry ugly, never too long to be written. Without an `audit_key` (the person was erased) the personal fields
    /// are left out; they are never written in the clear.
    pub fn into_entry(self, stamp: Stamp, audit_key: Option<&AuditKey>) -> Entry {
        let tenant = cut(self.tenant);
        let tenant_seq = if tenant.is_empty() { 0 } else { stamp.tenant_seq };
        let writer = cut(stamp.writer);
        let personal = self
            .personal
            .zip(audit_key)
            .and_then(|(fields, key)| personal::seal(&fields, key, &writer, stamp.seq, &stamp.salt));
        Entry {
            v: ENTRY_VERSION,
            writer,
            seq: stamp.seq,
            at: timestamp(stamp.at_ms),
            tenant,
            tenant_seq,
            user_kind: self.user_kind,
            user_id: cut(self.user_id),
            action: cut(self.action),
            resource_type: cut(self.resource_type),
            resource_id: cut(self.resource_id),
            ip_address: cut(self.ip_address),
            outcome: self.outcome,
            rule: cut(self.rule),
            request_id: cut(self.request_id),
            intent: self.intent,
            detail: cut_details(self.detail),
            personal,
            salt: HEXLOWER.encode(&stamp.salt),
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX.saturating_sub(CUT.len())));
        text.push_str(CUT);
    }
    text
}

fn cut_details(detail: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let omitted = detail.len().saturating_sub(DETAILS_MAX);
    let mut kept: BTreeMap<_, _> =
        detail.into_iter().take(DETAILS_MAX).map(|(key, value)| (cut(key), cut(value))).collect();
    if omitted > 0 {
        kept.insert("omitted".to_owned(), omitted.to_string());
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp() -> Stamp {
        Stamp { writer: "node-a".to_owned(), seq: u64::MAX, at_ms: 0, tenant_seq: 3, salt: [7; SALT_BYTES] }
    }

    #[test]
    fn the_largest_draft_still_fits() {
        let huge = || "\u{1}".repeat(100_000);
        let mut draft = Draft::new(huge(), EntryOutcome::Denied).tenant(huge()).by(UserKind::App, huge());
        draft = draft.on(huge(), huge()).from_ip(huge()).rule(huge()).request(huge());
        for n in 0..40 {
            draft = draft.detail(format!("{n:02}{}", huge()), huge());
        }
        let entry = draft.into_entry(stamp(), None);
        assert!(entry.action.ends_with('…') && entry.action.len() <= TEXT_BYTES_MAX);
        assert_eq!(entry.detail["omitted"], "24");
        assert_eq!(Entry::from_leaf(&entry.to_leaf()).unwrap(), entry);
    }

    #[test]
    fn a_draft_without_a_tenant_counts_for_none() {
        assert_eq!(Draft::new("keeper.start", EntryOutcome::Allowed).into_entry(stamp(), None).tenant_seq, 0);
    }

    proptest! {
        #[test]
        fn a_draft_becomes_a_leaf_that_reads_back(
            texts in prop::collection::vec(".{0,300}", 8),
            detail in prop::collection::btree_map(".{0,20}", ".{0,300}", 0..20),
            numbers in any::<(u64, Option<u64>, u64, u64)>(),
        ) {
            let (seq, intent, at_ms, tenant_seq) = numbers;
            let mut texts = texts.into_iter();
            let mut text = || texts.next().unwrap();
            let mut draft = Draft::new(text(), EntryOutcome::Failed).tenant(text()).by(UserKind::System, text());
            draft = draft.on(text(), text()).rule(text()).request(text());
            draft.intent = intent;
            draft.detail = detail;
            let tenant_seq = tenant_seq.max(1);
            let entry = draft.into_entry(Stamp { writer: text(), seq, at_ms, tenant_seq, salt: [1; 16] }, None);
            prop_assert_eq!(Entry::from_leaf(&entry.to_leaf()).unwrap(), entry);
        }
    }
}
