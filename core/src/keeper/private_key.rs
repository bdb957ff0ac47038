//! Private keys in PKCS#8 form, by type.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256};
use claviger_venues::KeyType;

use crate::secret::Plaintext;

enum Pair {
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

/// Ed25519, or RSA with 2048 to 4096 bits as `aws-lc` accepts it; nothing else has ever been a key of ours.
fn parsed(der: &[u8]) -> Option<Pair> {
    let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Pair::Ed25519).ok();
    let rsa = || rsa::KeyPair::from_pkcs8(der).map(Pair::Rsa).ok();
    ed25519().or_else(rsa)
}

/// What type of key the bytes are; `None` if they are none.
pub(super) fn key_type(secret: &Plaintext) -> Option<KeyType> {
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: parsed, to know how it signs")]
    secret.expose(parsed).map(|pair| match pair {
        Pair::Ed25519(_) => KeyType::Ed25519,
        Pair::Rsa(_) => KeyType::Rsa,
    })
}

/// Signs as keys of that type do at venues: pure Ed25519, or RSA with PKCS#1 v1.5 and SHA-256.
pub(super) fn sign(der: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    match parsed(der)? {
        Pair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        Pair::Rsa(pair) => {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
            Some(signature)
        }
    }
}
