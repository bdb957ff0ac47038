//! Public keys that apps sign their assertions for.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::virtual_key::spki_of_pem;

/// A public key, and the one algorithm that it verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppKey {
    /// The `alg` that an assertion must name.
    pub algorithm: KeyAlgorithm,
    /// The key as `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1).
    pub spki: Vec<u8>,
}

/// The algorithms, by their names in RFC 7518 and RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA over P-256.
    ES256,
    /// RSA of 2048 bits or more, PKCS #1 v1.5.
    RS256,
    /// RSA of 2048 bits or more, PSS.
    PS256,
}

impl KeyAlgorithm {
    /// The name, as `alg` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
        }
    }
}

/// Why a key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is not of a known form or type.
    #[error("send a public key of Ed25519, P-256 or RSA (2048 to 8192 bits): PEM (BEGIN PUBLIC KEY) or a JWK")]
    Unknown,
    /// It is the private half.
    #[error(
        "this is a private key: nothing was kept of it, but it has left its home; make a new pair and send only the public half"
    )]
    Private,
}

/// The members of a JWK that mean something here (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    alg: Option<String>,
}

impl AppKey {
    /// Reads PEM (RFC 7468 section 13). An RSA key verifies `RS256`.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        if pem.contains("PRIVATE KEY-----") {
            return Err(BadKey::Private);
        }
        let spki = spki_of_pem(pem).ok_or(BadKey::Unknown)?;
        let types = [KeyAlgorithm::EdDSA, KeyAlgorithm::ES256, KeyAlgorithm::RS256];
        types.into_iter().find_map(|algorithm| Self::parsed(algorithm, &spki)).ok_or(BadKey::Unknown)
    }

    /// Reads a JWK. Its `alg`, if it has one, must be the key's own; an RSA key may say `PS256`.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn from_jwk(jwk: &serde_json::Value) -> Result<Self, BadKey> {
        if jwk.get("d").is_some() || jwk.get("k").is_some() {
            return Err(BadKey::Private);
        }
        let Jwk { kty, crv, x, y, n, e, alg } = Jwk::deserialize(jwk).map_err(|_| BadKey::Unknown)?;
        let bytes = |text: Option<String>| text.and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        let key = match (kty.as_str(), crv.as_deref(), bytes(x), bytes(y), bytes(n), bytes(e)) {
            ("OKP", Some("Ed25519"), Some(x), None, ..) if x.len() == 32 => Self::parsed(KeyAlgorithm::EdDSA, &x),
            ("EC", Some("P-256"), Some(x), Some(y), ..) if x.len() == 32 && y.len() == 32 => {
                Self::parsed(KeyAlgorithm::ES256, &[&[4][..], &x, &y].concat())
            }
            ("RSA", None, None, None, Some(n), Some(e)) => {
                let algorithm = if alg.as_deref() == Some("PS256") { KeyAlgorithm::PS256 } else { KeyAlgorithm::RS256 };
                let components = RsaPublicKeyComponents { n, e };
                components
                    .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                    .ok()
                    .and_then(|key| Self::of(algorithm, &key))
            }
            _ => None,
        };
        key.filter(|key| alg.is_none_or(|alg| alg == key.algorithm.as_str())).ok_or(BadKey::Unknown)
    }

    fn parsed(algorithm: KeyAlgorithm, key: &[u8]) -> Option<Self> {
        let verifies: &'static dyn VerificationAlgorithm = match algorithm {
            KeyAlgorithm::EdDSA => &ED25519,
            KeyAlgorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
            KeyAlgorithm::RS256 | KeyAlgorithm::PS256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        ParsedPublicKey::new(verifies, key).ok().and_then(|key| Self::of(algorithm, &key))
    }

    fn of(algorithm: KeyAlgorithm, key: &ParsedPublicKey) -> Option<Self> {
        let spki: PublicKeyX509Der<'_> = key.as_der().ok()?;
        let spki = spki.as_ref().to_vec();
        let rsa = matches!(algorithm, KeyAlgorithm::RS256 | KeyAlgorithm::PS256);
        (!rsa || spki.len() >= RSA_2048_BYTES).then_some(Self { algorithm, spki })
    }
}

