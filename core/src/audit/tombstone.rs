//! Tombstones: signed statements that something was deleted, kept outside of backups so that no restore brings it back.
//!
//! The text is `claviger-tombstone/v1`, the log's origin, what was deleted, and when that was signed, each ended by a
//! newline; it is signed as a [`note`] by the key of the checkpoints, which no checkpoint's origin can be mistaken for.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::checkpoint::TOMBSTONE_PREFIX;
use super::entry::{is_timestamp, timestamp};
use super::note::{self, NoteError, VerifierKey};
use crate::id::{CredentialId, TenantId};

const VERSION: &str = "v1";

/// What each begins with.
const FIRST_LINE: &str = "claviger-tombstone/v1\n";

/// What stands before its signature.
const SIGNATURE: &str = "\n\n\u{2014} ";
const TIME: &str = "time ";

/// What was deleted, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A tenant.
    Tenant(TenantId),
    /// A tenant's credential.
    Credential(TenantId, CredentialId),
    /// A tenant's owner, of whom only a salted hash is said.
    Owner(TenantId, OwnerHash),
    /// A tenant's KEK of one version.
    Kek(TenantId, u32),
}

/// Who was erased, for those who know the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OwnerHash {
    /// The store's own.
    pub salt: [u8; 32],
    /// `SHA-256(salt || tenant || 0 || owner)`.
    pub hash: [u8; 32],
}

/// A tombstone that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// What was deleted.
    pub subject: Subject,
    /// When the keeper signed it, RFC 3339.
    pub time: String,
}

/// Why a text is no tombstone of this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TombstoneError {
    /// The note does not open.
    #[error("not a note of this log's key")]
    Note(#[from] NoteError),
    /// Not the lines of a tombstone of this log.
    #[error("not a tombstone of this log")]
    Shape,
}

impl OwnerHash {
    /// The hash of an owner under a salt.
    pub fn of(salt: [u8; 32], tenant: TenantId, owner: &str) -> Self {
        // The tenant's id has no zero byte.
        let text = [salt.as_slice(), tenant.to_string().as_bytes(), &[0], owner.as_bytes()].concat();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &text).as_ref());
        Self { salt, hash }
    }

    /// Whether it is this owner's.
    pub fn is(&self, tenant: TenantId, owner: &str) -> bool {
        Self::of(self.salt, tenant, owner) == *self
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(tenant) => write!(f, "tenant {tenant}"),
            Self::Credential(tenant, id) => write!(f, "credential {tenant} {id}"),
            Self::Owner(tenant, OwnerHash { salt, hash }) => {
                write!(f, "owner {tenant} {} {}", HEXLOWER.encode(salt), HEXLOWER.encode(hash))
            }
            Self::Kek(tenant, version) => write!(f, "kek {tenant} {version}"),
        }
    }
}

impl FromStr for Subject {
    type Err = TombstoneError;

    fn from_str(text: &str) -> Result<Self, TombstoneError> {
        let words: Vec<&str> = text.split(' ').collect();
        let subject = match words.as_slice() {
            ["tenant", tenant] => tenant.parse().ok().map(Self::Tenant),
            ["credential", tenant, id] => both(tenant, id).map(|(tenant, id)| Self::Credential(tenant, id)),
            ["owner", tenant, salt, hash] => {
                let hash = bytes(salt).zip(bytes(hash)).map(|(salt, hash)| OwnerHash { salt, hash });
                tenant.parse().ok().zip(hash).map(|(tenant, hash)| Self::Owner(tenant, hash))
            }
            ["kek", tenant, version] => both(tenant, version).map(|(tenant, version)| Self::Kek(tenant, version)),
            _ => None,
        };
        // Written in one way only.
        subject.filter(|subject| subject.to_string() == text).ok_or(TombstoneError::Shape)
    }
}

