//! Keys for the simulator.

use anyhow::{Context as _, Result};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Map, Value, json};

mod pair;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What stands before the 32 bytes of an Ed25519 public key in its `SubjectPublicKeyInfo` (RFC 8410).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A venue's key, with everything about it that an owner knows.
///
/// A new one is random, in the venue's own form, and may read and trade the product that the venue is for.
#[derive(Clone, Debug)]
pub struct Key {
    /// The venue.
    pub venue: &'static str,
    /// `hmac` or `private-key`.
    pub kind: &'static str,
    /// The public half of the two.
    pub key_id: String,
    /// The secret, as an owner pastes it.
    pub secret: String,
    /// Where its secret is when it signs: `sealed` or `resident`.
    pub mode: &'static str,
    /// What it may be used for at most, as it is enrolled.
    pub ceiling: Value,
    /// Whose it is.
    pub owner: String,
    /// Its name for people.
    pub label: String,
    /// What else makes it up, by the venue's names: a passphrase.
    pub parts: Map<String, Value>,
    /// The public half, where that is what the venue knows.
    registered: Option<(&'static str, String)>,
    permissions: Map<String, Value>,
    raw_permissions: Option<Value>,
    secret_bytes: Vec<u8>,
}

impl Key {
    /// A system-generated key of Binance spot.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn binance() -> Result<Self> {
        let secret = alphanumeric(64)?;
        let bytes = secret.clone().into_bytes();
        Ok(Self::new("binance", "spot", alphanumeric(64)?, secret, bytes))
    }

