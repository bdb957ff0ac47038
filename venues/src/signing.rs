//! From a call to bytes to sign, and from a signature to the finished request.

use std::fmt;

use crate::{
    encoding::{Encoding, append},
    host::Host,
    operation::Class,
    params::Call,
    request::{RequestParts, Unsigned},
    secret::{self, SecretKind},
};

/// When a request is signed, and for how long the venue may accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningTime {
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// How long the signature is good; each venue bounds it by what it knows.
    pub valid_ms: u32,
}

/// The algorithm the caller runs over [`Signable::to_sign`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Pure Ed25519 (RFC 8032), without hashing first.
    Ed25519,
}

/// What proves to the venue that the request is the key holder's.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Proof<'a> {
    /// The MAC or signature over [`Signable::to_sign`], as raw bytes.
    Signature(&'a [u8]),
}

/// A proof is never shown: later kinds of it hold a secret.
impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(_) => f.write_str("Signature(..)"),
        }
    }
}

/// A request that lacks only its signature.
#[must_use = "a signable is worth nothing until it is signed and attached"]
pub struct Signable {
    pub(crate) scheme: Scheme,
    pub(crate) to_sign: Vec<u8>,
    pub(crate) request: Unsigned,
    pub(crate) encoding: Encoding,
    pub(crate) place: Place,
}

impl Signable {
    /// Returns the algorithm to sign with.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the bytes to sign.
    pub fn to_sign(&self) -> &[u8] {
        &self.to_sign
    }
}

impl fmt::Debug for Signable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signable")
            .field("scheme", &self.scheme)
            .field("target", &self.request.target)
            .finish_non_exhaustive()
    }
}

/// Where the encoded signature goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The last parameter of the query, percent-encoded.
    Query(&'static str),
    /// A header.
    Header(&'static str),
}

/// The request cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The operation is public and goes out unsigned.
    #[error("the operation is public and is not signed")]
    NotSigned,
    /// The operation goes out signed only.
    #[error("the operation needs a signature")]
    NeedsSignature,
    /// The venue does not take this kind of secret.
    #[error("the venue does not take this kind of secret")]
    SecretKind,
    /// The key id is not one of this venue.
    #[error("the key id does not have the venue's form")]
    KeyId,
    /// The venue wants increasing nonces, and zero is below every one of them.
    #[error("the venue needs a nonce above zero")]
    Nonce,
}

/// What a venue builds a [`Signable`] from, once [`prepare`] has checked it.
pub(crate) struct Draft<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) host: &'a Host,
    pub(crate) key_id: &'a str,
    pub(crate) scheme: Scheme,
    pub(crate) at: SigningTime,
    pub(crate) nonce: u64,
}

/// Builds the bytes to sign for a call, and the request they belong to.
///
/// The URL is `host` followed by the operation's own path; parameters reach only the query or the body. `nonce` counts
/// only where [`Operation::uses_nonce`](crate::Operation::uses_nonce) says so.
///
/// # Errors
/// [`PrepareError`]; nothing has been built then.
pub fn prepare(
    call: &Call<'_>,
    host: &Host,
    key_id: &str,
    kind: SecretKind,
    at: SigningTime,
    nonce: u64,
) -> Result<Signable, PrepareError> {
    let operation = call.operation();
    let venue = operation.venue;
    if operation.class == Class::Market {
        return Err(PrepareError::NotSigned);
    }
    let rule = secret::rule(venue, kind).ok_or(PrepareError::SecretKind)?;
    if !secret::key_id_ok(venue, key_id) {
        return Err(PrepareError::KeyId);
    }
    if operation.uses_nonce() && nonce == 0 {
        return Err(PrepareError::Nonce);
    }
    Ok(venue.rules().signable(&Draft { call, host, key_id, scheme: rule.scheme, at, nonce }))
}

/// Encodes the proof and puts it where the venue looks for it.
pub fn attach(signable: Signable, proof: Proof<'_>) -> RequestParts {
    let Signable { mut request, encoding, place, .. } = signable;
    let Proof::Signature(signature) = proof;
    let text = encoding.encode(signature);
    match place {
        Place::Query(name) => append(&mut request.query, name, &text),
        Place::Header(name) => request.headers.push((name, text)),
    }
    request.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, VenueId, check, operation};

    const AT: SigningTime = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };

    fn attempt(
        venue: VenueId,
        name: &str,
        key_id: &str,
        kind: SecretKind,
        nonce: u64,
    ) -> Result<Signable, PrepareError> {
        let params = Params::new();
        let call = check(operation(venue, name).unwrap(), &params).unwrap();
        prepare(&call, &Host::parse("https://a.example").unwrap(), key_id, kind, AT, nonce)
    }

    #[test]
    fn each_obstacle_has_its_own_error() {
        let refused = |venue, name, key_id, kind, nonce| attempt(venue, name, key_id, kind, nonce).err();
        let (binance, kraken) = (VenueId::Binance, VenueId::Kraken);
        assert_eq!(refused(binance, "time", "k", SecretKind::Hmac, 1), Some(PrepareError::NotSigned));
        assert_eq!(refused(kraken, "account", "k", SecretKind::PrivateKey, 1), Some(PrepareError::SecretKind));
        assert_eq!(refused(binance, "account", "k\r\n", SecretKind::Hmac, 1), Some(PrepareError::KeyId));
        assert_eq!(refused(kraken, "account", "k", SecretKind::Hmac, 0), Some(PrepareError::Nonce));
        assert_eq!(refused(binance, "account", "k", SecretKind::Hmac, 0), None);
    }

    #[test]
    fn debug_shows_neither_bytes_nor_proof() {
        let signable = attempt(VenueId::Kraken, "account", "keyidkeyid", SecretKind::Hmac, 7).unwrap();
        let shown = format!("{signable:?} {:?}", Proof::Signature(b"feedbeef"));
        assert!(!shown.contains("keyidkeyid") && !shown.contains("feed") && !shown.contains("nonce"), "{shown}");
    }
}
