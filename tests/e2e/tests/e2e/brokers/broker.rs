//! The brokers' keys: what the simulator knows of them, and what an owner enrolls.

use anyhow::{Context as _, Result};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use claviger_e2e::{House, Key, Reply};
use data_encoding::BASE64;
use serde_json::{Value, json};

/// A broker's key: what the simulator is told, and what the owner enrolls.
pub(crate) struct Broker {
    pub(super) venue: &'static str,
    pub(super) key_id: &'static str,
    pub(super) kind: &'static str,
    registration: Value,
    pub(super) secret: Value,
}

impl Broker {
    pub(super) fn oanda() -> Self {
        let token = "0123456789abcdef0123456789abcdef-fedcba9876543210fedcba9876543210";
        let account = "101-001-1234567-001";
        Self::new(
            "oanda",
            account,
            "bearer",
            json!({ "secret": token, "parts": { "accounts": account } }),
            json!(token),
        )
    }

    pub(super) fn topstepx() -> Self {
        let key = "px-a-key-of-the-simulator";
        Self::new("topstepx", "trader@example.com", "login", json!({ "secret": key }), json!(key))
    }

    pub(super) fn tradovate() -> Self {
        let (password, sec) = ("pw-of-the-simulator", "f03741b6-f634-48d6-9308-c8fb871150c2");
        let parts = json!({ "cid": "8", "sec": sec, "appId": "Claviger", "deviceId": "device-of-the-desk" });
        let secret = json!({
            "password": password, "app_id": "Claviger", "app_version": "1.0", "cid": "8", "sec": sec,
            "device_id": "device-of-the-desk",
        });
        Self::new("tradovate", "user1", "login", json!({ "secret": password, "parts": parts }), secret)
    }

    /// The published example's keys.
    pub(super) fn ibkr() -> Result<Self> {
        let (request, token) = (vector("ibkr-lst-request")?, vector("ibkr-live-session-token")?);
        let text = |from: &Value, name: &str| from[name].as_str().map(str::to_owned).context("no such field");
        let signature_key = text(&request, "secret")?;
        let inner: String = signature_key.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = KeyPair::from_pkcs8(&BASE64.decode(inner.as_bytes())?)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
        let parts = json!({
            "access_token": text(&request, "access_token")?, "dh_prime": text(&token, "dh_prime")?,
            "access_token_secret": text(&token, "access_token_secret_decrypted_hex")?,
        });
        let secret = json!({
            "access_token": text(&request, "access_token")?, "access_token_secret": text(&token, "secret")?,
            "signature_key": signature_key, "encryption_key": text(&token, "encryption_private_key")?,
            "dh_prime": text(&token, "dh_prime")?,
        });
        let registration = json!({ "kind": "rsa", "public_key": BASE64.encode(public.as_ref()), "parts": parts });
        Ok(Self::new("ibkr", "TESTCONS", "login", registration, secret))
    }

    pub(crate) fn of(venue: &str) -> Result<Self> {
        match venue {
            "oanda" => Ok(Self::oanda()),
            "ibkr" => Self::ibkr(),
            "tradovate" => Ok(Self::tradovate()),
            _ => Ok(Self::topstepx()),
        }
    }

    fn new(venue: &'static str, key_id: &'static str, kind: &'static str, registration: Value, secret: Value) -> Self {
        Self { venue, key_id, kind, registration, secret }
    }

    /// As the simulator's books know it.
    pub(crate) fn key(&self) -> Key {
        Key::of_broker(self.venue, self.key_id)
    }

    /// With tokens that live so long.
    pub(super) fn short_lived(mut self, token_life_ms: u64) -> Self {
        self.registration["token_life_ms"] = token_life_ms.into();
        self
    }

    /// Makes it known to the venue and enrolls it.
    pub(crate) async fn enrolled(&self, house: &House) -> Result<String> {
        let mut registration = self.registration.clone();
        registration["venue"] = self.venue.into();
        registration["key_id"] = self.key_id.into();
        registration["permissions"] = json!({ "read": true, "trade_derivatives": true });
        house.sim.client().call("POST", "/_sim/keys", None, Some(&registration)).await?.ok()?;
        self.enroll(house).await?.ok().context(self.venue)?.text_at("/id")
    }

    pub(super) async fn enroll(&self, house: &House) -> Result<Reply> {
        let enrollment = json!({
            "owner": "trader-1", "label": self.venue, "venue": self.venue, "kind": self.kind, "mode": "sealed",
            "ceiling": { "class": "trade", "products": ["derivatives"] }, "key_id": self.key_id, "secret": self.secret,
        });
        house.app.call("POST", "/api/v1/credentials", Some(&enrollment)).await
    }

    /// How often the venue saw an accepted call of that path that opens or keeps a session.
    pub(super) async fn logins(&self, house: &House, path: &str) -> Result<usize> {
        let query = format!("/_sim/logins?limit=10000&venue={}", self.venue);
        let logins = house.sim.client().call("GET", &query, None, None).await?.ok()?.json();
        let logins = logins["logins"].as_array().context("no logins")?;
        Ok(logins.iter().filter(|login| login["path"] == path && login["accepted"] == true).count())
    }

    /// Ends every token that the venue handed out.
    pub(super) async fn end_tokens(&self, house: &House) -> Result<()> {
        let path = format!("/_sim/tokens/{}/{}", self.venue, self.key_id.replace('@', "%40"));
        house.sim.client().call("DELETE", &path, None, None).await?.ok()?;
        Ok(())
    }

    pub(super) const fn login_path(&self) -> &'static str {
        match self.venue.as_bytes() {
            b"ibkr" => "/v1/api/oauth/live_session_token",
            b"tradovate" => "/v1/auth/accesstokenrequest",
            _ => "/api/Auth/loginKey",
        }
    }
}

fn vector(id: &str) -> Result<Value> {
    let file: Value = serde_json::from_str(include_str!("../../../../../venues/testdata/vectors.json"))?;
    let vectors = file["vectors"].as_array().context("no vectors")?;
    vectors.iter().find(|vector| vector["id"] == id).cloned().context("no such vector")
}
