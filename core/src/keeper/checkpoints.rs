//! Which head of the audit tree may be signed next, and which one the token remembers.

use std::time::Duration;

use super::message::{Head, Refused};
use super::service::Failure;
use crate::audit::{Checkpoint, Hash, KeeperCount, SignedCheckpoint, tree};
use crate::clock::BootTime;
use crate::token::{SigningKey, Token, TokenError};

/// The token's copy is renewed at most this often: each renewal writes two objects.
const RENEWED_EVERY: Duration = Duration::from_mins(1);

/// The heads signed so far.
pub(super) struct Checkpoints {
    origin: String,
    key: Vec<u8>,
    /// The newest head: signed by this process, held by the token, or shown by the front with a valid signature.
    newest: Option<(Checkpoint, String)>,
    /// What the token holds.
    kept: Option<String>,
    renewed: Option<BootTime>,
}

impl Checkpoints {
    /// `held` is what the token holds; the highest validly signed one counts.
    pub(super) fn new(origin: &str, key: &[u8], held: &[Vec<u8>]) -> Self {
        let mut this = Self { origin: origin.to_owned(), key: key.to_vec(), newest: None, kept: None, renewed: None };
        for note in held.iter().filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
            this.consider(note);
        }
        this.kept = this.newest.as_ref().map(|(_, note)| note.clone());
        this
    }

    /// Takes in the front's newest checkpoint, if it is genuine and not behind the token's; says what the token holds.
    pub(super) fn shown(&mut self, note: Option<&str>) -> Option<String> {
        if let Some(note) = note {
            self.consider(note);
        }
        self.kept.clone()
    }

    fn consider(&mut self, note: &str) {
        if let Ok(checkpoint) = SignedCheckpoint::parse_and_verify(note, &self.origin, &self.key)
            && checkpoint.origin == self.origin
            && self.newest.as_ref().is_none_or(|(newest, _)| checkpoint.size >= newest.size)
        {
            self.newest = Some((checkpoint, note.to_owned()));
        }
    }

    /// Signs a head that extends the newest one.
    pub(super) fn sign(
        &mut self,
        token: &mut impl Token,
        head: &Head,
        keeper: &KeeperCount,
        (unix_ms, now): (u64, BootTime),
    ) -> Result<String, Failure> {
        if head.origin != self.origin || !self.extends(head) {
            return Err(Refused::Inconsistent.into());
        }
        let checkpoint = Checkpoint::new(&head.origin, head.size, head.root).with_time(unix_ms).with_keeper(keeper);
        let note = note(token, &checkpoint, &self.key)?;
        self.newest = Some((checkpoint, note.clone()));
        let due = self.renewed.is_none_or(|at| at.until(now) >= RENEWED_EVERY);
        if due {
            self.renewed = Some(now);
            self.keep(token);
        }
        Ok(note)
    }

    fn extends(&self, head: &Head) -> bool {
        match &self.newest {
            None => false,
            Some((newest, _)) => {
                tree::verify_consistency(newest.size, head.size, &head.proof, &newest.root, &head.root).is_ok()
            }
        }
    }

    /// Puts the newest checkpoint into the token, if it holds an older one. A failure leaves the older one there, and
    /// the next renewal tries again.
    pub(super) fn keep(&mut self, token: &mut impl Token) {
        if let Some((_, note)) = &self.newest
            && self.kept.as_ref() != Some(note)
            && token.put_checkpoint(note.as_bytes(), self.kept.as_deref().map(str::as_bytes)).is_ok()
        {
            self.kept = Some(note.clone());
        }
    }
}

/// The first checkpoint, over the empty tree: what `init` puts into a new token.
///
/// # Errors
/// Any [`TokenError`].
pub fn plant(token: &mut impl Token, origin: &str, unix_ms: u64) -> Result<String, TokenError> {
    let key = token.public_keys()?.audit;
    let checkpoint = Checkpoint::new(origin, 0, Hash::of_empty_tree()).with_time(unix_ms);
    let note = note(token, &checkpoint, &key)?;
    token.put_checkpoint(note.as_bytes(), None)?;
    Ok(note)
}

/// Has the token remember a head in place of whatever it holds, also one that does not extend that: what a restored
/// store needs, and only a process with the PIN can ask for. No message to the keeper does it.
///
/// # Errors
/// Any [`TokenError`]; the token then remembers what it did, or this head too.
pub fn replant(token: &mut impl Token, checkpoint: &Checkpoint) -> Result<String, TokenError> {
    let key = token.public_keys()?.audit;
    let note = note(token, checkpoint, &key)?;
    token.put_checkpoint(note.as_bytes(), None)?;
    Ok(note)
}

/// Signs a checkpoint of a lost token's anew, as it is: only a process with the PIN can ask for that, and it has verified
/// the old one.
///
/// # Errors
/// Any [`TokenError`].
pub fn resigned(token: &mut impl Token, checkpoint: &Checkpoint) -> Result<String, TokenError> {
    let key = token.public_keys()?.audit;
    note(token, checkpoint, &key)
}

/// Signs a checkpoint. A signature that does not verify is the token's fault and leaves nothing behind.
fn note(token: &mut impl Token, checkpoint: &Checkpoint, key: &[u8]) -> Result<String, TokenError> {
    let signature = token.sign(SigningKey::Audit, checkpoint.body().as_bytes())?;
    SignedCheckpoint::assemble(checkpoint, &checkpoint.origin, key, &signature)
        .map(SignedCheckpoint::into_string)
        .map_err(|e| TokenError::Refused(format!("the checkpoint that it signed is not one: {e}")))
}
