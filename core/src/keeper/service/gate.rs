//! What leaves the keeper: under one lock with the bars, and counted where it is a signature.

use std::os::unix::net::UnixStream;

use aws_lc_rs::digest::{Context, SHA256};

use super::{Exit, Failure, Shared, lock};
use crate::keeper::bars::Bars;
use crate::keeper::frame;
use crate::keeper::message::{Refused, Reply};
use crate::keeper::sign::Signature;
use crate::secret::Plaintext;
use crate::store::Scopes;
use crate::token::TokenError;

/// What is decided together with the answer's leaving.
pub(super) struct Gate {
    pub(super) link: UnixStream,
    pub(super) bars: Bars,
    pub(super) signed: u64,
    /// SHA-256 over the previous value, the intent and the digest of what was signed.
    pub(super) chain: [u8; 32],
}

impl Shared {
    /// Lets a signature out, unless its scope was barred while it was made.
    pub(super) fn signed(&self, id: u64, scopes: &Scopes, intent: u64, signature: Result<Signature, Failure>) {
        match signature {
            Ok(signature) => {
                let mut gate = lock(&self.gate);
                if gate.bars.covers(scopes, intent) {
                    gate.answer(id, &Reply::Refused(Refused::Barred));
                    return;
                }
                gate.count(intent, &signature.digest);
                gate.answer(id, &signature.reply);
            }
            Err(failure) => self.answer_or_end(id, Err(failure)),
        }
    }

    pub(in super::super) fn may_sign(&self, scopes: &Scopes, intent: u64) -> Result<(), Refused> {
        if self.floor.get().is_none_or(|floor| intent <= *floor) {
            return Err(Refused::Older);
        }
        if lock(&self.gate).bars.covers(scopes, intent) { Err(Refused::Barred) } else { Ok(()) }
    }

    pub(super) fn answer_or_end(&self, id: u64, reply: Result<Reply, Failure>) {
        match reply {
            Ok(reply) => self.answer(id, &reply),
            Err(Failure::Refused(refused)) => self.answer(id, &Reply::Refused(refused)),
            Err(Failure::Token(error)) => {
                self.answer(id, &Reply::Unavailable(error.to_string()));
                let exit = match error {
                    TokenError::Lost(why) => Exit::TokenLost(why),
                    TokenError::KeyMissing(key) => Exit::TokenLost(format!("the token has no key {key}")),
                    TokenError::PinRefused(why) => Exit::PinRefused(why),
                    TokenError::Tampered | TokenError::Refused(_) | TokenError::Capacity(_) => return,
                };
                let _ = self.fatal.set(exit);
                let _ = lock(&self.gate).link.shutdown(std::net::Shutdown::Both);
            }
        }
    }

    pub(super) fn answer(&self, id: u64, reply: &Reply) {
        lock(&self.gate).answer(id, reply);
    }
}

impl Gate {
    /// A front that does not read its answers is gone; the reader notices. Of an answer that is too long for a frame nothing
    /// was written: it is refused, and costs nobody else the keeper.
    pub(super) fn answer(&mut self, id: u64, reply: &Reply) {
        let mut written = frame::write(&mut self.link, id, reply, None::<&Plaintext>);
        if written.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::InvalidInput) {
            let refused = Reply::Refused(Refused::Parameters("the answer is too long".to_owned()));
            written = frame::write(&mut self.link, id, &refused, None::<&Plaintext>);
        }
        if written.is_err() {
            let _ = self.link.shutdown(std::net::Shutdown::Both);
        }
    }

    fn count(&mut self, intent: u64, digest: &[u8; 32]) {
        let mut chain = Context::new(&SHA256);
        chain.update(&self.chain);
        chain.update(&intent.to_be_bytes());
        chain.update(digest);
        self.chain.copy_from_slice(chain.finish().as_ref());
        self.signed = self.signed.saturating_add(1);
    }
}
