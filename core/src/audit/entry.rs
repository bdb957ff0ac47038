//! One leaf of the log, and the draft that callers give the store for it.
//!
//! A leaf is stored, hashed and exported as the same bytes: one line of JSON with its fields in the order of [`Entry`].
//! There is exactly one text for an entry; [`Entry::from_leaf`] refuses every other, so two readers cannot understand
//! the same leaf differently.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::to_json;

mod draft;

pub use draft::{DETAILS_MAX, Draft, Guard, Stamp};

/// The version that this code writes into `v`, and the only one it reads.
pub const ENTRY_VERSION: u8 = 1;
/// Bytes of randomness in an entry.
pub const SALT_BYTES: usize = 16;
/// The longest leaf that is read, in bytes. Drafts are cut so that no entry comes near it.
pub const LEAF_BYTES_MAX: usize = 64 * 1024;
/// The longest text of one field or detail, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserKind {
    /// A program with grants.
    App,
    /// A person with roles.
    Operator,
    /// Claviger itself: probes, renewals, jobs.
    System,
    /// Nobody who could be authenticated.
    Nobody,
}

/// What became of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryOutcome {
    /// It was allowed; for an intent, it is about to happen.
    Allowed,
    /// A rule refused it.
    Denied,
    /// The venue did it.
    Acked,
    /// The venue refused it.
    Rejected,
    /// Nobody knows whether it happened. It stays so until it is reconciled.
    Unknown,
    /// It failed here and had no effect.
    Failed,
    /// The signature was handed to the app; what becomes of it is not seen here.
    Released,
}

impl EntryOutcome {
    /// Whether the question of what happened is answered.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Denied | Self::Acked | Self::Rejected | Self::Failed | Self::Released => true,
            Self::Allowed | Self::Unknown => false,
        }
    }
}

/// One entry of the audit log, as it is stored and exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Format version, [`ENTRY_VERSION`].
    pub v: u8,
    /// The writer whose tree this is a leaf of.
    pub writer: String,
    /// Number of the leaf in that tree, from 0.
    pub seq: u64,
    /// When it was written: RFC 3339, UTC, milliseconds. A label; the order of entries is `seq`.
    pub at: String,
    /// The tenant, or empty.
    pub tenant: String,
    /// Counts the tenant's entries of this writer from 1, so that a missing one shows; 0 without a tenant.
    pub tenant_seq: u64,
    /// The kind of principal that acted.
    pub user_kind: UserKind,
    /// The principal's id, or empty.
    pub user_id: String,
    /// What was done, as `<subject>.<verb>`: `credential.enroll`, `execution.intent`, `audit.read`.
    pub action: String,
    /// The kind of thing it was done to.
    pub resource_type: String,
    /// The id of that thing.
    pub resource_id: String,
    /// Where the request came from.
    pub ip_address: String,
    /// What became of it.
    pub outcome: EntryOutcome,
    /// The stable tag of the rule that decided, or empty.
    pub rule: String,
    /// The request that this was part of.
    pub request_id: String,
    /// The `seq`, in the same tree, of the intent that an outcome or a release belongs to.
    pub intent: Option<u64>,
    /// Further facts. Nothing secret.
    pub detail: BTreeMap<String, String>,
    /// Sealed personal fields; see [`super::personal`].
    pub personal: Option<String>,
    /// 16 random bytes in hex: who sees only the hash of a leaf cannot guess the leaf.
    pub salt: String,
}

