//! JSON Web Tokens as an app signs them, and as nobody should.

use anyhow::Result;
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::clock::now_ms;
use crate::key::{pem, unique};

/// A key pair that signs tokens.
#[derive(Debug)]
pub enum Signer {
    /// `EdDSA`.
    Ed25519(Ed25519KeyPair),
    /// `ES256`.
    P256(EcdsaKeyPair),
    /// `RS256`.
    Rsa(RsaKeyPair),
}

/// A token before it is signed: nothing keeps a test from putting anything in.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Signer {
    /// A new Ed25519 pair.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn ed25519() -> Result<Self> {
        Ok(Self::Ed25519(Ed25519KeyPair::generate()?))
    }

    /// A new P-256 pair.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn p256() -> Result<Self> {
        Ok(Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?))
    }

    /// A new RSA pair of 2048 bits.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn rsa() -> Result<Self> {
        Ok(Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?))
    }

    /// The `alg` that it signs by.
    pub fn alg(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    /// The public half, PEM.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn public_pem(&self) -> Result<String> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der()?,
            Self::P256(pair) => pair.public_key().as_der()?,
            Self::Rsa(pair) => pair.public_key().as_der()?,
        };
        Ok(pem("PUBLIC KEY", der.as_ref()))
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Ed25519(pair) => pair.sign(text).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&SystemRandom::new(), text)?.as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)?;
                signature
            }
        })
    }
}

impl Jwt {
    /// An assertion of an app, good for a minute: `kid` is the id of the key, `aud` the service.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn assertion(app: &str, kid: &str, signer: &Signer, aud: &str) -> Result<Self> {
        let now = now_ms() / 1_000;
        let claims =
            json!({ "iss": app, "sub": app, "aud": aud, "iat": now, "exp": now.saturating_add(60), "jti": unique()? });
        Ok(Self { header: json!({ "alg": signer.alg(), "typ": "JWT", "kid": kid }), claims })
    }

    /// With another header member; `null` takes it out.
    #[must_use]
    pub fn header(mut self, name: &str, value: Value) -> Self {
        put(&mut self.header, name, value);
        self
    }

    /// With another claim; `null` takes it out.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        put(&mut self.claims, name, value);
        self
    }

    /// Signed as it should be.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn signed(&self, signer: &Signer) -> Result<String> {
        let input = self.input();
        let signature = signer.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    /// With HMAC-SHA-256 under bytes that everybody knows.
    pub fn maced(&self, known: &[u8]) -> String {
        let input = self.input();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, known), input.as_bytes());
        format!("{input}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    }

    /// With whatever signature, or none.
    pub fn with_signature(&self, signature: &str) -> String {
        format!("{}.{signature}", self.input())
    }

    fn input(&self) -> String {
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.remove(name);
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    }
}
