//! Bybit v5: spot, margin and contracts, with one key for all of them.
//!
//! Source: `bybit-exchange.github.io/docs/v5` (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod params;
mod permissions;
mod prices;
mod signing;

pub use signing::{encoding, string_to_sign};

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    retrieval::Found,
    secret::{RSA, SecretKind, SecretRule, TEXT, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    venue::Venue,
};

/// Bybit v5; whether an order is on spot, margin or a contract its `category` and `isLeverage` tell.
pub(crate) struct Bybit;

impl Venue for Bybit {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://api.bybit.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are 18 letters and digits; the length is left to Bybit.
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

    /// An address that asks more is shut out for ten minutes; the slowest category takes ten orders a second.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Address, Counts::Weight, 600, 5_000), Budget::new(Per::Key, Counts::Orders, 10, 1_000)] }
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    /// 36 letters, digits, `-` and `_` at most.
    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("orderLinkId", ["clv", &HEXLOWER.encode(digest)].concat()))
    }

    /// The list has open orders, and for a while those that have ended.
    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        Some(("orders.open", by_name(call)?))
    }

    fn lookup_ended(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        Some(("orders.history", by_name(call)?))
    }

    /// An id is used once, so an order that comes in after all cannot be there twice.
    fn found(&self, meaning: &Meaning, body: &[u8]) -> Found {
        match serde_json::from_slice(body) {
            Ok(Listed { result: Page { list } }) if *meaning == Meaning::Accepted => {
                if list.is_empty() {
                    Found::No
                } else {
                    Found::Yes
                }
            }
            _ => Found::Unclear,
        }
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://www.bybit.com/app/user/api-management"
    }
}

/// The order that `call` placed, by the name it got.
fn by_name(call: &Call<'_>) -> Option<Params> {
    ["category", "symbol", "orderLinkId"].into_iter().map(|name| Some((name, call.get(name)?))).collect()
}

#[derive(Deserialize)]
struct Listed {
    result: Page,
}

#[derive(Deserialize)]
struct Page {
    list: Vec<Box<RawValue>>,
}

const SECRETS: &[SecretRule] =
    &[SecretRule { kind: SecretKind::Hmac, parts: TEXT }, SecretRule { kind: SecretKind::PrivateKey, parts: RSA }];

const STREAMS: &[Stream] = &[
    Stream {
        name: "private",
        kinds: &[],
        reason: "the login names no stream: the same signature opens the trade socket, which takes orders",
        challenge: false,
    },
    Stream {
        name: "trade",
        kinds: &[],
        reason: "the socket takes orders, and each of them goes unsigned once it is open",
        challenge: false,
    },
];

const GUIDE: &[&str] = &[
    "On Bybit, open your account menu → API and choose “Create New Key” → “API Transaction”.",
    "Choose “Self-generated API Keys” for an RSA key, of which Bybit only sees the public half, or “System-generated API \
     Keys” for an HMAC key.",
    "Choose “Read-Only”; to trade, choose “Read-Write” and tick “SPOT Trade”, or “Contract: Orders” and “Positions”.",
    "Untick “Account Transfer”, “Subaccount Transfer”, “Withdrawal”, “Exchange”, “Earn” and everything else. The boxes \
     for transfers also let a key make other keys.",
    "Choose “Only IPs with permissions granted are allowed” and enter Claviger's addresses: a key without them ends after \
     90 days.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, found, lookup, lookup_ended, name_order, operation};

    #[test]
    fn an_order_is_found_by_the_name_it_got() {
        let place = operation(VenueId::Bybit, "order.place").unwrap();
        let mut params = Params::from_iter([
            ("category", "linear"),
            ("symbol", "BTCUSDT"),
            ("side", "Buy"),
            ("orderType", "Market"),
            ("qty", "1"),
        ]);
        name_order(place, &mut params, &[0xab; 16]);
        let call = check(place, &params).unwrap();
        for (asked, name) in [(lookup(&call), "orders.open"), (lookup_ended(&call), "orders.history")] {
            let (asked, params) = asked.unwrap();
            assert_eq!(asked.name, name);
            assert!(check(asked, &params).is_ok());
            assert_eq!(params.get("orderLinkId"), Some(["clv", &"ab".repeat(16)].concat().as_str()));
        }
        let answer = |body: &str| found(VenueId::Bybit, 200, body.as_bytes());
        assert_eq!(answer(r#"{"retCode":0,"result":{"list":[{"orderId":"1"}]}}"#), Found::Yes);
        assert_eq!(answer(r#"{"retCode":0,"result":{"list":[]}}"#), Found::No);
        assert_eq!(answer(r#"{"retCode":10016,"result":{"list":[]}}"#), Found::Unclear);
        assert_eq!(answer(r#"{"retCode":0,"result":{}}"#), Found::Unclear);
    }
}
