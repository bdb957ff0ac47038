//! Binance: spot and USD-M futures, which share keys, signing, errors and the permission probe.
//!
//! Sources: `binance/binance-spot-api-docs`, `rest-api.md` and `errors.md` (2026-07-21); Binance's USD-M futures
//! documentation, *General Info*; Binance's wallet documentation, *Get API Key Permission*.

mod dialect;
mod errors;
mod order;
mod params;
mod permissions;
mod prices;
mod signing;
mod spot;
mod usdm;
mod weight;

pub use signing::{encoding, query, string_to_sign};
pub(crate) use spot::SPOT;
pub(crate) use usdm::USDM;

use data_encoding::HEXLOWER;

use crate::{
    budget::Budget,
    inbound::Dialect,
    lapse::Lapse,
    meaning::Meaning,
    operation::{HostRole, Operation},
    params::{Call, Params},
    permission::{Fault, KeyFacts},
    price::Pricing,
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

    /// Every request carries its own window.
    fn lapse(&self) -> Lapse {
        Lapse::Window
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
        weight::weight(call)
    }

    fn streams(&self) -> &'static [Stream] {
        STREAMS
    }

    /// A list has a name as a whole, and a conditional futures order has its own word for it.
    fn client_order_id(&self, operation: &Operation, digest: &[u8; 16]) -> Option<(&'static str, String)> {
        let names = ["newClientOrderId", "listClientOrderId", "clientAlgoId"];
        let name = names.into_iter().find(|name| operation.param(name).is_some())?;
        Some((name, ["clv", &HEXLOWER.encode(digest)].concat()))
    }

    fn lookup(&self, call: &Call<'_>) -> Option<(&'static str, Params)> {
        if let Some(id) = call.get("listClientOrderId") {
            return Some(("order_list.get", Params::from_iter([("origClientOrderId", id)])));
        }
        if let Some(id) = call.get("clientAlgoId") {
            return Some(("order.get_algo", Params::from_iter([("clientAlgoId", id)])));
        }
        let (symbol, id) = (call.get("symbol")?, call.get("newClientOrderId")?);
        Some(("order.get", Params::from_iter([("symbol", symbol), ("origClientOrderId", id)])))
    }

    /// -2013 is “Order does not exist”.
    fn found(&self, meaning: &Meaning, _body: &[u8]) -> Found {
        by_meaning(meaning, &["-2013"])
    }

    fn pricing(&self) -> &'static dyn Pricing {
        match self.product {
            Product::Spot | Product::Margin => &prices::Spot,
            Product::Derivatives => &prices::Usdm,
        }
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

/// None is signed. What a login would sign, `apiKey=...&timestamp=...`, binds neither method nor path: for an Ed25519
/// key it is `session.logon`, which opens trading, and for any key it is also the parameters of REST calls that need
/// none, of which the wallet has some that change the account.
const STREAMS: &[Stream] = &[Stream {
    name: "user-data",
    kinds: &[],
    reason: "Binance does not bind a login's signature to what it is for: the same bytes open a trading session or change \
             settings of the account",
    challenge: false,
}];
