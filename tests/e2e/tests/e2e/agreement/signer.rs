//! The key holder: everything that the keeper does with a key, done with the test's own.

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use claviger_e2e::{Key, Message, Random, Reply, Sim, now_ms};
use claviger_venues::{
    Class, Exchange, Host, Identity, KeyType, Operation, Params, Proof, RequestParts, Scheme, SecretKind, SigningTime,
    VenueId, attach, check, prepare, token, tokens, unsigned,
};
use data_encoding::{BASE64, HEXLOWER};
use num_bigint::{BigInt, BigUint};
use serde_json::{Value, json};

/// Long enough for a machine with much to do.
const VALID_MS: u32 = 30_000;
/// RFC 2409, second Oakley group: short, so that the arithmetic is quick.
const PRIME: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd\
ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24\
117c4b1fe649286651ece65381ffffffffffffffff";
const ACCESS_TOKEN: &str = "abcdef0123456789abcd";
const ACCESS_TOKEN_SECRET: [u8; 24] = *b"an access token's secret";

/// A key that the simulator knows, and a nonce that rises.
pub(super) struct Signer {
    venue: VenueId,
    pub(super) key_id: String,
    /// What the owner has.
    secret: Secret,
    /// What the venue handed out for it.
    token: Option<Secret>,
    exponent: BigUint,
    nonce: u64,
}

/// What proves a request.
struct Secret {
    kind: SecretKind,
    key: Material,
    parts: Vec<Vec<u8>>,
}

enum Material {
    /// It stands in the request itself.
    Shown,
    Mac(Vec<u8>),
    Ed25519(Ed25519KeyPair),
    Rsa(KeyPair),
}

impl Signer {
    /// A key of every type that owners have at the venue, known to the simulator.
    pub(super) async fn of(venue: VenueId, sim: &Sim, random: &mut Random) -> Result<Vec<Self>> {
        let keys = match venue {
            VenueId::Binance => vec![Key::binance()?, Key::binance_ed25519()?, Key::binance_rsa()?],
            VenueId::Bybit => vec![Key::bybit()?, Key::bybit_rsa()?],
            VenueId::Oanda | VenueId::Ibkr | VenueId::Tradovate | VenueId::Topstepx => {
                return Ok(vec![Self::at_broker(venue, sim, random).await?]);
            }
            VenueId::BinanceUsdm
            | VenueId::Bitmex
            | VenueId::Kraken
            | VenueId::KrakenFutures
            | VenueId::Mexc
            | VenueId::MexcContract
            | VenueId::Okx => vec![Key::of(venue.as_str())?],
        };
        let mut signers = Vec::new();
        for key in keys {
            let key = key.that_may("trade_spot").that_may("trade_margin").that_may("trade_derivatives");
            let key = sim.knows(Ok(key)).await?;
            let passphrase = key.parts.get("passphrase").and_then(Value::as_str).unwrap_or_default();
            let parts = vec![Vec::new(), passphrase.as_bytes().to_vec()];
            let (kind, material) = match key.kind {
                "hmac" => (SecretKind::Hmac, Material::Mac(key.secret_bytes().to_vec())),
                _ => (SecretKind::PrivateKey, Material::of_pem(&key.secret)?),
            };
            signers.push(Self::new(venue, &key.key_id, Secret { kind, key: material, parts }, random));
        }
        Ok(signers)
    }

    async fn at_broker(venue: VenueId, sim: &Sim, random: &mut Random) -> Result<Self> {
        let shown = |kind, parts: &[&str]| {
            let parts = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
            Secret { kind, key: Material::Shown, parts }
        };
        let (key_id, secret, mut registration) = match venue.as_str() {
            "oanda" => {
                let (token, account) = ("0123456789abcdef-fedcba9876543210", "101-001-1234567-001");
                let registration = json!({ "secret": token, "parts": { "accounts": account } });
                (account, shown(SecretKind::Bearer, &[token]), registration)
            }
            "tradovate" => {
                let parts = json!({
                    "appId": "Claviger", "appVersion": "1.0", "cid": "8", "sec": "a-sec", "deviceId": "a-device",
                });
                let secret = shown(SecretKind::Login, &["a-password", "Claviger", "1.0", "8", "a-sec", "a-device"]);
                ("user1", secret, json!({ "secret": "a-password", "parts": parts }))
            }
            "ibkr" => {
                let pair = KeyPair::generate(KeySize::Rsa2048)?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
                let parts = json!({
                    "access_token": ACCESS_TOKEN, "access_token_secret": HEXLOWER.encode(&ACCESS_TOKEN_SECRET),
                    "dh_prime": PRIME,
                });
                let public_key = BASE64.encode(public.as_ref());
                let secret = Secret { kind: SecretKind::Login, key: Material::Rsa(pair), parts: Vec::new() };
                ("TESTCONSU", secret, json!({ "kind": "rsa", "public_key": public_key, "parts": parts }))
            }
            _ => ("trader@example.com", shown(SecretKind::Login, &["an-api-key"]), json!({ "secret": "an-api-key" })),
        };
        registration["venue"] = venue.as_str().into();
        registration["key_id"] = key_id.into();
        registration["permissions"] = json!({ "read": true, "trade_spot": true, "trade_derivatives": true });
        sim.client().call("POST", "/_sim/keys", None, Some(&registration)).await?.ok()?;
        Ok(Self::new(venue, key_id, secret, random))
    }

