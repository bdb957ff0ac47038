//! MEXC futures; keys and permission probe are those of MEXC spot.

mod dialect;
mod errors;
mod operations;
mod order;
mod params;
mod prices;
mod signing;

pub use signing::string_to_sign;

use serde::Deserialize;
use serde_json::value::RawValue;

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

/// MEXC futures.
pub(crate) struct Contract;

impl Venue for Contract {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    /// One host for both roles; the probe's path is that of spot.
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

    /// The window is not signed: whoever has the request can ask for the longest.
    fn lapse(&self) -> Lapse {
        Lapse::Fixed(60_000)
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        if draft.call.operation().is_probe() {
            return super::spot::signable(draft);
        }
        signing::signable(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    fn permissions(&self, body: &[u8]) -> Option<KeyFacts> {
        permissions::permissions(body, &["CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ"])
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

    /// Each endpoint has a count of its own at MEXC; all together are held to what one has.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Key, Counts::Weight, 20, 2_000)] }
    }

    /// A batch may be placed once in two seconds.
    fn weight(&self, call: &Call<'_>) -> u32 {
        if call.operation().name == "orders.place_batch" { 20 } else { 1 }
    }

    fn streams(&self) -> &'static [Stream] {
        const {
            &[Stream {
                name: "private",
                kinds: &[],
                reason: "what a login signs, key and time, is what a call without parameters signs: the signature would \
                         pass for one",
                challenge: false,
            }]
        }
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("externalOid", client_order_id(digest)))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        let (symbol, id) = (call.get("symbol")?, call.get("externalOid")?);
        Some(("order.get_named", Params::from_iter([("symbol", symbol), ("external_oid", id)])))
    }

    /// 2040 is “order not exist”; an accepted answer without an order says the same.
    fn found(&self, meaning: &Meaning, body: &[u8]) -> Found {
        let found = by_meaning(meaning, &["2040"]);
        if found != Found::Yes {
            return found;
        }
        match serde_json::from_slice(body) {
            Ok(Answer { data: Some(_) }) => Found::Yes,
            Ok(Answer { data: None }) => Found::No,
            Err(_) => Found::Unclear,
        }
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

#[derive(Deserialize)]
struct Answer {
    data: Option<Box<RawValue>>,
}

const GUIDE: &[&str] = &[
    "On MEXC, make a sub-account and use it for Claviger: a key of the master account can make other keys whatever its \
     boxes say, and only Claviger's catalogue keeps it from that.",
    "Open API Management and choose “Create API Key”.",
    "Tick “View Account Details” and “View Order Details” under Futures; to trade, tick “Order Placing” and, to change \
     leverage, “Modify Account Info” too.",
    "Untick everything under Spot: “Withdraw”, “Transfer”, “Trade” and “Modify Account Info”.",
    "Link Claviger's addresses to the key: one without addresses ends after 90 days.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, found, lookup, name_order, operation};

    #[test]
    fn an_order_is_found_by_the_name_it_got() {
        let place = operation(VenueId::MexcContract, "order.place").unwrap();
        let pairs = [("symbol", "BTC_USDT"), ("vol", "1"), ("side", "1"), ("type", "5"), ("openType", "2")];
        let mut params = Params::from_iter(pairs);
        name_order(place, &mut params, &[0xab; 16]);
        let call = check(place, &params).unwrap();
        let (asked, params) = lookup(&call).unwrap();
        assert!(check(asked, &params).is_ok());
        let answer = |body: &str| found(VenueId::MexcContract, 200, body.as_bytes());
        assert_eq!(answer(r#"{"success":true,"code":0,"data":{"orderId":"1"}}"#), Found::Yes);
        assert_eq!(answer(r#"{"success":true,"code":0,"data":null}"#), Found::No);
        assert_eq!(answer(r#"{"success":false,"code":2040,"message":"order not exist"}"#), Found::No);
        assert_eq!(answer(r#"{"success":false,"code":501}"#), Found::Unclear);
    }
}
