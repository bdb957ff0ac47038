//! From a call to bytes to sign, and from a signature to the finished request.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    encoding::{Encoding, append},
    grammar::Grammar,
    host::Host,
    json,
    operation::Class,
    params::Call,
    request::{Rendered, RequestParts, Unsigned},
    secret::{self, KeyType, SecretKind},
    token,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Pure Ed25519 (RFC 8032), without hashing first.
    Ed25519,
    /// RSA with PKCS#1 v1.5 padding and SHA-256 (RFC 8017 section 8.2).
    RsaSha256,
}

/// What proves to the venue that the request is the key holder's.
#[derive(Clone, Copy, Default)]
pub struct Proof<'a> {
    /// The MAC or signature over [`Signable::to_sign`], as raw bytes; empty where there is nothing to sign.
    pub signature: &'a [u8],
    /// The parts of the secret in the order of [`secret_parts`](crate::secret_parts), for what goes into the request
    /// itself: a token, a passphrase, a login's fields.
    pub parts: &'a [&'a [u8]],
}

/// A proof is never shown.
impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// A request that lacks only its proof.
#[must_use = "a signable is worth nothing until it is signed and attached"]
pub struct Signable {
    /// The algorithm; `None` where the secret itself goes into the request.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) to_sign: Vec<u8>,
    pub(crate) request: Unsigned,
    pub(crate) fills: Vec<Fill>,
}

impl Signable {
    /// Returns the algorithm to sign with; `None` where the secret itself goes into the request.
    pub const fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Returns the bytes to sign.
    pub fn to_sign(&self) -> &[u8] {
        &self.to_sign
    }

    /// A request that nothing is signed of: it shows the first part of the secret as its bearer.
    pub(crate) fn bearer(draft: &Draft<'_>) -> Self {
        Self::shown(draft, vec![Fill::part(0, Place::bearer())])
    }

    /// A request that nothing is signed of: what proves it stands in it.
    pub(crate) fn shown(draft: &Draft<'_>, fills: Vec<Fill>) -> Self {
        let rendered = Rendered::of(draft.call);
        let headers = rendered.content_type.map(|value| ("Content-Type", value.to_owned())).into_iter().collect();
        let request = rendered.unsigned(draft.call, draft.host, headers);
        Self { scheme: None, to_sign: Vec::new(), request, fills }
    }

    /// Adds the key id to a JSON body.
    pub(crate) fn add(&mut self, name: &str, key: Identity<'_>) {
        json::add_text(&mut self.request.body, name, key.key_id);
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

/// One thing that the proof puts into the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) what: Filling,
    pub(crate) place: Place,
}

impl Fill {
    /// The signature, in that encoding.
    pub(crate) fn signature(encoding: Encoding, place: Place) -> Self {
        Self { what: Filling::Signature(encoding), place }
    }

    /// A part of the secret, as it is.
    pub(crate) fn part(at: usize, place: Place) -> Self {
        Self { what: Filling::Part(at), place }
    }
}

/// What goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// The signature.
    Signature(Encoding),
    /// The part of the secret with that index.
    Part(usize),
}

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The next parameter of the query, percent-encoded.
    Query(&'static str),
    /// A header, between two texts.
    Header { name: &'static str, before: String, after: String },
    /// A member of the JSON object that is the body, written as a string; it comes after what is there already.
    Json(&'static str),
}

impl Place {
    /// A header that holds nothing else.
    pub(crate) fn header(name: &'static str) -> Self {
        Self::Header { name, before: String::new(), after: String::new() }
    }

    /// `Authorization: Bearer ...` (RFC 6750 section 2.1).
    pub(crate) fn bearer() -> Self {
        Self::Header { name: "Authorization", before: "Bearer ".to_owned(), after: String::new() }
    }
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
    /// The call names another account than the one that the key is for.
    #[error("the key is for another account")]
    ForeignAccount,
    /// The venue wants increasing nonces, and zero is below every one of them.
    #[error("the venue needs a nonce above zero")]
    Nonce,
}

/// What a venue builds a [`Signable`] from, once [`prepare`] has checked it.
pub(crate) struct Draft<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) host: &'a Host,
    pub(crate) key: Identity<'a>,
    pub(crate) at: SigningTime,
    pub(crate) nonce: u64,
}

