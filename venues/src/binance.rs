//! Binance: spot and USD-M futures, which share keys, signing, errors and the permission probe.
//!
//! Sources: `binance/binance-spot-api-docs`, `rest-api.md` and `errors.md` (2026-07-21); Binance's USD-M futures
//! documentation, *General Info*; Binance's wallet documentation, *Get API Key Permission*.

mod dialect;
mod errors;
mod order;
mod permissions;
mod signing;
mod spot;
mod usdm;

pub use signing::{encoding, query, string_to_sign};
pub(crate) use spot::SPOT;
pub(crate) use usdm::USDM;

use data_encoding::HEXLOWER;

use crate::{
    budget::Budget,
    grammar::Grammar,
    inbound::Dialect,
    meaning::Meaning,
    operation::{Class, HostRole, Kind, Operation, Param},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    product::{Product, Products},
    reading::{ReadError, Reading},
    retrieval::{Found, by_meaning},
    secret::{KeyType, SecretForm, SecretKind, SecretPart, SecretRule, TEXT, is_key_id},
    signing::{Draft, Signable},
    stream::Stream,
    venue::Venue,
};

/// One of Binance's markets: what it does not share with the others.
pub(crate) struct Market {
    host: &'static str,
    catalogue: &'static [Operation],
    product: Product,
    budgets: &'static [Budget],
    guide: &'static [&'static str],
}

impl Venue for Market {
    fn catalogue(&self) -> &'static [Operation] {
        self.catalogue
    }

    /// The spot host answers for the keys of every market.
    fn default_host(&self, role: HostRole) -> &'static str {
        match role {
            HostRole::Main => self.host,
            HostRole::Probe => SPOT.host,
        }
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    /// Key ids are 64 letters and digits; the length is left to Binance.
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
        order::read(call, self.product)
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
        &dialect::Binance
    }

    fn budgets(&self) -> &'static [Budget] {
        self.budgets
    }

    fn weight(&self, call: &Call<'_>) -> u32 {
        let operation = call.operation();
        if operation.kind == Kind::Data && operation.class == Class::Read { 20 } else { 1 }
    }

    fn streams(&self) -> &'static [Stream] {
        &[]
    }

    fn client_order_id(&self, _operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        Some(("newClientOrderId", ["clv", &HEXLOWER.encode(digest)].concat()))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        let (symbol, id) = (call.get("symbol")?, call.get("newClientOrderId")?);
        Some(("order.get", Params::from_iter([("symbol", symbol), ("origClientOrderId", id)])))
    }

    /// -2013 is “Order does not exist”.
    fn found(&self, meaning: &Meaning, _body: &[u8]) -> Found {
        by_meaning(meaning, &["-2013"])
    }

    fn guide(&self) -> &'static [&'static str] {
        self.guide
    }

    fn manage_url(&self) -> &'static str {
        "https://www.binance.com/en/my/settings/api-management"
    }
}

const SECRETS: &[SecretRule] = &[
    SecretRule { kind: SecretKind::Hmac, parts: TEXT },
    SecretRule { kind: SecretKind::PrivateKey, parts: PRIVATE_KEY },
];
const PRIVATE_KEY: &[SecretPart] = &[SecretPart::new("secret", SecretForm::Pem(&[KeyType::Ed25519, KeyType::Rsa]))];

/// Either of these names an existing order.
const ORDER_NAMES: &[&str] = &["orderId", "origClientOrderId"];
const ORDER_REFERENCE: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
];
const SYMBOL: &[Param] = &[Param::required("symbol", Grammar::Symbol)];
const ANY_SYMBOL: &[Param] = &[Param::optional("symbol", Grammar::Symbol)];

/// Order numbers are signed 64-bit integers.
const ORDER_ID: Grammar = Grammar::Integer { min: 1, max: i64::MAX.unsigned_abs() };
const SIDES: Grammar = Grammar::OneOf(&["BUY", "SELL"]);
const SELF_TRADE: Grammar = Grammar::OneOf(&["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]);
