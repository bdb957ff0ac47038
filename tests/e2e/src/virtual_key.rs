//! A venue's client at the gateway: it holds a virtual key, and signs with code of its own as the venue documents.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::app::App;
use crate::http::{Client, Reply};
use crate::key::pem;
use crate::message::{Ask, Message};
use crate::protocol::Protocol;
use crate::ready::Door;

/// A virtual key, as the program has it that uses it.
#[derive(Debug)]
pub struct VirtualKey {
    /// `vkey_…`
    pub id: String,
    /// The key id that the client sends; empty where it shows a token.
    pub key_id: String,
    /// The secret as it was shown; empty where the client has its own private key.
    pub secret: String,
    /// The passphrase, where the venue has one.
    pub passphrase: String,
    protocol: &'static Protocol,
    pair: Option<ClientPair>,
    base_path: String,
    /// When it signed last.
    last_ms: AtomicU64,
}

/// A client's own private key.
#[derive(Debug)]
pub enum ClientPair {
    /// Ed25519.
    Ed25519(Ed25519KeyPair),
    /// RSA of 2048 bits.
    Rsa(RsaKeyPair),
}

impl ClientPair {
    /// A new one.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn ed25519() -> Result<Self> {
        Ok(Self::Ed25519(Ed25519KeyPair::generate()?))
    }

    /// A new one.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn rsa() -> Result<Self> {
        Ok(Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?))
    }

    /// The public half, in PEM.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn public_key(&self) -> Result<String> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der()?,
            Self::Rsa(pair) => pair.public_key().as_der()?,
        };
        Ok(pem("PUBLIC KEY", der.as_ref()))
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Ed25519(pair) => Ok(pair.sign(text).as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl VirtualKey {
    /// Has an app make itself a virtual key.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn made(app: &App, credential: &str, pair: Option<ClientPair>) -> Result<Self> {
        let public_key = pair.as_ref().map(ClientPair::public_key).transpose()?;
        let body = json!({ "credential": credential, "label": "bot", "public_key": public_key });
        let reply = app.call("POST", "/api/v1/virtual-keys", Some(&body)).await?.ok().context("virtual key")?;
        Self::shown(&reply.json(), pair)
    }

    /// Reads what was shown once.
    ///
    /// # Errors
    /// When it is not a virtual key, or one of a venue that nobody here speaks to.
    pub fn shown(made: &Value, pair: Option<ClientPair>) -> Result<Self> {
        let text = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self {
            id: text("id"),
            key_id: text("key_id"),
            secret: text("secret"),
            passphrase: text("passphrase"),
            protocol: Protocol::of(&text("venue"))?,
            base_path: text("base_path"),
            last_ms: AtomicU64::new(0),
            pair,
        })
    }

    /// The same key with another secret: what it signs is wrong.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        Self {
            id: self.id.clone(),
            key_id: self.key_id.clone(),
            secret: secret.to_owned(),
            passphrase: self.passphrase.clone(),
            protocol: self.protocol,
            pair: None,
            base_path: self.base_path.clone(),
            last_ms: AtomicU64::new(0),
        }
    }

    /// The request that the venue's client makes of a call, not yet signed.
    pub fn arranged(&self, ask: &Ask) -> Message {
        let mut message = (self.protocol.arrange)(ask);
        message.prefix.clone_from(&self.base_path);
        message
    }

    /// Signs a request as it stands, as of a time in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When the secret is not in the venue's form.
    pub fn sign_at(&self, mut message: Message, at_ms: u64) -> Result<Message> {
        (self.protocol.sign)(self, &mut message, at_ms)?;
        Ok(message)
    }

    /// Signs a request as it stands, as of now.
    ///
    /// # Errors
    /// As [`Self::sign_at`].
    pub fn sign(&self, message: Message) -> Result<Message> {
        self.sign_at(message, self.tick())
    }

    /// Makes and signs the request of a call.
    ///
    /// # Errors
    /// As [`Self::sign_at`].
    pub fn signed(&self, ask: &Ask) -> Result<Message> {
        self.sign(self.arranged(ask))
    }

    /// Signs and sends a call.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, client: &Client, ask: &Ask) -> Result<Reply> {
        self.signed(ask)?.send(client).await
    }

    /// A way in to the gateway.
    ///
    /// # Errors
    /// When the server is not ready.
    pub fn client(ready_file: &Path) -> Result<Client> {
        Client::of_server(ready_file, Door::Api)
    }

    /// The bytes that sign, where the secret is base64.
    pub(crate) fn decoded_secret(&self) -> Result<Vec<u8>> {
        data_encoding::BASE64.decode(self.secret.as_bytes()).context("the secret is no base64")
    }

    /// The time in milliseconds, never the same twice: a client of any sense does not sign two requests alike.
    fn tick(&self) -> u64 {
        let now = crate::now_ms();
        let next = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self.last_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        now.max(last.saturating_add(1))
    }

    /// Signs with the client's own private key, if it has one.
    pub(crate) fn pair_signature(&self, text: &[u8]) -> Option<Result<Vec<u8>>> {
        self.pair.as_ref().map(|pair| pair.sign(text))
    }
}

/// An HMAC.
pub(crate) fn mac(algorithm: hmac::Algorithm, secret: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), text).as_ref().to_vec()
}
