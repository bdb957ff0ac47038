//! The signatures of the vectors, made with their published keys.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256},
};
use claviger_venues::Scheme;
use data_encoding::BASE64;

use crate::testdata::Vector;

pub(super) fn sign(vector: &Vector, scheme: Scheme, message: &[u8]) -> Vec<u8> {
    let mac = |algorithm, key: &[u8]| hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec();
    match scheme {
        Scheme::HmacSha256 if vector.decodes_secret() => mac(hmac::HMAC_SHA256, &decoded(&vector.secret)),
        Scheme::HmacSha256 => mac(hmac::HMAC_SHA256, vector.secret.as_bytes()),
        Scheme::HmacSha512 => mac(hmac::HMAC_SHA512, &decoded(&vector.secret)),
        Scheme::Ed25519 => Ed25519KeyPair::from_pkcs8(&pem(&vector.secret)).unwrap().sign(message).as_ref().to_vec(),
        Scheme::RsaSha256 => {
            let pair = KeyPair::from_pkcs8(&pem(&vector.secret)).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        }
    }
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).unwrap()
}

fn pem(text: &str) -> Vec<u8> {
    let inner: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    decoded(&inner)
}
