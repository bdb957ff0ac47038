//! Logins: what a request for a token takes beyond its signature, and the token out of the answer.
//!
//! The keeper keeps nothing between the two. Where both sides compute the token, our exponent goes to the front sealed,
//! under a binding that nothing signs with, and comes back with the answer.

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY};
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use claviger_venues::{DiffieHellman, Exchange, SecretKind, TokenAnswer, VenueId, tokens};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::agreement::{EXPONENT_BYTES, Group};
use super::enroll::sealed_payload;
use super::kek::KekRow;
use super::message::{Refused, TakeToken, Taken};
use super::service::{Failure, Shared};
use super::sign::open;
use super::worker::Worker;
use crate::envelope::{Binding, Envelope, Mode, Payload, Purpose};
use crate::secret::{Plaintext, SecretError, wipe_stack};
use crate::token::Token;

/// What goes into a login beside its signature.
pub(super) struct Begun {
    /// The parameter that takes our half, and the half.
    pub(super) challenge: (&'static str, String),
    /// What stands before the bytes to sign.
    pub(super) prefix: Plaintext,
    /// Our exponent, sealed.
    pub(super) exchange: Vec<u8>,
}

/// Begins an exchange, where the venue's logins are one.
pub(super) fn begin<T: Token>(
    worker: &mut Worker<T>,
    binding: &Binding,
    operation: &str,
    payload: &Payload,
    kek: &KekRow,
) -> Result<Option<Begun>, Failure> {
    let Some(rule) = tokens(binding.venue).filter(|rule| rule.login == operation) else { return Ok(None) };
    let Exchange::DiffieHellman(parts) = rule.exchange else { return Ok(None) };
    let mut random = Zeroizing::new([0; EXPONENT_BYTES]);
    worker.token.random(random.as_mut())?;
    let group = group(payload, &parts)?;
    let challenge = group.challenge(random.as_ref()).ok_or(Refused::Token)?;
    let prefix = hex(&token_secret(payload, &parts)?)?;
    let exponent = Payload::new(String::new(), vec![Plaintext::copy_of(random.as_ref()).map_err(no_room)?]);
    let exchange = sealed_payload(worker, exchange_of(binding), kek, &exponent)?;
    Ok(Some(Begun { challenge: (parts.challenge, challenge), prefix, exchange }))
}

/// The text that is signed along with each request of a credential, where the venue wants one.
pub(super) fn access_token(venue: VenueId, payload: &Payload) -> Zeroizing<String> {
    let rule = tokens(venue).map(|rule| rule.exchange);
    let Some(Exchange::DiffieHellman(parts)) = rule else { return Zeroizing::default() };
    let part = payload.parts().get(parts.access_token);
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: it stands in the bytes to sign and in the request")]
    let text = part.map(|part| part.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()));
    Zeroizing::new(text.unwrap_or_default())
}

/// Takes the token out of a login's or a renewal's answer and seals it for the same credential.
///
/// The binding is the login's own, so a token can do nothing that the credential cannot.
pub(super) fn take<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &TakeToken,
    body: &Plaintext,
) -> Result<Taken, Failure> {
    let taken = taken(shared, worker, request, body);
    wipe_stack();
    taken
}