    /// A self-generated key of Binance spot.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn binance_ed25519() -> Result<Self> {
        let seed = random::<32>()?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)?;
        let private: Pkcs8V1Der<'_> = pair.as_der()?;
        let public = [ED25519_SPKI.as_slice(), pair.public_key().as_ref()].concat();
        let secret = pem("PRIVATE KEY", private.as_ref());
        let key = Self::new("binance", "spot", alphanumeric(64)?, secret, seed.to_vec());
        Ok(Self { kind: "private-key", registered: Some(("ed25519", pem("PUBLIC KEY", &public))), ..key })
    }

    /// A system-generated key of Binance USD-M.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn binance_usdm() -> Result<Self> {
        let secret = alphanumeric(64)?;
        let bytes = secret.clone().into_bytes();
        Ok(Self::new("binance-usdm", "derivatives", alphanumeric(64)?, secret, bytes))
    }

    /// A key of `BitMEX`.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn bitmex() -> Result<Self> {
        let secret = alphanumeric(48)?;
        let bytes = secret.clone().into_bytes();
        Ok(Self::new("bitmex", "derivatives", alphanumeric(24)?, secret, bytes))
    }

    /// A key of Kraken: 56 characters, and a secret of 88.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn kraken() -> Result<Self> {
        let bytes = random::<64>()?;
        let key_id = BASE64.encode(&random::<42>()?);
        Ok(Self::new("kraken", "spot", key_id, BASE64.encode(&bytes), bytes.to_vec()))
    }

    /// A system-generated key of Bybit, for derivatives.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn bybit() -> Result<Self> {
        let secret = alphanumeric(36)?;
        let bytes = secret.clone().into_bytes();
        Ok(Self::new("bybit", "derivatives", alphanumeric(18)?, secret, bytes))
    }

    /// A key of Kraken's futures, of the same form as one of Kraken's.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn kraken_futures() -> Result<Self> {
        let key = Self::kraken()?;
        Ok(Self::new("kraken-futures", "derivatives", key.key_id, key.secret, key.secret_bytes))
    }

    /// A key of MEXC spot.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn mexc() -> Result<Self> {
        let secret = alphanumeric(32)?;
        let bytes = secret.clone().into_bytes();
        Ok(Self::new("mexc", "spot", format!("mx0v{}", alphanumeric(14)?), secret, bytes))
    }

    /// A key of MEXC's contracts, of the same form as one of MEXC's.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn mexc_contract() -> Result<Self> {
        let key = Self::mexc()?;
        Ok(Self::new("mexc-contract", "derivatives", key.key_id, key.secret, key.secret_bytes))
    }

    /// A key of OKX: a UUID, a secret of 32 hexadecimal digits and a passphrase.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn okx() -> Result<Self> {
        let hex: String = HEXLOWER.encode(&random::<16>()?);
        let id = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default()).join("-");
        let secret = data_encoding::HEXUPPER.encode(&random::<16>()?);
        let bytes = secret.clone().into_bytes();
        let parts = Map::from_iter([("passphrase".to_owned(), alphanumeric(16)?.into())]);
        Ok(Self { parts, ..Self::new("okx", "spot", id, secret, bytes) })
    }

    /// A key of that venue.
    ///
    /// # Errors
    /// When there is no such venue.
    pub fn of(venue: &str) -> Result<Self> {
        match venue {
            "binance" => Self::binance(),
            "binance-usdm" => Self::binance_usdm(),
            "bitmex" => Self::bitmex(),
            "bybit" => Self::bybit(),
            "kraken" => Self::kraken(),
            "kraken-futures" => Self::kraken_futures(),
            "mexc" => Self::mexc(),
            "mexc-contract" => Self::mexc_contract(),
            "okx" => Self::okx(),
            _ => Err(anyhow::anyhow!("no keys of {venue}")),
        }
    }

    /// A broker's key by the name that the simulator's books have for it; what is secret of it has another form.
    pub fn of_broker(venue: &'static str, key_id: &str) -> Self {
        Self::new(venue, "derivatives", key_id.to_owned(), String::new(), Vec::new())
    }

    fn new(venue: &'static str, product: &str, key_id: String, secret: String, secret_bytes: Vec<u8>) -> Self {
        let permissions = [("read", true), (&format!("trade_{product}"), true)];
        Self {
            venue,
            kind: "hmac",
            mode: "sealed",
            key_id,
            secret,
            ceiling: json!({ "class": "trade", "products": [product] }),
            owner: "trader-1".to_owned(),
            label: format!("{venue} desk"),
            parts: Map::new(),
            registered: None,
            permissions: permissions.into_iter().map(|(name, may)| (name.to_owned(), may.into())).collect(),
            raw_permissions: None,
            secret_bytes,
        }
    }

    /// With a permission more, in the simulator's words, such as `withdraw`.
    #[must_use]
    pub fn that_may(mut self, permission: &str) -> Self {
        self.permissions.insert(permission.to_owned(), true.into());
        self
    }

    /// With a permission less.
    #[must_use]
    pub fn that_may_not(mut self, permission: &str) -> Self {
        self.permissions.remove(permission);
        self
    }

    /// With fields of the probe's answer laid over what the permissions say.
    #[must_use]
    pub fn that_shows(mut self, raw: Value) -> Self {
        self.raw_permissions = Some(raw);
        self
    }

    /// To be kept in the token.
    #[must_use]
    pub fn resident(mut self) -> Self {
        self.mode = "resident";
        self
    }

    /// For reads only: the key and its ceiling.
    #[must_use]
    pub fn for_reading(mut self) -> Self {
        self.permissions.retain(|name, _| !name.starts_with("trade_"));
        self.ceiling = json!({ "class": "read" });
        self
    }

    /// With another secret than the venue knows.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// With another ceiling than the key is made for.
    #[must_use]
    pub fn with_ceiling(mut self, ceiling: Value) -> Self {
        self.ceiling = ceiling;
        self
    }

    /// Belonging to somebody.
    #[must_use]
    pub fn owned_by(mut self, owner: &str) -> Self {
        owner.clone_into(&mut self.owner);
        self
    }

    /// With a name for people.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// The body that registers it at the simulator.
    pub(crate) fn registration(&self) -> Value {
        let mut body = json!({
            "venue": self.venue, "key_id": self.key_id, "permissions": self.permissions,
            "raw_permissions": self.raw_permissions, "parts": self.parts,
        });
        let material = match &self.registered {
            Some((kind, public_key)) => json!({ "kind": kind, "public_key": public_key }),
            None => json!({ "kind": "hmac", "secret": self.secret }),
        };
        if let (Value::Object(body), Value::Object(material)) = (&mut body, material) {
            body.extend(material);
        }
        body
    }

    /// A query of Binance's, signed with it as of now.
    pub fn signed_query(&self, params: &str) -> String {
        let query = format!("{params}&timestamp={}", crate::now_ms());
        let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, self.secret.as_bytes());
        let signature = HEXLOWER.encode(aws_lc_rs::hmac::sign(&mac, query.as_bytes()).as_ref());
        format!("{query}&signature={signature}")
    }

    /// The body that enrolls it.
    pub fn enrollment(&self) -> Value {
        json!({
            "owner": self.owner, "label": self.label, "venue": self.venue, "kind": self.kind,
            "mode": self.mode, "ceiling": self.ceiling, "key_id": self.key_id, "secret": self.entered(),
        })
    }

    /// What an owner enters: the secret, or all parts of it as JSON.
    fn entered(&self) -> String {
        if self.parts.is_empty() {
            return self.secret.clone();
        }
        let mut whole = self.parts.clone();
        whole.insert("secret".to_owned(), self.secret.clone().into());
        Value::Object(whole).to_string()
    }

    /// First and last four characters of the key id: all that is ever shown of it.
    pub fn hint(&self) -> String {
        let (head, tail) = (self.key_id.get(..4), self.key_id.get(self.key_id.len().saturating_sub(4)..));
        format!("{}…{}", head.unwrap_or_default(), tail.unwrap_or_default())
    }

    /// The bytes that sign, which for some venues are not the text that the owner pastes.
    pub fn secret_bytes(&self) -> &[u8] {
        &self.secret_bytes
    }
}

/// Random letters and digits.
fn alphanumeric(length: usize) -> Result<String> {
    let random = random::<128>()?;
    let letter = |byte: &u8| ALPHANUMERIC.get(usize::from(*byte) % 62).map(|c| char::from(*c));
    Ok(random.iter().take(length).filter_map(letter).collect())
}

/// A random number that no other test's names have.
pub(crate) fn unique() -> Result<String> {
    Ok(HEXLOWER.encode(&random::<8>()?))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::SecureRandom::fill(&SystemRandom::new(), &mut bytes).ok().context("no random numbers")?;
    Ok(bytes)
}

/// A block of PEM (RFC 7468).
pub(crate) fn pem(name: &str, der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    let end = |at: usize| at.saturating_add(64).min(base64.len());
    let lines: Vec<&str> = (0..base64.len()).step_by(64).filter_map(|at| base64.get(at..end(at))).collect();
    format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n"))
}
