//! Interactive Brokers' Web API, with OAuth 1.0a as individuals set it up by themselves.
//!
//! The owner keeps two RSA keys and a Diffie-Hellman prime. The signature key signs the request for a live session
//! token; both sides compute that token, it never travels, and for a day its MAC signs every call. The consumer key is
//! the key id.
//!
//! Sources: IBKR's *Web API documentation* and *OAuth 1.0a Extended*; ibind 0.1.24, run (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod params;
mod signing;

pub use signing::base_string;

use data_encoding::HEXLOWER;

use crate::{
    budget::{Budget, Counts, Per},
    inbound::Dialect,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    product::Products,
    reading::{ReadError, Reading},
    retrieval::Found,
    secret::{KeyType, SecretForm, SecretKind, SecretPart, SecretRule, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    token::{DiffieHellman, Exchange, TokenAnswer, TokenRule},
    venue::Venue,
};

/// Interactive Brokers.
pub(crate) struct Ibkr;

/// A contract's number does not tell what it is, so whatever is traded counts as the riskiest of it.
const TRADED: Products = Products::DERIVATIVES;

/// The login's parameter for our half of the key agreement.
const CHALLENGE: &str = "diffie_hellman_challenge";

impl Venue for Ibkr {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://api.ibkr.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        const {
            &[
                SecretRule { kind: SecretKind::Login, parts: LOGIN },
                SecretRule { kind: SecretKind::Token, parts: TOKEN },
            ]
        }
    }

    /// Consumer keys have nine letters; the length is left to the venue.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"")
    }

    fn uses_nonce(&self) -> bool {
        false
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        signing::signable(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    /// The accounts show that the session trades, and nothing of what the key may do.
    fn permissions(&self, _body: &[u8]) -> Option<KeyFacts> {
        Some(KeyFacts::unproven(TRADED))
    }

    fn bundled(&self) -> Products {
        Products::NONE
    }

    fn advice(&self, _fault: &Fault) -> String {
        "In IBKR's portal, Settings → OAuth → disable the consumer key: it has no permissions of its own.".to_owned()
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::Gateway
    }

    /// Ten requests a second from all of a user's sessions. Paces of single calls are left to the caller.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 10, 1_000)] }
    }

    fn tokens(&self) -> Option<&'static TokenRule> {
        const {
            Some(&TokenRule {
                login: "session.login",
                renewal: None,
                opening: &["session.open", "key.permissions"],
                keep_alive: Some(("session.keep", 60)),
                exchange: Exchange::DiffieHellman(DiffieHellman {
                    challenge: CHALLENGE,
                    access_token: 1,
                    token_secret: 2,
                    decrypting_key: 3,
                    prime: 4,
                }),
                life_s: 24 * 60 * 60,
            })
        }
    }

    fn token<'b>(&self, body: &'b [u8]) -> Option<TokenAnswer<'b>> {
        errors::token(body)
    }

    fn streams(&self) -> &'static [Stream] {
        const {
            &[Stream {
                name: "session",
                kinds: &[],
                reason: "the socket takes the session's own name, which is good for every call",
                challenge: false,
            }]
        }
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("cOID", HEXLOWER.encode(digest)))
    }

    /// Orders are listed for the whole session, not asked for by their clients' names.
    fn lookup(&self, _call: &Call<'_>) -> Option<(&'static str, Params)> {
        None
    }

    fn found(&self, _meaning: &Meaning, _body: &[u8]) -> Found {
        Found::Unclear
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://ndcdyn.interactivebrokers.com/sso/Login?action=OAUTH"
    }
}

/// What a login takes. The signature key comes first, for it signs.
const LOGIN: &[SecretPart] = &[
    SecretPart::new("signature_key", SecretForm::Pem(&[KeyType::Rsa])),
    SecretPart::new("access_token", SecretForm::Text),
    SecretPart::new("access_token_secret", SecretForm::Base64),
    SecretPart::new("encryption_key", SecretForm::Pem(&[KeyType::Rsa])),
    SecretPart::new("dh_prime", SecretForm::Hex),
];
/// The live session token, and what names the grant in each call.
const TOKEN: &[SecretPart] =
    &[SecretPart::new("token", SecretForm::Base64), SecretPart::new("access_token", SecretForm::Text)];

const GUIDE: &[&str] = &[
    "Make a second username for Claviger in the Client Portal (Settings → Users & Access Rights): one username has one \
     brokerage session, and Claviger's would end that of the desk.",
    "Give that username trading access only. Untick “Funds Transfer” and everything under “Account Settings” and \
     “Reporting” that Claviger does not need.",
    "Make two RSA keys of 2048 bits (signature and encryption) and a Diffie-Hellman prime of 2048 bits with generator 2.",
    "Signed in with that username, open the OAuth page, choose a consumer key of nine letters, upload both public keys and \
     the parameters, enable OAuth access, then generate the access token and its secret.",
    "Enter the consumer key as the key id; as the secret access_token, access_token_secret, signature_key and \
     encryption_key (PKCS#8 PEM) and dh_prime (hexadecimal). A new consumer key works after IBKR's next restart, usually \
     at night.",
];