fn taken<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &TakeToken,
    body: &Plaintext,
) -> Result<Taken, Failure> {
    let login = Envelope::from_bytes(&request.login).map_err(|_| Refused::Tampered)?;
    let Binding { venue, purpose, kind, .. } = login.binding;
    if (purpose, kind) != (Purpose::VenueSecret, SecretKind::Login) {
        return Err(Refused::Relabelled.into());
    }
    let rule = tokens(venue).ok_or(Refused::Token)?;
    let secret = open(worker, &login, &request.kek)?;
    let agreed = match rule.exchange {
        Exchange::Plain => None,
        Exchange::DiffieHellman(parts) => {
            Some((parts, exponent(worker, &login.binding, &request.exchange, &request.kek)?))
        }
    };
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the token is taken from the answer into a slot of its own")]
    let (parts, expires_ms) = body.expose(|body| {
        let answer = claviger_venues::token(venue, body).ok_or(Refused::Token)?;
        let parts = match &agreed {
            None => vec![Plaintext::copy_of(answer.token.as_bytes()).map_err(no_room)?],
            Some((parts, exponent)) => computed(&secret, parts, exponent, &answer)?,
        };
        Ok::<_, Refused>((parts, answer.expires_ms))
    })?;
    let life_ms = u64::from(rule.life_s).saturating_mul(1_000);
    let expires_ms = expires_ms.unwrap_or_else(|| shared.clock.unix_ms().saturating_add(life_ms));
    let binding = token_of(&login.binding);
    let sealed = sealed_payload(worker, binding, &request.kek, &Payload::new(secret.key_id().to_owned(), parts))?;
    Ok(Taken { sealed, expires_ms })
}

/// Where a credential's token belongs.
fn token_of(login: &Binding) -> Binding {
    Binding { purpose: Purpose::VenueToken, kind: SecretKind::Token, mode: Mode::Sealed, ..login.clone() }
}

/// Where an exponent belongs: to a token that is still a login. No key signs under such a binding.
fn exchange_of(login: &Binding) -> Binding {
    Binding { kind: SecretKind::Login, ..token_of(login) }
}

fn exponent<T: Token>(
    worker: &mut Worker<T>,
    login: &Binding,
    sealed: &[u8],
    kek: &KekRow,
) -> Result<Plaintext, Failure> {
    let envelope = Envelope::from_bytes(sealed).map_err(|_| Refused::Tampered)?;
    if envelope.binding != exchange_of(login) {
        return Err(Refused::Relabelled.into());
    }
    let parts = open(worker, &envelope, kek)?.into_parts();
    Ok(parts.into_iter().next().ok_or(Refused::Tampered)?)
}

/// The live session token: the MAC of the access token's secret under what both sides share. The venue proves that it has
/// the same by the token's MAC of the consumer key.
fn computed(
    login: &Payload,
    parts: &DiffieHellman,
    exponent: &Plaintext,
    answer: &TokenAnswer<'_>,
) -> Result<Vec<Plaintext>, Refused> {
    let group = group(login, parts)?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: raised to, and wiped by whoever holds it")]
    let shared = exponent.expose(|exponent| group.shared(answer.token, exponent)).ok_or(Refused::Token)?;
    let (shared, secret) = (shared.map_err(no_room)?, token_secret(login, parts)?);
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: both are read from the arena by the MAC itself")]
    let token = Zeroizing::new(shared.expose(|key| secret.expose(|secret| hmac_sha1(key, secret))));
    let check = answer.check.and_then(|check| HEXLOWER_PERMISSIVE.decode(check.as_bytes()).ok());
    let key = hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &token);
    hmac::verify(&key, login.key_id().as_bytes(), &check.ok_or(Refused::Token)?).map_err(|_| Refused::Token)?;
    let access_token = part(login, parts.access_token)?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: copied from one arena slot into another")]
    let access_token = access_token.expose(Plaintext::copy_of).map_err(no_room)?;
    Ok(vec![Plaintext::copy_of(&token).map_err(no_room)?, access_token])
}

fn group(login: &Payload, parts: &DiffieHellman) -> Result<Group, Refused> {
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the prime is no secret")]
    let group = part(login, parts.prime)?.expose(Group::of);
    group.ok_or_else(|| Refused::Secret("the prime has not 2048 bits, or is even".to_owned()))
}

/// The access token's secret, which the venue encrypted to the owner's key (PKCS #1 v1.5).
fn token_secret(login: &Payload, parts: &DiffieHellman) -> Result<Plaintext, Refused> {
    let (key, encrypted) = (part(login, parts.decrypting_key)?, part(login, parts.token_secret)?);
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the key is read from the arena by the decryption itself")]
    let decrypted = key.expose(|key| encrypted.expose(|encrypted| decrypted(key, encrypted)));
    decrypted
        .ok_or_else(|| Refused::Secret("the access token's secret does not open with the encryption key".to_owned()))
}