/// Why bytes are not a leaf.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// More than [`LEAF_BYTES_MAX`].
    #[error("a leaf has at most {LEAF_BYTES_MAX} bytes")]
    TooLong,
    /// Not the JSON of an entry.
    #[error("not an entry")]
    Json(#[source] serde_json::Error),
    /// Written by a version that this code does not know.
    #[error("entries of version {0} are not known here")]
    Version(u8),
    /// A field that breaks its own rule.
    #[error("the field `{0}` is not well-formed")]
    Field(&'static str),
    /// The same entry written differently: spaces, another order, needless escapes.
    #[error("not the one way to write this entry")]
    NotCanonical,
}

impl Entry {
    /// The leaf: one line of JSON without a newline.
    pub fn to_leaf(&self) -> Vec<u8> {
        to_json(self).into_bytes()
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// Any [`EntryError`]. What is accepted is what [`Entry::to_leaf`] writes, byte for byte.
    pub fn from_leaf(leaf: &[u8]) -> Result<Self, EntryError> {
        if leaf.len() > LEAF_BYTES_MAX {
            return Err(EntryError::TooLong);
        }
        let entry: Self = serde_json::from_slice(leaf).map_err(EntryError::Json)?;
        if entry.v != ENTRY_VERSION {
            return Err(EntryError::Version(entry.v));
        }
        if !is_timestamp(&entry.at) {
            return Err(EntryError::Field("at"));
        }
        if entry.tenant.is_empty() != (entry.tenant_seq == 0) {
            return Err(EntryError::Field("tenant_seq"));
        }
        if entry.tenant.len() > TEXT_BYTES_MAX {
            return Err(EntryError::Field("tenant"));
        }
        if HEXLOWER.decode(entry.salt.as_bytes()).map(|salt| salt.len()) != Ok(SALT_BYTES) {
            return Err(EntryError::Field("salt"));
        }
        if entry.to_leaf() == leaf { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }

    /// Whether this is an intent that some later entry has to settle.
    ///
    /// Intents are the actions that end in `.intent`. One that was refused on the spot waits for nothing.
    pub fn opens_intent(&self) -> bool {
        self.action.ends_with(".intent") && !self.outcome.is_settled()
    }

    /// The intent that this entry settles, if it settles one. An outcome that is unknown settles nothing.
    pub fn settles_intent(&self) -> Option<u64> {
        self.intent.filter(|_| self.outcome.is_settled())
    }
}

/// Writes milliseconds since the Unix epoch as RFC 3339 in UTC, always with three digits after the second.
///
/// Such texts sort like the times they stand for. Times after the year 9999 become its end.
pub fn timestamp(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", time.unwrap_or(Timestamp::MAX))
}

/// Whether `text` is what [`timestamp`] writes for some time.
pub fn is_timestamp(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok_and(|time| format!("{time:.3}") == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp(seq: u64) -> Stamp {
        Stamp { writer: "node-a".to_owned(), seq, at_ms: 1_785_312_000_123, tenant_seq: 3, salt: [7; SALT_BYTES] }
    }

    fn entry() -> Entry {
        Draft::new("execution.outcome", EntryOutcome::Acked)
            .tenant("default")
            .by(UserKind::App, "app_1")
            .on("credential", "crd_1")
            .from_ip("192.0.2.7")
            .rule("grant.ok")
            .request("req_1")
            .intent(8)
            .detail("venue", "kraken")
            .into_entry(stamp(9), None)
    }

    #[test]
    fn the_leaf_of_version_1() {
        let leaf = r#"{"v":1,"writer":"node-a","seq":9,"at":"2026-07-29T08:00:00.123Z","tenant":"default","tenant_seq":3,"user_kind":"app","user_id":"app_1","action":"execution.outcome","resource_type":"credential","resource_id":"crd_1","ip_address":"192.0.2.7","outcome":"acked","rule":"grant.ok","request_id":"req_1","intent":8,"detail":{"venue":"kraken"},"personal":null,"salt":"07070707070707070707070707070707"}"#;
        assert_eq!(String::from_utf8(entry().to_leaf()).unwrap(), leaf);
        assert_eq!(Entry::from_leaf(leaf.as_bytes()).unwrap(), entry());
    }

    #[test]
    fn every_other_way_to_write_an_entry_is_refused() {
        let leaf = String::from_utf8(entry().to_leaf()).unwrap();
        let check = |from: &str, to: &str| {
            assert!(leaf.contains(from), "{from}");
            Entry::from_leaf(leaf.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        assert!(matches!(check(r#""v":1,"#, r#""v":1, "#), EntryError::NotCanonical));
        assert!(matches!(check("kraken", "kr\\u0061ken"), EntryError::NotCanonical));
        assert!(matches!(check(r#""venue":"kraken""#, r#""venue":"x","venue":"kraken""#), EntryError::NotCanonical));
        assert!(matches!(check(r#""personal":null,"#, ""), EntryError::NotCanonical));
        assert!(matches!(check(r#""v":1"#, r#""v":2"#), EntryError::Version(2)));
        assert!(matches!(check(r#""v":1"#, r#""v":1,"x":1"#), EntryError::Json(_)));
        assert!(matches!(check(r#""seq":9"#, r#""seq":9,"seq":9"#), EntryError::Json(_)));
        assert!(matches!(check("00.123Z", "00.123+00:00"), EntryError::Field("at")));
        assert!(matches!(check("00.123Z", "00.1230Z"), EntryError::Field("at")));
        assert!(matches!(check(r#""tenant_seq":3"#, r#""tenant_seq":0"#), EntryError::Field("tenant_seq")));
        assert!(matches!(check("0707", "07"), EntryError::Field("salt")));
        assert!(matches!(Entry::from_leaf(&vec![b' '; LEAF_BYTES_MAX + 1]), Err(EntryError::TooLong)));
    }

    #[test]
    fn only_an_intent_that_may_have_happened_waits_for_an_outcome() {
        let intent = |outcome| Draft::new("execution.intent", outcome).into_entry(stamp(1), None);
        assert!(intent(EntryOutcome::Allowed).opens_intent());
        assert!(!intent(EntryOutcome::Denied).opens_intent());
        assert!(!entry().opens_intent());
        assert_eq!(entry().settles_intent(), Some(8));
        let unknown = Draft::new("execution.outcome", EntryOutcome::Unknown).intent(8).into_entry(stamp(9), None);
        assert_eq!(unknown.settles_intent(), None);
    }

    #[test]
    fn times_have_one_text() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(u64::MAX), timestamp(u64::MAX - 1));
        assert!(is_timestamp(&timestamp(u64::MAX)));
        assert!(!is_timestamp("yesterday"));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_answered(flips in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..8)) {
            let mut leaf = entry().to_leaf();
            for (place, byte) in flips {
                let place = place.index(leaf.len());
                leaf[place] = byte;
            }
            if let Ok(read) = Entry::from_leaf(&leaf) {
                prop_assert_eq!(read.to_leaf(), leaf);
            }
        }
    }
}
