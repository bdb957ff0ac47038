//! Keys of which the venue knows the public half.

use anyhow::{Context as _, Result};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;

use super::{Key, alphanumeric, pem};

/// In the PKCS#8 of an RSA key of 2048 bits, what comes before the private exponent: the public half.
const PUBLIC_BYTES: usize = 310;

impl Key {
    /// A self-generated RSA key of Binance spot.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn binance_rsa() -> Result<Self> {
        Self::rsa("binance", "spot", 64)
    }

    /// A self-generated RSA key of Bybit, for derivatives.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn bybit_rsa() -> Result<Self> {
        Self::rsa("bybit", "derivatives", 18)
    }

    fn rsa(venue: &'static str, product: &str, key_id_chars: usize) -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048)?;
        let private: Pkcs8V1Der<'_> = pair.as_der()?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
        let bytes = private.as_ref().get(PUBLIC_BYTES..).context("an RSA key of 2048 bits is longer")?.to_vec();
        let secret = pem("PRIVATE KEY", private.as_ref());
        let key = Self::new(venue, product, alphanumeric(key_id_chars)?, secret, bytes);
        Ok(Self { kind: "private-key", registered: Some(("rsa", pem("PUBLIC KEY", public.as_ref()))), ..key })
    }

    /// A key whose private half nobody has but a token.
    ///
    /// # Errors
    /// When there is no such venue.
    pub fn born(venue: &str, key_type: &'static str, public_key: &str) -> Result<Self> {
        let key = Self { secret: String::new(), secret_bytes: Vec::new(), ..Self::of(venue)? };
        Ok(Self { kind: "private-key", registered: Some((key_type, public_key.to_owned())), ..key })
    }
}