fn decrypted(key: &[u8], encrypted: &[u8]) -> Option<Plaintext> {
    let key = Pkcs1PrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(key).ok()?).ok()?;
    let mut secret = Plaintext::zeroed(key.min_output_size()).ok()?;
    let len = secret.fill(|out| key.decrypt(encrypted, out).map(|secret| secret.len()).ok())?;
    secret.truncate(len);
    Some(secret)
}

fn hex(secret: &Plaintext) -> Result<Plaintext, Refused> {
    let mut text = Plaintext::zeroed(secret.len().saturating_mul(2)).map_err(no_room)?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: written from one arena slot into another")]
    secret.expose(|secret| text.fill(|out| HEXLOWER.encode_mut(secret, out)));
    Ok(text)
}

fn part(payload: &Payload, at: usize) -> Result<&Plaintext, Refused> {
    payload.parts().get(at).ok_or(Refused::Tampered)
}

/// What OAuth 1.0a extended asks for; nothing else of ours uses SHA-1.
pub(super) fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message).as_ref().to_vec()
}

fn no_room(_: SecretError) -> Refused {
    Refused::Busy
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "EXPOSE: a published example")]
mod tests {
    use data_encoding::BASE64;

    use super::*;
    use crate::keeper::vectors::{der, vector};

    const PARTS: [usize; 4] = [1, 2, 3, 4];

    /// The published example as an owner enrolls it, and the exponent that it was made with.
    fn example() -> (Payload, DiffieHellman, Plaintext, String) {
        let token = vector("ibkr-live-session-token");
        let text = |name: &str| token[name].as_str().unwrap();
        let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
        let signature_key = der(vector("ibkr-lst-request")["secret"].as_str().unwrap());
        let parts = [
            signature_key,
            b"abcdef0123456789abcd".to_vec(),
            BASE64.decode(text("secret").as_bytes()).unwrap(),
            der(text("encryption_private_key")),
            bytes(text("dh_prime")),
        ];
        let parts = parts.iter().map(|part| Plaintext::copy_of(part).unwrap()).collect();
        let rule = tokens(VenueId::Ibkr).unwrap();
        let Exchange::DiffieHellman(places) = rule.exchange else { panic!() };
        assert_eq!([places.access_token, places.token_secret, places.decrypting_key, places.prime], PARTS);
        let exponent = Plaintext::copy_of(&bytes(text("dh_random"))).unwrap();
        (Payload::new("TESTCONS".to_owned(), parts), places, exponent, text("dh_response").to_owned())
    }

    #[test]
    fn the_token_is_an_independent_clients() {
        let (payload, places, exponent, response) = example();
        let proof = vector("ibkr-lst-signature");
        let check = proof["expected_signature"].as_str();
        let prefix = hex(&token_secret(&payload, &places).unwrap()).unwrap();
        let wanted = vector("ibkr-live-session-token")["string_to_sign"].as_str().unwrap().to_owned();
        assert_eq!(prefix.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()), wanted);
        let answer = TokenAnswer { token: &response, check, expires_ms: None };
        let token = computed(&payload, &places, &exponent, &answer).unwrap();
        assert_eq!(token[0].expose(|token| BASE64.encode(token)), proof["secret"].as_str().unwrap());
        assert_eq!(token[1].expose(<[u8]>::to_vec), b"abcdef0123456789abcd");
    }

    #[test]
    fn a_venue_that_does_not_prove_the_token_is_refused() {
        let (payload, places, exponent, response) = example();
        for check in [None, Some("00"), Some("not hex"), Some("22b2f39a72ea1c914990bc3e445f50b5c63415c7")] {
            let answer = TokenAnswer { token: &response, check, expires_ms: None };
            assert!(matches!(computed(&payload, &places, &exponent, &answer), Err(Refused::Token)), "{check:?}");
        }
    }
}
