//! Checkpoints: signed statements of how many leaves a log has and what their root is (C2SP tlog-checkpoint).
//!
//! The text is the origin, the size, the root in base64, and extension lines, each ended by a newline; it is signed as a
//! [`note`]. Claviger writes two kinds of extension: `time <RFC 3339>`, when it was signed, and
//! `keeper <start id> <count> <running hash>`, what the keeper itself counted. Readers pass over lines they do not know.

use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::entry::{is_timestamp, timestamp};
use super::note::{self, NoteError, VerifierKey};
use super::tree::Hash;

/// Origins with this prefix belong to deletion notices under the same key, so no checkpoint may have one.
pub const TOMBSTONE_PREFIX: &str = "claviger-tombstone/";

/// Nor this one: it is of recovery files.
pub const RECOVERY_PREFIX: &str = "claviger-recovery/";

const TIME: &str = "time ";
const KEEPER: &str = "keeper ";

/// A tree head: what a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log, such as `claviger/<log id>`.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Further lines, without their newlines.
    pub extensions: Vec<String>,
}

/// What the keeper counted by itself: the extension line `keeper`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeeperCount {
    /// Names the keeper's start; the count begins anew with each.
    pub start: String,
    /// Signatures made since then.
    pub count: u64,
    /// A running hash over them.
    pub running: Hash,
}

/// The text of a signed checkpoint. Having one says nothing; [`SignedCheckpoint::verify`] does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignedCheckpoint(String);

/// Why a text is not a checkpoint, or not one of this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note does not open.
    #[error("not a note of this key")]
    Note(#[from] NoteError),
    /// Less than three lines, or one that is not ended.
    #[error("a checkpoint has at least three lines, each ended by a newline")]
    Shape,
    /// An empty origin, one with control characters, or one that belongs to deletion notices.
    #[error("the origin is not a log's")]
    Origin,
    /// Not a decimal number without leading zeros.
    #[error("the size is not a decimal number")]
    Size,
    /// Not 32 bytes in base64.
    #[error("the root is not 32 bytes in base64")]
    Root,
    /// An extension line is empty or has control characters.
    #[error("an extension line is empty or has control characters")]
    Extension,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Self { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// Adds the line `time`, from milliseconds since the Unix epoch.
    #[must_use]
    pub fn with_time(mut self, unix_ms: u64) -> Self {
        self.extensions.push(format!("{TIME}{}", timestamp(unix_ms)));
        self
    }

    /// Adds the line `keeper`.
    #[must_use]
    pub fn with_keeper(mut self, keeper: &KeeperCount) -> Self {
        self.extensions.push(format!("{KEEPER}{} {} {}", keeper.start, keeper.count, keeper.running));
        self
    }

    /// The time of the first well-formed line `time`. Such times compare as texts.
    pub fn time(&self) -> Option<&str> {
        self.extensions.iter().filter_map(|line| line.strip_prefix(TIME)).find(|time| is_timestamp(time))
    }

    /// The first well-formed line `keeper`.
    pub fn keeper(&self) -> Option<KeeperCount> {
        self.extensions.iter().find_map(|line| keeper_line(line))
    }

    /// The text that is signed.
    pub fn body(&self) -> String {
        let mut body = format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()));
        for line in &self.extensions {
            body.push_str(line);
            body.push('\n');
        }
        body
    }

    /// Reads the text that is signed.
    ///
    /// # Errors
    /// Any [`CheckpointError`] but [`CheckpointError::Note`].
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body.strip_suffix('\n').ok_or(CheckpointError::Shape)?.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Shape);
        let (origin, size, root) = (line()?, line()?, line()?);
        if !is_line(origin) || [TOMBSTONE_PREFIX, RECOVERY_PREFIX].iter().any(|prefix| origin.starts_with(prefix)) {
            return Err(CheckpointError::Origin);
        }
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = BASE64.decode(root.as_bytes()).map_err(|_| CheckpointError::Root)?;
        let root = root.try_into().map(Hash::from_bytes).map_err(|_| CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if !extensions.iter().all(|line| is_line(line)) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }
}

