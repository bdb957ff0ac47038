//! MEXC spot, version 3 of its API.

mod dialect;
mod errors;
mod operations;
mod order;
mod prices;
mod signing;

pub(super) use dialect::{Gateway, claim};
pub(super) use errors::meaning;
pub(super) use operations::PROBE_PATH;
pub(super) use signing::signable;
pub use signing::string_to_sign;

use super::{HOST, MANAGE_URL, SECRETS, client_order_id, permissions};
use crate::{
    budget::{Budget, Counts, Per},
    inbound::Dialect,
    lapse::Lapse,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::Pricing,
    product::Products,
    reading::{ReadError, Reading},
    retrieval::{Found, by_meaning},
    secret::{SecretRule, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    venue::Venue,
};

/// MEXC spot.
pub(crate) struct Spot;

impl Venue for Spot {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        HOST
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are letters and digits; the length is left to MEXC.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"")
    }

    fn uses_nonce(&self) -> bool {
        false
    }

    /// Every request carries its own window.
    fn lapse(&self) -> Lapse {
        Lapse::Window
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        signable(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    fn permissions(&self, body: &[u8]) -> Option<KeyFacts> {
        permissions::permissions(body, &["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"])
    }

    fn bundled(&self) -> Products {
        permissions::BUNDLED
    }

    fn advice(&self, fault: &Fault) -> String {
        permissions::advice(fault)
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Gateway
    }

    /// Each endpoint has a count of its own at MEXC; all together are held to what one has.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Address, Counts::Weight, 500, 10_000)] }
    }

    fn weight(&self, call: &Call<'_>) -> u32 {
        operations::weight(call.operation().name)
    }

    fn streams(&self) -> &'static [Stream] {
        const {
            &[Stream {
                name: "user",
                kinds: &[],
                reason: "the stream is opened with a listen key, a token that would have to leave Claviger",
                challenge: false,
            }]
        }
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("newClientOrderId", client_order_id(digest)))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        let (symbol, id) = (call.get("symbol")?, call.get("newClientOrderId")?);
        Some(("order.get", Params::from_iter([("symbol", symbol), ("origClientOrderId", id)])))
    }

    /// -2013 is “Order does not exist”.
    fn found(&self, meaning: &Meaning, _body: &[u8]) -> Found {
        by_meaning(meaning, &["-2013"])
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        MANAGE_URL
    }
}

const GUIDE: &[&str] = &[
    "On MEXC, make a sub-account and use it for Claviger: a key of the master account can make other keys whatever its \
     boxes say, and only Claviger's catalogue keeps it from that.",
    "Open API Management and choose “Create API Key”.",
    "Tick “View Account Details” and “View Order Details” under Spot; to trade, tick “Trade” too. Clients built on ccxt \
     also want “View Withdrawal Details”, which only looks.",
    "Untick “Withdraw”, “Transfer”, “Modify Account Info” and everything under Futures.",
    "Link Claviger's addresses to the key: one without addresses ends after 90 days.",
];
