//! Personal fields of an entry, sealed so that a person can be erased and the tree still verifies.
//!
//! The fields are under an audit key of the person's own, kept in a table of the store and never exported. Destroying
//! that key erases the person from every leaf at once, while no byte of a leaf, and so no hash, changes. This serves
//! erasure, not secrecy: reading and writing the log needs no token.
//!
//! AES-256-GCM. The nonce is the first 12 bytes of the entry's salt, which is drawn anew for every entry; the additional
//! data is `writer|seq|salt`, so a sealed text moved to another leaf does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

use super::entry::{Entry, SALT_BYTES};
use super::to_json;

/// Length of an audit key in bytes.
pub const AUDIT_KEY_BYTES: usize = 32;

/// The key over one person's fields in the audit log.
#[derive(ZeroizeOnDrop)]
pub struct AuditKey([u8; AUDIT_KEY_BYTES]);

/// What an entry says about a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// The owner: the tenant's own id for the person.
    pub owner: String,
}

/// Why personal fields were not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonalError {
    /// The entry has none.
    #[error("the entry has no personal fields")]
    Absent,
    /// They do not open under this key: another person's key, or another entry's fields.
    #[error("the personal fields do not open under this key")]
    Refused,
}

impl AuditKey {
    /// Takes 32 random bytes for a key.
    pub fn new(bytes: [u8; AUDIT_KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one table that keeps them.
    pub fn as_bytes(&self) -> &[u8; AUDIT_KEY_BYTES] {
        &self.0
    }

    fn aead(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.0).ok().map(LessSafeKey::new)
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(..)")
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

/// Opens the personal fields of an entry.
///
/// # Errors
/// [`PersonalError::Absent`] if there are none, [`PersonalError::Refused`] whatever else is wrong.
pub fn open(entry: &Entry, key: &AuditKey) -> Result<Personal, PersonalError> {
    let sealed = entry.personal.as_ref().ok_or(PersonalError::Absent)?;
    try_open(entry, sealed, key).ok_or(PersonalError::Refused)
}

/// Seals personal fields for the entry with this writer, number and salt. `None` only if the AEAD refuses, which it does
/// for gigabytes.
pub(super) fn seal(
    personal: &Personal,
    key: &AuditKey,
    writer: &str,
    seq: u64,
    salt: &[u8; SALT_BYTES],
) -> Option<String> {
    let mut bytes = to_json(personal).into_bytes();
    let aad = Aad::from(binding(writer, seq, &HEXLOWER.encode(salt)));
    key.aead()?.seal_in_place_append_tag(nonce(salt)?, aad, &mut bytes).ok()?;
    Some(BASE64.encode(&bytes))
}

fn try_open(entry: &Entry, sealed: &str, key: &AuditKey) -> Option<Personal> {
    let salt = HEXLOWER.decode(entry.salt.as_bytes()).ok()?;
    let mut bytes = BASE64.decode(sealed.as_bytes()).ok()?;
    let aad = Aad::from(binding(&entry.writer, entry.seq, &entry.salt));
    let plain = key.aead()?.open_in_place(nonce(&salt)?, aad, &mut bytes).ok()?;
    serde_json::from_slice(plain).ok()
}

fn nonce(salt: &[u8]) -> Option<Nonce> {
    Nonce::try_assume_unique_for_key(salt.get(..NONCE_LEN)?).ok()
}

/// Unambiguous: read from the right, the salt has a fixed length and the number no bar.
fn binding(writer: &str, seq: u64, salt: &str) -> String {
    format!("{writer}|{seq}|{salt}")
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Draft, EntryOutcome, Stamp};
    use super::*;

    fn entry(owner: &str, key: Option<&AuditKey>) -> Entry {
        let stamp = Stamp { writer: "w".to_owned(), seq: 4, at_ms: 0, tenant_seq: 0, salt: [9; SALT_BYTES] };
        Draft::new("credential.enroll", EntryOutcome::Allowed)
            .personal(Personal { owner: owner.to_owned() })
            .into_entry(stamp, key)
    }

    #[test]
    fn fields_open_under_their_key_and_at_their_place_only() {
        let key = AuditKey::new([1; 32]);
        let sealed = entry("own_1", Some(&key));
        assert_eq!(open(&sealed, &key).unwrap().owner, "own_1");
        assert_eq!(open(&sealed, &AuditKey::new([2; 32])), Err(PersonalError::Refused));
        let moved = [
            Entry { seq: 5, ..sealed.clone() },
            Entry { writer: "x".to_owned(), ..sealed.clone() },
            Entry { salt: "08".repeat(16), ..sealed.clone() },
            Entry { salt: String::new(), ..sealed.clone() },
            Entry { personal: Some("AAAA".to_owned()), ..sealed },
        ];
        for entry in moved {
            assert_eq!(open(&entry, &key), Err(PersonalError::Refused));
        }
    }

    #[test]
    fn without_a_key_nothing_personal_is_written() {
        let erased = entry("own_secretive", None);
        assert_eq!(open(&erased, &AuditKey::new([1; 32])), Err(PersonalError::Absent));
        assert!(!String::from_utf8(erased.to_leaf()).unwrap().contains("secretive"));
    }

    #[test]
    fn neither_key_nor_person_shows_in_debug_text() {
        let text = format!("{:?} {:?}", AuditKey::new([0xab; 32]), Personal { owner: "own_1".to_owned() });
        assert_eq!(text, "AuditKey(..) Personal(..)");
    }
}