impl SignedCheckpoint {
    /// Takes a stored or received text, without a look at its signature.
    pub fn unverified(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Puts a checkpoint and the signature over its [`Checkpoint::body`] together.
    ///
    /// # Errors
    /// Whatever [`SignedCheckpoint::parse_and_verify`] would refuse; so what comes out here is good.
    pub fn assemble(
        checkpoint: &Checkpoint,
        name: &str,
        public_key: &[u8],
        signature: &[u8],
    ) -> Result<Self, CheckpointError> {
        let body = checkpoint.body();
        // A field with a newline in it would make another checkpoint than the one meant.
        if Checkpoint::parse(&body)? != *checkpoint {
            return Err(CheckpointError::Shape);
        }
        Ok(Self(note::assemble(&body, &VerifierKey::new(name, public_key)?, signature)?))
    }

    /// Reads a signed checkpoint and verifies it with the key of that name. Signatures of other keys are passed over.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] if the text is no note or the key has not signed it, otherwise what is wrong with the
    /// checkpoint in it.
    pub fn parse_and_verify(
        text: impl AsRef<[u8]>,
        name: &str,
        public_key: &[u8],
    ) -> Result<Checkpoint, CheckpointError> {
        let key = VerifierKey::new(name, public_key)?;
        Checkpoint::parse(note::open(text.as_ref(), &key)?)
    }

    /// What the checkpoint says, if `key` has signed it.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::parse_and_verify`].
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::parse(note::open(self.0.as_bytes(), key)?)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// Reads a number that is written as Rust writes it: no sign, no leading zeros.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn keeper_line(line: &str) -> Option<KeeperCount> {
    let mut parts = line.strip_prefix(KEEPER)?.split(' ');
    let start = parts.next().filter(|start| !start.is_empty())?.to_owned();
    let count = decimal(parts.next()?)?;
    let running = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(KeeperCount { start, count, running })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "claviger/log_1";

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        let keeper = KeeperCount { start: "kst_1".to_owned(), count: 12, running: Hash::of_empty_tree() };
        Checkpoint::new(NAME, 42, Hash::of_empty_tree()).with_time(1_785_312_000_123).with_keeper(&keeper)
    }

    fn signed(checkpoint: &Checkpoint) -> Result<SignedCheckpoint, CheckpointError> {
        let pair = pair();
        let signature = pair.sign(checkpoint.body().as_bytes());
        SignedCheckpoint::assemble(checkpoint, NAME, pair.public_key().as_ref(), signature.as_ref())
    }

    #[test]
    fn the_text_is_the_one_of_the_specification() {
        let body = "claviger/log_1\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
            time 2026-07-29T08:00:00.123Z\n\
            keeper kst_1 12 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n";
        assert_eq!(checkpoint().body(), body);
        assert_eq!(Checkpoint::parse(body), Ok(checkpoint()));
        assert_eq!(checkpoint().time(), Some("2026-07-29T08:00:00.123Z"));
        assert_eq!(checkpoint().keeper().unwrap().count, 12);
    }

    #[test]
    fn a_signed_checkpoint_verifies_with_its_key_and_name_only() {
        let text = signed(&checkpoint()).unwrap().into_string();
        let public = pair().public_key().as_ref().to_vec();
        assert_eq!(SignedCheckpoint::parse_and_verify(&text, NAME, &public), Ok(checkpoint()));
        let other = Ed25519KeyPair::from_seed_unchecked(&[6; 32]).unwrap();
        let check = |text: &str, name, key: &[u8]| SignedCheckpoint::parse_and_verify(text, name, key).unwrap_err();
        assert_eq!(check(&text, NAME, other.public_key().as_ref()), NoteError::Unsigned.into());
        assert_eq!(check(&text, "claviger/log_2", &public), NoteError::Unsigned.into());
        assert_eq!(check(&text.replace("\n42\n", "\n41\n"), NAME, &public), NoteError::Signature.into());
        assert_eq!(check(&text, NAME, &public[1..]), NoteError::Key.into());
    }

    #[test]
    fn what_cannot_be_read_back_is_not_assembled() {
        let check = |change: fn(&mut Checkpoint)| {
            let mut changed = checkpoint();
            change(&mut changed);
            signed(&changed).unwrap_err()
        };
        assert_eq!(check(|c| c.origin = "claviger-tombstone/x".to_owned()), CheckpointError::Origin);
        assert_eq!(check(|c| c.origin.clear()), CheckpointError::Origin);
        assert_eq!(check(|c| c.extensions.push(String::new())), CheckpointError::Extension);
        assert_eq!(check(|c| c.extensions.push("a\nb".to_owned())), CheckpointError::Shape);
        assert_eq!(check(|c| c.extensions.push("a\rb".to_owned())), CheckpointError::Extension);
    }

    #[test]
    fn a_size_or_root_written_otherwise_is_refused() {
        let body = checkpoint().body();
        let check = |from: &str, to: &str| Checkpoint::parse(&body.replacen(from, to, 1)).unwrap_err();
        assert_eq!(check("\n42\n", "\n042\n"), CheckpointError::Size);
        assert_eq!(check("\n42\n", "\n+42\n"), CheckpointError::Size);
        assert_eq!(check("\n42\n", "\n\n"), CheckpointError::Size);
        assert_eq!(check("uFU=", "uFV="), CheckpointError::Root);
        assert_eq!(check("uFU=", ""), CheckpointError::Root);
        assert_eq!(Checkpoint::parse("a\n1\n"), Err(CheckpointError::Shape));
        assert_eq!(Checkpoint::parse("a\n1"), Err(CheckpointError::Shape));
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused_or_means_the_same(place in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut text = signed(&checkpoint()).unwrap().into_string().into_bytes();
            let place = place.index(text.len());
            text[place] ^= 1 << bit;
            prop_assert!(SignedCheckpoint::parse_and_verify(&text, NAME, pair().public_key().as_ref()).is_err());
        }

        #[test]
        fn hostile_texts_are_answered(text in "(.|\n){0,200}") {
            if let Ok(read) = Checkpoint::parse(&text) {
                prop_assert_eq!(read.body(), text);
            }
        }
    }
}