    fn new(venue: VenueId, key_id: &str, secret: Secret, random: &mut Random) -> Self {
        let exponent: Vec<u8> = (0..4).flat_map(|_| random.number().to_be_bytes()).collect();
        let exponent = BigUint::from_bytes_be(&exponent);
        Self { venue, key_id: key_id.to_owned(), secret, token: None, exponent, nonce: now_ms() }
    }

    /// What a login takes beside what signs it: our half of a key agreement.
    pub(super) fn login(&self, operation: &Operation) -> Option<Params> {
        let rule = tokens(self.venue).filter(|rule| rule.login == operation.name)?;
        Some(match rule.exchange {
            Exchange::Plain => Params::new(),
            Exchange::DiffieHellman(names) => {
                let half = BigUint::from(2_u32).modpow(&self.exponent, &number(PRIME).unwrap());
                Params::from_iter([(names.challenge, half.to_str_radix(16))])
            }
        })
    }

    /// The finished request, as of now.
    pub(super) fn request(&mut self, sim: &Sim, operation: &'static Operation, params: &Params) -> Result<Message> {
        let base = format!("{}/{}", sim.url(), self.venue);
        let host = Host::parse(&base)?;
        let call = check(operation, params)?;
        if operation.class == Class::Market {
            return message(unsigned(&call, &host)?, sim, self.venue);
        }
        self.nonce += 1;
        let at = SigningTime { now_ms: now_ms(), valid_ms: VALID_MS };
        let logs_in = self.login(operation).is_some();
        let secret = self.token.as_ref().filter(|_| !logs_in).unwrap_or(&self.secret);
        let identity = Identity { access_token: ACCESS_TOKEN, ..secret.identity(&self.key_id) };
        let signable = prepare(&call, &host, identity, at, self.nonce)?;
        // What the owner alone knows stands before what a key agreement begins with.
        let begins = logs_in && self.venue == VenueId::Ibkr;
        let before = if begins { HEXLOWER.encode(&ACCESS_TOKEN_SECRET) } else { String::new() };
        let signature = secret.key.sign(signable.scheme(), &[before.as_bytes(), signable.to_sign()].concat())?;
        let parts: Vec<_> = secret.parts.iter().map(Vec::as_slice).collect();
        message(attach(signable, Proof { signature: &signature, parts: &parts }), sim, self.venue)
    }

    /// Goes on with the token that an answer holds; an answer without one changes nothing.
    pub(super) fn take(&mut self, reply: &Reply) -> Result<()> {
        let Some(answer) = token(self.venue, &reply.body) else { return Ok(()) };
        let rule = tokens(self.venue).context("no tokens here")?;
        let secret = |key, parts| Secret { kind: SecretKind::Token, key, parts };
        self.token = Some(match rule.exchange {
            Exchange::Plain => secret(Material::Shown, vec![answer.token.as_bytes().to_vec()]),
            Exchange::DiffieHellman(_) => {
                let shared = number(answer.token)?.modpow(&self.exponent, &number(PRIME)?);
                let token = hmac_sha1(&BigInt::from(shared).to_signed_bytes_be(), &ACCESS_TOKEN_SECRET);
                let check = HEXLOWER.encode(&hmac_sha1(&token, self.key_id.as_bytes()));
                ensure!(answer.check == Some(check.as_str()), "the venue computed another token");
                secret(Material::Mac(token), Vec::new())
            }
        });
        Ok(())
    }
}

impl Secret {
    fn identity<'a>(&self, key_id: &'a str) -> Identity<'a> {
        match (self.kind, &self.key) {
            (SecretKind::PrivateKey, Material::Rsa(_)) => Identity::private_key(key_id, KeyType::Rsa),
            (SecretKind::PrivateKey, _) => Identity::private_key(key_id, KeyType::Ed25519),
            (kind, _) => Identity::new(key_id, kind),
        }
    }
}

impl Material {
    fn of_pem(pem: &str) -> Result<Self> {
        let inner: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(inner.as_bytes())?;
        Ok(match Ed25519KeyPair::from_pkcs8(&der) {
            Ok(pair) => Self::Ed25519(pair),
            Err(_) => Self::Rsa(KeyPair::from_pkcs8(&der)?),
        })
    }

    fn sign(&self, scheme: Option<Scheme>, message: &[u8]) -> Result<Vec<u8>> {
        let mac = |algorithm, key: &[u8]| hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec();
        Ok(match (scheme, self) {
            (None, Self::Shown) => Vec::new(),
            (Some(Scheme::HmacSha256), Self::Mac(key)) => mac(HMAC_SHA256, key),
            (Some(Scheme::HmacSha512), Self::Mac(key)) => mac(HMAC_SHA512, key),
            (Some(Scheme::Ed25519), Self::Ed25519(pair)) => pair.sign(message).as_ref().to_vec(),
            (Some(Scheme::RsaSha256), Self::Rsa(pair)) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
                signature
            }
            _ => anyhow::bail!("{scheme:?} is for another type of key"),
        })
    }
}

pub(super) fn message(parts: RequestParts, sim: &Sim, venue: VenueId) -> Result<Message> {
    let prefix = format!("/{venue}");
    let target = parts.url.strip_prefix(sim.url()).and_then(|rest| rest.strip_prefix(&prefix));
    let target = target.context("a request to elsewhere")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let (method, body) = (parts.method.as_str().to_owned(), String::from_utf8(parts.body)?);
    Ok(Message { method, prefix, path, query, headers: parts.headers, body })
}

fn number(hex: &str) -> Result<BigUint> {
    BigUint::parse_bytes(hex.as_bytes(), 16).context("no hexadecimal number")
}

fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message).as_ref().to_vec()
}
