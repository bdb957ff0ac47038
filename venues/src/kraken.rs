//! Kraken: spot and margin.
//!
//! Sources: `docs.kraken.com`, *Spot REST authentication*, *API keys*, *Get API Key Info* and the REST reference
//! (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod permissions;
mod prices;
mod signing;

pub use signing::{body, json_body, string_to_sign};

use data_encoding::HEXLOWER;

use crate::{
    budget::{Budget, Counts, Per},
    inbound::Dialect,
    meaning::Meaning,
    operation::{Class, HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::Pricing,
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

    /// The counter of the lowest tier holds 15 and loses one in three seconds. The trading engine counts the orders of
    /// each pair apart, 60 of them and one less each second; here they are counted together.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 15, 45_000), Budget::new(Per::Key, Counts::Orders, 60, 60_000)] }
    }

    /// What the trading engine counts does not move the counter of calls; histories move it by two.
    fn weight(&self, call: &Call<'_>) -> u32 {
        match call.operation().name {
            "ledger" | "ledger.get" | "trades" | "orders.history" => 2,
            _ if call.operation().class == Class::Trade => 0,
            _ => 1,
        }
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    /// 32 hexadecimal digits are one of the forms that `cl_ord_id` takes.
    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("cl_ord_id", HEXLOWER.encode(digest)))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        Some(("orders.open", Params::from_iter([("cl_ord_id", call.get("cl_ord_id")?)])))
    }

    fn lookup_ended(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        Some(("orders.history", Params::from_iter([("cl_ord_id", call.get("cl_ord_id")?)])))
    }

    fn found(&self, meaning: &Meaning, body: &[u8]) -> Found {
        if *meaning == Meaning::Accepted { order::found(body) } else { Found::Unclear }
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://pro.kraken.com/app/settings/api"
    }
}

const SECRETS: &[SecretRule] = &[SecretRule { kind: SecretKind::Hmac, parts: BASE64 }];

const STREAMS: &[Stream] = &[Stream {
    name: "private",
    kinds: &[],
    reason: "Kraken logs in to its private stream with a token that places orders",
    challenge: false,
}];

const GUIDE: &[&str] = &[
    "On Kraken, open Settings → API and choose “Create API key”. Make a key for Claviger alone: its nonces only ever \
     grow, so a key that something else uses too stops working in both places.",
    "Tick “Query Funds”, “Query Open Orders & Trades” and “Query Closed Orders & Trades”; for bots that \
     read the ledger, “Query Ledger Entries” too.",
    "To trade, tick “Create & Modify Orders” and “Cancel/Close Orders” too.",
    "Untick “Deposit Funds”, “Withdraw Funds”, “Earn Funds”, everything about withdrawal addresses, and “Get WebSocket \
     Token”.",
    "Switch on “IP Restriction” and enter Claviger's addresses.",
    "Set “Nonce Window” to a few seconds (10000), then choose “Generate key”.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, found, lookup, lookup_ended, name_order, operation, weight};

    #[test]
    fn an_order_is_looked_for_where_it_may_be() {
        let place = operation(VenueId::Kraken, "order.place").unwrap();
        let order = [("pair", "XBTUSD"), ("type", "buy"), ("ordertype", "market"), ("volume", "1")];
        let mut params: Params = order.into_iter().collect();
        assert!(lookup(&check(place, &params).unwrap()).is_none());
        name_order(place, &mut params, &[0xab; 16]);
        let call = check(place, &params).unwrap();
        let id = "ab".repeat(16);
        for (asked, name) in [(lookup(&call), "orders.open"), (lookup_ended(&call), "orders.history")] {
            let (operation, params) = asked.unwrap();
            assert_eq!((operation.name, params.get("cl_ord_id")), (name, Some(id.as_str())));
            assert!(check(operation, &params).is_ok());
        }
    }

    #[test]
    fn an_answer_says_whether_there_is_such_an_order() {
        for (body, expected) in [
            (r#"{"error":[],"result":{"open":{}}}"#, Found::No),
            (r#"{"error":[],"result":{"open":{"O1":{"status":"open"}}}}"#, Found::Yes),
            (r#"{"error":[],"result":{"closed":{},"count":0}}"#, Found::No),
            (r#"{"error":[],"result":{"closed":{"O1":{}},"count":1}}"#, Found::Yes),
            (r#"{"error":["EAPI:Invalid nonce"]}"#, Found::Unclear),
            (r#"{"error":[],"result":{}}"#, Found::Unclear),
            (r#"{"error":[]}"#, Found::Unclear),
            ("<html>", Found::Unclear),
        ] {
            assert_eq!(found(VenueId::Kraken, 200, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(found(VenueId::Kraken, 502, br#"{"error":[],"result":{"open":{}}}"#), Found::Unclear);
    }

    #[test]
    fn orders_do_not_move_the_counter() {
        let order = [("pair", "XBTUSD"), ("type", "buy"), ("ordertype", "market"), ("volume", "1")];
        for (name, pairs, expected) in [
            ("balances", [].as_slice(), 1),
            ("ledger", &[], 2),
            ("order.place", &order, 0),
            ("orders.cancel_all", &[], 0),
        ] {
            let params: Params = pairs.iter().copied().collect();
            assert_eq!(weight(&check(operation(VenueId::Kraken, name).unwrap(), &params).unwrap()), expected, "{name}");
        }
    }
}
