//! Binance: spot and USD-M futures, which share keys, signing, errors and the permission probe.
//!
//! Sources: `binance/binance-spot-api-docs`, `rest-api.md` and `errors.md` (2026-07-21); Binance's USD-M futures
//! documentation, *General Info*; Binance's wallet documentation, *Get API Key Permission*.

mod errors;
mod order;
mod permissions;
mod signing;
mod spot;
mod usdm;

pub use signing::{encoding, query, string_to_sign};
pub(crate) use spot::Spot;
pub(crate) use usdm::UsdM;

use crate::{
    grammar::Grammar,
    operation::Param,
    secret::{SecretForm, SecretKind, SecretRule, is_key_id},
    signing::Scheme,
};

/// The spot host, which also answers for the keys of both markets.
const SPOT_HOST: &str = "https://api.binance.com";
const FUTURES_HOST: &str = "https://fapi.binance.com";
const MANAGE_URL: &str = "https://www.binance.com/en/my/settings/api-management";

const SECRETS: &[SecretRule] = &[
    SecretRule { kind: SecretKind::Hmac, form: SecretForm::Text, scheme: Scheme::HmacSha256 },
    SecretRule { kind: SecretKind::PrivateKey, form: SecretForm::Ed25519Pem, scheme: Scheme::Ed25519 },
];

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

/// Key ids are 64 letters and digits; the length is left to Binance.
fn key_id_ok(key_id: &str) -> bool {
    is_key_id(key_id, b"")
}
