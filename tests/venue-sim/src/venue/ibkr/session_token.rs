//! How both sides come to the live session token: Diffie-Hellman, then an HMAC over the access token secret.

use aws_lc_rs::hmac;
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use num_bigint::{BigInt, BigUint};

use crate::session::random_bytes;

const GENERATOR: u32 = 2;
const PRIVATE_BYTES: usize = 32;

/// What the venue's side of the agreement came to.
#[derive(Debug)]
pub(super) struct Agreed {
    /// Hex of the venue's public value.
    pub(super) response: String,
    /// The live session token, in base64.
    pub(super) token: String,
    /// Proof that the venue has it: hex of its HMAC over the consumer key.
    pub(super) signature: String,
}

/// Answers a challenge; `None` if it or the registered parameters are no hex, or if it leaves no secret.
pub(super) fn agree(challenge: &str, prime: &str, token_secret: &str, consumer_key: &str) -> Option<Agreed> {
    let challenge = BigUint::parse_bytes(challenge.as_bytes(), 16)?;
    let one = BigUint::from(1_u32);
    let prime = BigUint::parse_bytes(prime.as_bytes(), 16).filter(|prime| *prime > one)?;
    // Zero, one and the greatest value have the squares zero and one; they make the shared secret known to everyone.
    let harmless = challenge < prime && challenge.modpow(&BigUint::from(2_u32), &prime) > one;
    let private = BigUint::from_bytes_be(&random_bytes(PRIVATE_BYTES));
    let token = harmless.then(|| live_session_token(&challenge, &private, &prime, token_secret))??;
    Some(Agreed {
        response: public_value(&private, &prime),
        signature: signature(&token, consumer_key),
        token: BASE64.encode(&token),
    })
}

/// Hex of the public value of a private one.
fn public_value(private: &BigUint, prime: &BigUint) -> String {
    BigUint::from(GENERATOR).modpow(private, prime).to_str_radix(16)
}

/// The shared secret, in as many bytes as its two's complement takes, is the key of the HMAC.
fn live_session_token(theirs: &BigUint, ours: &BigUint, prime: &BigUint, token_secret: &str) -> Option<Vec<u8>> {
    let shared = BigInt::from(theirs.modpow(ours, prime)).to_signed_bytes_be();
    let token_secret = HEXLOWER_PERMISSIVE.decode(token_secret.as_bytes()).ok()?;
    Some(hmac_sha1(&shared, &token_secret))
}

fn signature(token: &[u8], consumer_key: &str) -> String {
    HEXLOWER.encode(&hmac_sha1(token, consumer_key.as_bytes()))
}

fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker_vectors::vector;

    fn number(hex: &str) -> BigUint {
        BigUint::parse_bytes(hex.as_bytes(), 16).unwrap()
    }

    #[test]
    fn the_agreement_matches_an_independent_client() {
        let challenge = vector("ibkr-dh-challenge");
        let prime = number(&challenge.dh_prime);
        assert_eq!(public_value(&number(&challenge.dh_random), &prime), challenge.expected_signature);

        let shared = vector("ibkr-live-session-token");
        let (theirs, ours) = (number(&shared.dh_response), number(&shared.dh_random));
        let token = live_session_token(&theirs, &ours, &prime, &shared.string_to_sign).unwrap();
        assert_eq!(BASE64.encode(&token), shared.expected_signature);

        let proof = vector("ibkr-lst-signature");
        assert_eq!(proof.secret, shared.expected_signature);
        assert_eq!(signature(&token, &proof.key), proof.expected_signature);
    }

    #[test]
    fn a_challenge_that_gives_the_secret_away_is_refused() {
        let prime = vector("ibkr-dh-challenge").dh_prime;
        let greatest = (number(&prime) - 1_u32).to_str_radix(16);
        for challenge in ["0", "1", &greatest, &prime, "", "no hex"] {
            assert!(agree(challenge, &prime, "00", "TESTCONS").is_none(), "{challenge}");
        }
        assert!(agree("2", &prime, "00", "TESTCONS").is_some());
    }
}
