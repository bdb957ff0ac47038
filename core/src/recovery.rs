//! Recovery without the token: each DEK is also wrapped to a key whose private half nobody has, but m of n people
//! together.
//!
//! ```text
//! X25519 private key --Shamir--> n shares, any m of which give it back
//! X25519 public key  <--HPKE--   the DEK of each sealed payload; of a resident key the payload with the secret itself
//! ```
//!
//! The keeper makes a wrap where it seals, and it travels before the sealed bytes ([`crate::envelope::with_wrap`]) into
//! the commit that stores these. There the store parts the two: wraps lie in a table that no backup holds, by the
//! [`wrap_id`] of what they open, and go with it. They are copied off into a [`file`](mod@file).
//!
//! The public half is a row with a MAC by the token, made only by a process that was given the PIN: whoever owns the front
//! cannot have secrets wrapped to a key of his own.

pub mod file;
mod random;
mod share;
mod wrap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::token::{MacKey, Token, TokenError};

pub use share::{SHARES_MAX, Share, ShareError, join, split};
pub use wrap::{PrivateKey, WrapError, WrapId, is_of, lives_for_a_login, opens, wrap_id};
pub(crate) use wrap::{open, payload_id, wrap};

/// Which key a share or a wrap belongs to.
pub type SetId = [u8; 8];

/// The public half of a recovery key, and what is known of its shares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecoveryKey {
    /// Which key it is.
    pub set: SetId,
    /// X25519 (RFC 7748).
    pub public: [u8; 32],
    /// How many shares are needed.
    pub threshold: u8,
    /// SHA-256 of each share, the first one's first: it says which share is not what was handed out. A share is 32 random
    /// bytes, which no hash gives away.
    pub commitments: Vec<[u8; 32]>,
    /// When it was made, milliseconds since the Unix epoch.
    pub made_ms: u64,
    /// HMAC by the token over all of the above.
    pub mac: [u8; 32],
}

impl RecoveryKey {
    /// Has the token vouch for it. No message to the keeper does that.
    ///
    /// # Errors
    /// Any [`TokenError`].
    pub fn certified(mut self, token: &mut impl Token) -> Result<Self, TokenError> {
        self.mac = token.mac(MacKey::Row, &self.authenticated())?;
        Ok(self)
    }

    /// Whether the token made its MAC.
    pub(crate) fn is_genuine(&self, token: &mut impl Token) -> Result<bool, TokenError> {
        let mac = token.mac(MacKey::Row, &self.authenticated())?;
        Ok(crate::identity::same_hash(&mac, &self.mac))
    }

    fn authenticated(&self) -> Vec<u8> {
        let mut out = b"claviger-recovery-key/v1\n".to_vec();
        out.extend_from_slice(&self.set);
        out.extend_from_slice(&self.public);
        out.push(self.threshold);
        out.extend_from_slice(&self.made_ms.to_be_bytes());
        // To the end: nothing follows.
        out.extend(self.commitments.iter().flatten());
        out
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
