//! OKX, version 5 of its API: spot, margin and contracts, with one key for all of them.
//!
//! Source: `www.okx.com/docs-v5` (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod params;
mod permissions;
mod prices;
mod signing;

use data_encoding::HEXLOWER;

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
    secret::{SecretForm, SecretKind, SecretPart, SecretRule, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    venue::Venue,
};

/// OKX; whether an order is on spot, margin or a contract its `instId` and `tdMode` tell.
pub(crate) struct Okx;

impl Venue for Okx {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    /// The host of all accounts that are not registered in the European Economic Area or the United States.
    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://www.okx.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are UUIDs; the form is left to OKX.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"-")
    }

    fn uses_nonce(&self) -> bool {
        false
    }

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

    /// OKX counts each call apart for each account; here they are counted together, each by the share of a window that
    /// its own limit makes it worth.
    fn budgets(&self) -> &'static [Budget] {
        const {
            &[
                Budget::new(Per::Key, Counts::Weight, operations::WINDOW_WEIGHT, 2_000),
                Budget::new(Per::Key, Counts::Orders, 60, 2_000),
            ]
        }
    }

    fn weight(&self, call: &Call<'_>) -> u32 {
        operations::weight(call.operation())
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    /// 32 letters and digits at most.
    fn client_order_id(&self, operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        let name = if operation.param(ALGO_NAME).is_some() { ALGO_NAME } else { NAME };
        Some((name, HEXLOWER.encode(digest)))
    }

    /// One call shows an order whether it is open or has ended; one that ended unfilled is shown for two hours.
    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        if let Some(name) = call.get(ALGO_NAME) {
            return Some(("order.get_algo", Params::from_iter([(ALGO_NAME, name)])));
        }
        Some(("order.get", Params::from_iter([("instId", call.get("instId")?), (NAME, call.get(NAME)?)])))
    }

    fn found(&self, meaning: &Meaning, _body: &[u8]) -> Found {
        by_meaning(meaning, &["51603"])
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://www.okx.com/account/my-api"
    }
}

/// The caller's name for an order, and for one that waits for a trigger.
const NAME: &str = "clOrdId";
const ALGO_NAME: &str = "algoClOrdId";

const SECRETS: &[SecretRule] = &[SecretRule {
    kind: SecretKind::Hmac,
    parts: &[SecretPart::new("secret", SecretForm::Text), SecretPart::new("passphrase", SecretForm::Text)],
}];

const STREAMS: &[Stream] = &[
    Stream {
        name: "private",
        kinds: &[],
        reason: "the socket takes orders, and each of them goes unsigned once it is open",
        challenge: false,
    },
    Stream {
        name: "business",
        kinds: &[],
        reason: "the login names no stream: the same signature opens the private socket, which takes orders",
        challenge: false,
    },
];

const GUIDE: &[&str] = &[
    "On OKX, open your profile → API → “Create API key” and choose “API trading” as its purpose.",
    "Choose a passphrase; Claviger needs it beside the key and its secret.",
    "Tick “Read”; to trade, tick “Trade” as well, which covers spot, margin and contracts and has no parts.",
    "Untick “Withdraw”. OKX has no box for transfers between your own accounts: whoever may trade may make them, and \
     Claviger's catalogue, which has no such call, is what keeps the key from it.",
    "Enter Claviger's addresses under “IP address”: a key that trades and has none ends after 14 days without use.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, SigningTime, VenueId, check, found, lookup, name_order, operation, stream_login, streams};

    const LIMIT: &[(&str, &str)] =
        &[("instId", "BTC-USDT"), ("tdMode", "cash"), ("side", "buy"), ("ordType", "limit"), ("sz", "1"), ("px", "9")];
    const TRIGGER: &[(&str, &str)] = &[
        ("instId", "BTC-USDT-SWAP"),
        ("tdMode", "cross"),
        ("side", "sell"),
        ("ordType", "trigger"),
        ("sz", "1"),
        ("triggerPx", "9"),
        ("orderPx", "-1"),
    ];

    #[test]
    fn an_order_is_found_by_the_name_it_got() {
        for (placed, pairs, asked, name) in [
            ("order.place", LIMIT, "order.get", "clOrdId"),
            ("order.place_algo", TRIGGER, "order.get_algo", "algoClOrdId"),
        ] {
            let place = operation(VenueId::Okx, placed).unwrap();
            let mut params = pairs.iter().copied().collect();
            name_order(place, &mut params, &[0xab; 16]);
            let (operation, given) = lookup(&check(place, &params).unwrap()).unwrap();
            assert_eq!(operation.name, asked);
            assert!(check(operation, &given).is_ok());
            assert_eq!(given.get(name), Some("ab".repeat(16).as_str()));
        }
        let answer = |body: &str| found(VenueId::Okx, 200, body.as_bytes());
        assert_eq!(answer(r#"{"code":"0","msg":"","data":[{"ordId":"1","state":"live"}]}"#), Found::Yes);
        assert_eq!(answer(r#"{"code":"51603","msg":"Order does not exist","data":[]}"#), Found::No);
        assert_eq!(answer(r#"{"code":"50011","msg":"","data":[]}"#), Found::Unclear);
    }

    #[test]
    fn no_socket_is_logged_in_to() {
        let at = SigningTime { now_ms: 1_704_876_947_000, valid_ms: 5_000 };
        for stream in streams(VenueId::Okx) {
            let key = Identity::new("0a1b2c3d-1111-2222-3333-444455556666", SecretKind::Hmac);
            assert!(!stream.reason.is_empty());
            assert!(stream_login(VenueId::Okx, stream.name, key, at, None).is_none());
        }
    }
}
