//! `BitMEX`, which closed on 2026-09-23: its keys are still around to be deleted.
//!
//! Sources: bitmex.com, *API Keys Usage*, *REST API* and the API explorer (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod permissions;
mod prices;
mod signing;

pub use signing::{expires_s, string_to_sign};

use data_encoding::HEXLOWER;

use crate::{
    budget::{Budget, Counts, Per},
    encoding::Encoding,
    inbound::Dialect,
    lapse::Lapse,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::Pricing,
    product::Products,
    reading::{ReadError, Reading},
    retrieval::Found,
    secret::{SecretKind, SecretRule, TEXT, is_key_id},
    signing::{Draft, Identity, Scheme, Signable, SigningTime},
    stream::{Stream, StreamLogin},
    venue::Venue,
};

/// `BitMEX`: contracts, and a few pairs.
pub(crate) struct Bitmex;

impl Venue for Bitmex {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://www.bitmex.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are 24 characters; the length is left to `BitMEX`.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"-_")
    }

    fn uses_nonce(&self) -> bool {
        false
    }

    /// The expiry is signed, in whole seconds.
    fn lapse(&self) -> Lapse {
        Lapse::Fixed(6_000)
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        signing::signable(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    fn permissions(&self, body: &[u8]) -> Option<KeyFacts> {
        permissions::permissions(body)
    }

    fn bundled(&self) -> Products {
        permissions::TRADED
    }

    fn advice(&self, fault: &Fault) -> String {
        permissions::advice(fault)
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::Gateway
    }

    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 120, 60_000), Budget::new(Per::Key, Counts::Orders, 10, 1_000)] }
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    /// The text is a request to no path of the REST API, all of which begin with `/api`.
    fn stream_login(
        &self,
        _stream: &Stream,
        key: Identity<'_>,
        at: SigningTime,
        _challenge: Option<&str>,
    ) -> Option<StreamLogin> {
        let expires = expires_s(at).to_string();
        Some(StreamLogin {
            scheme: Scheme::HmacSha256,
            to_sign: string_to_sign("GET", "/realtime", &expires, "").into_bytes(),
            encoding: Encoding::Hex,
            fields: vec![("api-key", key.key_id.to_owned()), ("api-expires", expires)],
            signature: "api-signature",
        })
    }

    /// 36 characters at most.
    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("clOrdID", ["clv", &HEXLOWER.encode(digest)].concat()))
    }

    /// One order is asked for with a filter, which the catalogue does not express.
    fn lookup(&self, _call: &Call<'_>) -> Option<(&'static str, Params)> {
        None
    }

    fn found(&self, _meaning: &Meaning, _body: &[u8]) -> Found {
        Found::Unclear
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://www.bitmex.com/app/apiKeys"
    }
}

const SECRETS: &[SecretRule] = &[SecretRule { kind: SecretKind::Hmac, parts: TEXT }];

/// The stream takes no orders; all it can do is cancel every one of them.
const STREAMS: &[Stream] =
    &[Stream { name: "realtime", kinds: &[SecretKind::Hmac], reason: "BitMEX knows HMAC keys only", challenge: false }];

const GUIDE: &[&str] = &[
    "BitMEX has closed: delete keys that are still there rather than making new ones.",
    "On BitMEX, open Account → API Keys. A key without permissions reads; to trade, tick “Order”.",
    "Untick “Withdraw”, and leave “Order Cancel” unticked unless the key is to do nothing else.",
    "Enter Claviger's addresses under “CIDR”, choose “Create API Key”, and enable it.",
];
