//! OANDA v20: leveraged foreign exchange and contracts for difference.
//!
//! A token belongs to a login and reaches every account of it, so the key id of a credential is the one account that it
//! is for: a path that names another one is not built.
//!
//! Sources: `developer.oanda.com`, *v20 REST API*: authentication, account, order, trade, position, pricing (2026-11-21).

mod dialect;
mod errors;
mod operations;
mod order;
mod prices;

use data_encoding::HEXLOWER;

use crate::{
    budget::{Budget, Counts, Per},
    inbound::Dialect,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::Pricing,
    product::Products,
    reading::{ReadError, Reading},
    retrieval::{Found, by_meaning},
    secret::{SecretKind, SecretRule, TEXT, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    venue::Venue,
};

/// OANDA v20.
pub(crate) struct Oanda;

/// What is traded has no owner's asset behind it: all of it is leveraged.
const TRADED: Products = Products::DERIVATIVES;

impl Venue for Oanda {
    fn catalogue(&self) -> &'static [Operation] {
        operations::CATALOGUE
    }

    fn default_host(&self, _role: HostRole) -> &'static str {
        "https://api-fxtrade.oanda.com"
    }

    fn secrets(&self) -> &'static [SecretRule] {
        const { &[SecretRule { kind: SecretKind::Bearer, parts: TEXT }] }
    }

    /// An account's id, such as `101-001-1234567-001`.
    fn key_id_ok(&self, key_id: &str) -> bool {
        is_key_id(key_id, b"-")
    }

    fn uses_nonce(&self) -> bool {
        false
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        Signable::bearer(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Reading, ReadError> {
        order::read(call)
    }

    /// The list of accounts shows only that the token works.
    fn permissions(&self, _body: &[u8]) -> Option<KeyFacts> {
        Some(KeyFacts::unproven(TRADED))
    }

    fn bundled(&self) -> Products {
        Products::NONE
    }

    fn advice(&self, _fault: &Fault) -> String {
        "On OANDA, Manage API Access → Revoke the token: tokens have no permissions that could be changed.".to_owned()
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::Gateway
    }

    /// 120 requests a second from one address.
    fn budgets(&self) -> &'static [Budget] {
        const { &[Budget::new(Per::Address, Counts::Weight, 120, 1_000)] }
    }

    fn streams(&self) -> &'static [Stream] {
        const {
            &[
                Stream { name: "pricing", kinds: &[], reason: TOKEN_OPENS_ALL, challenge: false },
                Stream { name: "transactions", kinds: &[], reason: TOKEN_OPENS_ALL, challenge: false },
            ]
        }
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some((order::CLIENT_ID, HEXLOWER.encode(digest)))
    }

    /// `@` before a client's own name makes an order's specifier of it.
    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        let named = format!("@{}", call.get(order::CLIENT_ID)?);
        let account = call.get("accountID")?;
        Some(("order.get", Params::from_iter([("accountID", account), ("orderSpecifier", &named)])))
    }

    /// An order that was filled at once may not be found by its client id: that there is none is never certain.
    fn found(&self, meaning: &Meaning, _body: &[u8]) -> Found {
        by_meaning(meaning, &[])
    }

    fn pricing(&self) -> &'static dyn Pricing {
        &prices::Prices
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        "https://www.oanda.com/account/tpa/personal_token"
    }
}

const TOKEN_OPENS_ALL: &str = "whoever opens this stream holds the token itself, which trades";

const GUIDE: &[&str] = &[
    "On OANDA, sign in to the account's own pages and open Manage API Access. A token of the practice pages works for \
     practice accounts only, and the other way round.",
    "Choose Generate. A new token ends the one that was there before: whatever uses the old one stops.",
    "There are no boxes to Untick: a token trades in every account of the login. It cannot withdraw, for the API has no \
     such call. Use a login of its own, so that the token reaches no other account.",
    "Enter the account's id, such as 101-001-1234567-001, as the key id and the token as the secret. Claviger calls for \
     that account alone.",
];
