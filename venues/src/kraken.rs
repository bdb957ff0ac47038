//! Kraken: spot and margin.
//!
//! Sources: `docs.kraken.com`, *Spot REST authentication*, *API keys*, *Get API Key Info* and the REST reference
//! (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod permissions;
mod signing;

pub use signing::{body, string_to_sign};

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
    secret::{BASE64, SecretKind, SecretRule, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    venue::Venue,
};

/// Kraken spot and margin; whether an order is on margin its `leverage` tells.
pub(crate) struct Kraken;

impl Venue for Kraken {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://api.kraken.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are 56 characters of base64; the length is left to Kraken.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"+/=")
    }

    fn uses_nonce(&self) -> bool {
        true
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
        permissions::BUNDLED
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

    /// The counter of the lowest tier holds 15 and loses one in three seconds.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 15, 45_000)] }
    }

    fn streams(&self) -> &'static [Stream] {
        &[]
    }

    /// A UUID is one of the forms that `cl_ord_id` takes.
    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("cl_ord_id", HEXLOWER.encode(digest)))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        Some(("orders.open", Params::from_iter([("cl_ord_id", call.get("cl_ord_id")?)])))
    }

    fn found(&self, _meaning: &Meaning, _body: &[u8]) -> Found {
        Found::Unclear
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://pro.kraken.com/app/settings/api"
    }
}

const SECRETS: &[SecretRule] = &[SecretRule { kind: SecretKind::Hmac, parts: BASE64 }];

const GUIDE: &[&str] = &[
    "On Kraken, open Settings → API and choose “Create API key”. Make a key for Claviger alone: its nonces only ever \
     grow, so a key that something else uses too stops working in both places.",
    "Tick “Query Funds”, “Query Open Orders & Trades” and “Query Closed Orders & Trades”.",
    "To trade, tick “Create & Modify Orders” and “Cancel/Close Orders” too.",
    "Untick “Deposit Funds”, “Withdraw Funds”, “Earn Funds”, everything about withdrawal addresses, and “Get WebSocket \
     Token”.",
    "Switch on “IP Restriction” and enter Claviger's addresses.",
    "Set “Nonce Window” to a few seconds (10000), then choose “Generate key”.",
];
