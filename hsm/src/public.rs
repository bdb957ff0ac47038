//! Public keys: reading them from objects, and writing them for a venue.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents as Components,
};
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use data_encoding::BASE64;

use claviger_core::token::TokenError;

use crate::error::Fault;

/// An uncompressed point, `04 || x || y`.
pub(crate) const P256_POINT_BYTES: usize = 65;
pub(crate) const ED25519_POINT_BYTES: usize = 32;

/// The point of an elliptic curve key.
pub(crate) fn point(session: &Session, public: ObjectHandle, bytes: usize) -> Result<Vec<u8>, Fault> {
    for attribute in session.get_attributes(public, &[AttributeType::EcPoint])? {
        if let Attribute::EcPoint(encoded) = attribute
            && let Some(point) = decode_point(&encoded, bytes)
        {
            return Ok(point.to_vec());
        }
    }
    Err(unreadable())
}

/// Modulus and exponent of an RSA key, without leading zeros.
pub(crate) fn rsa(session: &Session, public: ObjectHandle) -> Result<Components<Vec<u8>>, Fault> {
    let (mut n, mut e) = (None, None);
    for attribute in session.get_attributes(public, &[AttributeType::Modulus, AttributeType::PublicExponent])? {
        if let Attribute::Modulus(modulus) = attribute {
            n = Some(number(&modulus));
        } else if let Attribute::PublicExponent(exponent) = attribute {
            e = Some(number(&exponent));
        }
    }
    Ok(Components { n: n.ok_or_else(unreadable)?, e: e.ok_or_else(unreadable)? })
}

/// An Ed25519 key, for software.
pub(crate) fn parsed_ed25519(point: &[u8]) -> Result<ParsedPublicKey, Fault> {
    ParsedPublicKey::new(&ED25519, point).map_err(|_| unreadable())
}

/// An RSA key, for software; it verifies PKCS#1 v1.5 with SHA-256.
pub(crate) fn parsed_rsa(components: &Components<Vec<u8>>) -> Result<ParsedPublicKey, Fault> {
    components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| unreadable())
}

/// `SubjectPublicKeyInfo` as PEM (RFC 7468), which is what venues take.
pub(crate) fn pem(key: &ParsedPublicKey) -> Result<String, Fault> {
    let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| unreadable())?;
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in der.as_ref().chunks(PEM_LINE_BYTES) {
        pem.push_str(&BASE64.encode(line));
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Ok(pem)
}

/// 64 letters.
const PEM_LINE_BYTES: usize = 48;

fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

fn unreadable() -> Fault {
    TokenError::Refused(String::from("a public key cannot be read")).into()
}

/// `CKA_EC_POINT` comes raw, as a DER OCTET STRING or as a BIT STRING, depending on the module; the length tells.
fn decode_point(encoded: &[u8], bytes: usize) -> Option<&[u8]> {
    let point = match encoded.len().checked_sub(bytes)? {
        0 => encoded,
        2 => encoded.strip_prefix(&[0x04, u8::try_from(bytes).ok()?])?,
        3 => encoded.strip_prefix(&[0x03, u8::try_from(bytes.checked_add(1)?).ok()?, 0x00])?,
        _ => return None,
    };
    (bytes != P256_POINT_BYTES || point.first() == Some(&0x04)).then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_in_every_encoding() {
        let raw = [7_u8; 32];
        let octets = [&[0x04, 32], &raw[..]].concat();
        let bits = [&[0x03, 33, 0], &raw[..]].concat();
        for encoded in [&raw[..], &octets, &bits] {
            assert_eq!(decode_point(encoded, 32), Some(&raw[..]));
        }
        assert_eq!(decode_point(&raw[1..], 32), None);
        assert_eq!(decode_point(&[[0x04, 33], [7; 2]].concat(), 2), None);
        assert_eq!(decode_point(&[7; 65], 65), None, "a P-256 point starts with 04");
    }

    #[test]
    fn a_key_is_written_as_the_rfc_has_it() {
        // RFC 8410, section 10.1.
        let point = data_encoding::HEXLOWER.decode(b"19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
        let pem = pem(&parsed_ed25519(&point.unwrap()).unwrap()).unwrap();
        assert_eq!(
            pem,
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
             -----END PUBLIC KEY-----\n"
        );
    }
}