fn both<A: FromStr, B: FromStr>(a: &str, b: &str) -> Option<(A, B)> {
    a.parse().ok().zip(b.parse().ok())
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

/// The text that is signed.
pub fn body(origin: &str, subject: &Subject, unix_ms: u64) -> String {
    format!("{TOMBSTONE_PREFIX}{VERSION}\n{origin}\n{subject}\n{TIME}{}\n", timestamp(unix_ms))
}

/// Puts a tombstone's text and its signature together.
///
/// # Errors
/// Whatever [`read`] would refuse; so what comes out here is good.
pub fn assemble(body: &str, key: &VerifierKey, signature: &[u8]) -> Result<String, TombstoneError> {
    let text = note::assemble(body, key, signature)?;
    read(&text, key).map(|_| text)
}

/// Reads a tombstone of the log that `key` is named after.
///
/// # Errors
/// [`TombstoneError`].
pub fn read(text: &str, key: &VerifierKey) -> Result<Tombstone, TombstoneError> {
    let body = note::open(text.as_bytes(), key)?;
    let mut lines = body.strip_suffix('\n').ok_or(TombstoneError::Shape)?.split('\n');
    let mut line = || lines.next().ok_or(TombstoneError::Shape);
    let (version, origin, subject, time) = (line()?, line()?, line()?, line()?);
    let is_ours = version.strip_prefix(TOMBSTONE_PREFIX) == Some(VERSION) && origin == key.name();
    let time = time.strip_prefix(TIME).filter(|time| is_timestamp(time)).ok_or(TombstoneError::Shape)?;
    if !is_ours || lines.next().is_some() {
        return Err(TombstoneError::Shape);
    }
    Ok(Tombstone { subject: subject.parse()?, time: time.to_owned() })
}

/// Reads a file of tombstones with an empty line after each, and says how many fragments it holds, which writes that did
/// not end have left.
///
/// # Errors
/// [`TombstoneError`] of the first that is whole and not good.
pub fn read_all(text: &str, key: &VerifierKey) -> Result<(Vec<Tombstone>, usize), TombstoneError> {
    let (mut tombstones, mut fragments) = (Vec::new(), 0_usize);
    let mut parts = text.split(FIRST_LINE);
    let mut fragment = |is_there: bool| fragments = fragments.saturating_add(usize::from(is_there));
    fragment(parts.next().is_some_and(|before| !before.is_empty()));
    for part in parts {
        let Some((body, rest)) = part.split_once(SIGNATURE) else {
            fragment(true);
            continue;
        };
        let (signature, rest) = rest.split_once("\n\n").unwrap_or((rest, ""));
        let note = format!("{FIRST_LINE}{body}{SIGNATURE}{}\n", signature.trim_end_matches('\n'));
        match read(&note, key) {
            Ok(tombstone) => tombstones.push(tombstone),
            Err(_) if !part.ends_with('\n') && rest.is_empty() => fragment(true),
            Err(error) => return Err(error),
        }
        fragment(!rest.is_empty());
    }
    Ok((tombstones, fragments))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::audit::SignedCheckpoint;

    const LOG: &str = "claviger/log_1";

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
    }

    fn signed(text: &str) -> (String, VerifierKey) {
        let key = VerifierKey::new(LOG, pair().public_key().as_ref()).unwrap();
        (note::assemble(text, &key, pair().sign(text.as_bytes()).as_ref()).unwrap(), key)
    }

    fn subjects() -> [Subject; 4] {
        let (tenant, credential) = (TenantId::from_bytes([1; 16]), CredentialId::from_bytes([2; 16]));
        [
            Subject::Tenant(tenant),
            Subject::Credential(tenant, credential),
            Subject::Owner(tenant, OwnerHash::of([3; 32], tenant, "owner-1")),
            Subject::Kek(tenant, 7),
        ]
    }

    #[test]
    fn each_subject_is_written_and_read_again() {
        for subject in subjects() {
            let (text, key) = signed(&body(LOG, &subject, 1_785_312_000_123));
            let expected = Tombstone { subject, time: "2026-07-29T08:00:00.123Z".to_owned() };
            assert_eq!(read(&text, &key), Ok(expected));
            assert!(!text.contains("owner-1"), "{text}");
            assert!(SignedCheckpoint::unverified(text).verify(&key).is_err(), "no tombstone is a checkpoint");
        }
    }

    #[test]
    fn what_is_not_one_of_this_log_is_refused() {
        let [subject, ..] = subjects();
        let good = body(LOG, &subject, 0);
        let check = |from: &str, to: &str| {
            let (text, key) = signed(&good.replacen(from, to, 1));
            assert_eq!(read(&text, &key), Err(TombstoneError::Shape), "{from} as {to}");
        };
        check("/v1\n", "/v2\n");
        check(LOG, "claviger/log_2");
        check("tenant ", "tenants ");
        check("time ", "at ");
        check("\ntime", "\nkek x 1\ntime");
        let (text, key) = signed(&good);
        assert_eq!(read(&text.replace("1970", "1971"), &key), Err(NoteError::Signature.into()));
    }

    #[test]
    fn a_fragment_hides_no_tombstone() {
        let notes = subjects().map(|subject| signed(&body(LOG, &subject, 0)).0);
        let (_, key) = signed("a text\n");
        let [one, cut, other, _] = &notes;
        let [first, middle, last, _] = subjects();
        let check = |text: &str, expected: &[Subject], broken: usize| {
            let (read, fragments) = read_all(text, &key).unwrap();
            let read: Vec<_> = read.into_iter().map(|tombstone| tombstone.subject).collect();
            assert_eq!((read.as_slice(), fragments), (expected, broken), "{text:?}");
        };
        for at in (1..cut.len() - 1).filter(|at| cut.is_char_boundary(*at)) {
            let fragment = &cut[..at];
            check(&format!("{one}\n{fragment}{other}\n"), &[first, last], 1);
            check(&format!("{fragment}{other}\n"), &[last], 1);
            check(&format!("{one}\n{other}\n{fragment}"), &[first, last], 1);
        }
        check(&notes.join("\n"), &subjects(), 0);
        check(&notes.concat(), &subjects(), 0);
        check(format!("{one}\n{cut}").trim_end(), &[first, middle], 0);
        check("", &[], 0);
        let forged = format!("{one}\n{cut}\n").replace("1970", "1971");
        assert_eq!(read_all(&forged, &key), Err(NoteError::Signature.into()));
    }
}
