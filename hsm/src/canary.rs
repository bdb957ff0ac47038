//! The canary: a constant sealed under a KEK, which proves that the right KEK came back.

use claviger_core::token::TokenError;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use crate::aead::{self, NONCE_BYTES, OVERHEAD};
use crate::error::Fault;

/// Shorter than a DEK, so that a canary is never taken for a wrapped DEK nor the other way round.
const PLAINTEXT: &[u8] = b"claviger canary";
const AAD: &[u8] = b"claviger-kek-canary/v1";

/// The length of a sealed canary.
pub(crate) const BYTES: usize = PLAINTEXT.len() + OVERHEAD;

pub(crate) fn seal(session: &Session, kek: ObjectHandle, nonce: [u8; NONCE_BYTES]) -> Result<Vec<u8>, Fault> {
    aead::seal(session, kek, nonce, PLAINTEXT, AAD)
}

/// Opens a canary. An authentic one with another content can only come from a device that does not authenticate.
pub(crate) fn open(session: &Session, kek: ObjectHandle, canary: &[u8]) -> Result<(), Fault> {
    if *aead::open(session, kek, canary, AAD)? == PLAINTEXT {
        Ok(())
    } else {
        Err(TokenError::Lost(String::from("it opened a canary to something else")).into())
    }
}