/// Whose key signs, as far as that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The venue's key id.
    pub key_id: &'a str,
    /// What kind of secret it comes with.
    pub kind: SecretKind,
    /// The type of the private key; without meaning for other kinds.
    pub key_type: KeyType,
    /// The access token that is signed along with each request (OAuth 1.0a); empty where there is none.
    pub access_token: &'a str,
}

impl<'a> Identity<'a> {
    /// A key whose secret is no private key.
    pub const fn new(key_id: &'a str, kind: SecretKind) -> Self {
        Self { key_id, kind, key_type: KeyType::Ed25519, access_token: "" }
    }

    /// A key whose secret is a private key.
    pub const fn private_key(key_id: &'a str, key_type: KeyType) -> Self {
        Self { key_id, kind: SecretKind::PrivateKey, key_type, access_token: "" }
    }

    /// The scheme of a private key, or the one that the venue has for shared secrets.
    pub(crate) fn scheme_or(self, shared: Scheme) -> Scheme {
        if self.kind == SecretKind::PrivateKey { self.key_type.scheme() } else { shared }
    }
}

/// Builds the bytes to sign for a call, and the request they belong to.
///
/// The URL is `host` followed by the operation's own path; parameters reach only the segments that stand for them, the
/// query or the body. `nonce` has not been used with this key before; where
/// [`Operation::uses_nonce`](crate::Operation::uses_nonce) says so it is above all that were.
///
/// # Errors
/// [`PrepareError`]; nothing has been built then.
pub fn prepare(
    call: &Call<'_>,
    host: &Host,
    key: Identity<'_>,
    at: SigningTime,
    nonce: u64,
) -> Result<Signable, PrepareError> {
    let operation = call.operation();
    let venue = operation.venue;
    if operation.class == Class::Market {
        return Err(PrepareError::NotSigned);
    }
    if secret::rule(venue, key.kind).is_none() || !token::signs(key.kind, operation) {
        return Err(PrepareError::SecretKind);
    }
    if !secret::key_id_ok(venue, key.key_id) {
        return Err(PrepareError::KeyId);
    }
    let mut accounts = operation.params.iter().filter(|param| param.grammar == Grammar::Account);
    if accounts.any(|param| call.get(param.name).is_some_and(|account| account != key.key_id)) {
        return Err(PrepareError::ForeignAccount);
    }
    if operation.uses_nonce() && nonce == 0 {
        return Err(PrepareError::Nonce);
    }
    Ok(venue.rules().signable(&Draft { call, host, key, at, nonce }))
}

/// Encodes the proof and puts it where the venue looks for it.
pub fn attach(signable: Signable, proof: Proof<'_>) -> RequestParts {
    let Signable { mut request, fills, .. } = signable;
    for Fill { what, place } in fills {
        let text = match what {
            Filling::Signature(encoding) => encoding.encode(proof.signature),
            Filling::Part(at) => String::from_utf8_lossy(proof.parts.get(at).copied().unwrap_or_default()).into_owned(),
        };
        match place {
            Place::Query(name) => append(&mut request.query, name, &text),
            Place::Header { name, before, after } => request.headers.push((name, [before, text, after].concat())),
            Place::Json(name) => json::add_text(&mut request.body, name, &text),
        }
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
        prepare(&call, &Host::parse("https://a.example").unwrap(), Identity::new(key_id, kind), AT, nonce)
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
        let shown = format!("{signable:?} {:?}", Proof { signature: b"feedbeef", parts: &[b"feedbeef"] });
        assert!(!shown.contains("keyidkeyid") && !shown.contains("feed") && !shown.contains("nonce"), "{shown}");
    }
}