/// How long the shortest key of 2048 bits is. A shorter one would be refused at each verification; here it is said.
const RSA_2048_BYTES: usize = 292;

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
    use data_encoding::BASE64;
    use serde_json::json;

    use super::*;

    // The same key twice: RFC 8037 appendix A.2, and as PEM.
    const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const ED25519_DER: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn pem_and_jwk_of_one_key_are_one_key() {
        let pem = AppKey::from_pem(&pem(&BASE64.decode(ED25519_DER.as_bytes()).unwrap())).unwrap();
        let jwk = AppKey::from_jwk(&json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519_X, "kid": "mine" })).unwrap();
        assert_eq!(pem, jwk);
        assert_eq!(pem.algorithm, KeyAlgorithm::EdDSA);
    }

    #[test]
    fn each_type_is_read_and_names_its_algorithm() {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y) });
        let der: PublicKeyX509Der<'_> = ec.public_key().as_der().unwrap();
        assert_eq!(AppKey::from_jwk(&jwk), AppKey::from_pem(&pem(der.as_ref())));
        assert_eq!(AppKey::from_jwk(&jwk).unwrap().algorithm, KeyAlgorithm::ES256);

        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
        // RSAPublicKey (RFC 8017 appendix A.1.1): two headers of 4 bytes and a zero stand before the modulus.
        let n = rsa.public_key().as_ref()[9..265].to_vec();
        let with = |alg: Option<&str>| {
            let jwk = json!({ "kty": "RSA", "n": BASE64URL_NOPAD.encode(&n), "e": "AQAB", "alg": alg });
            AppKey::from_jwk(&jwk).map(|key| key.algorithm)
        };
        assert_eq!(AppKey::from_pem(&pem(der.as_ref())).unwrap().algorithm, KeyAlgorithm::RS256);
        assert_eq!(with(None), Ok(KeyAlgorithm::RS256));
        assert_eq!(with(Some("PS256")), Ok(KeyAlgorithm::PS256));
        assert_eq!(with(Some("HS256")), Err(BadKey::Unknown));
    }

    #[test]
    fn what_is_weak_foreign_or_private_is_not_taken() {
        let short_rsa = BASE64.decode(RSA_1024.as_bytes()).unwrap();
        for weak in ["", "-----BEGIN PUBLIC KEY-----", &pem(b"nonsense"), &pem(&short_rsa)] {
            assert_eq!(AppKey::from_pem(weak), Err(BadKey::Unknown), "{weak}");
        }
        assert_eq!(AppKey::from_pem("-----BEGIN EC PRIVATE KEY-----\n"), Err(BadKey::Private));
        let off_curve = BASE64URL_NOPAD.encode(&[1; 32]);
        for (jwk, why) in [
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519_X, "d": ED25519_X }), BadKey::Private),
            (json!({ "kty": "oct", "k": ED25519_X }), BadKey::Private),
            (json!({ "kty": "OKP", "crv": "X25519", "x": ED25519_X }), BadKey::Unknown),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519_X, "alg": "ES256" }), BadKey::Unknown),
            (json!({ "kty": "EC", "crv": "P-256", "x": off_curve, "y": off_curve }), BadKey::Unknown),
            (json!("a text"), BadKey::Unknown),
        ] {
            assert_eq!(AppKey::from_jwk(&jwk), Err(why), "{jwk}");
        }
    }

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(der))
    }

    const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDD6KpuIPxUZWAELYVXQ7OFBT/0tZ21BgGR007Foo/k3qUWe57Rl/Y+eZbjgedlNiL+zb84\
        GUbMCPqijnqZMJDucwQkYqgR248JmxwYLRUJjENbbR63qHM6JnXsAupw5pkhDTgfIHelUEukNYoSd9FxDFTzKxLQuc7McRNTw/TduQIDAQAB";
}
