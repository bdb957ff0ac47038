//! Kraken spot.
//!
//! Source: docs.kraken.com, Spot REST authentication guide and API reference. Stored copies, read 2026-11.

mod order;
mod permission;
mod private;
mod public;
mod txid;
mod view;

use aws_lc_rs::digest::{self, SHA256};
use data_encoding::BASE64;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::account::{Accounts, Key};
use crate::limits::{Excess, Limit, Scope};
use crate::market::{self, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PRIVATE: &str = "/0/private/";
/// Orders that one batch may hold; the counter takes a batch for full.
const BATCH_MAX: u32 = 15;

/// Kraken spot.
#[derive(Debug)]
pub(crate) struct Kraken;

impl Venue for Kraken {
    fn id(&self) -> &'static str {
        "kraken"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Verifier::hmac_sha512_base64(material).ok_or("secret is not base64"),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("kraken knows no public keys"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header("api-key")
    }

    /// Public calls use the query, private ones the body, whose content type says whether it is a form or JSON.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        if received.method == Method::GET {
            Params::form(received.query().as_bytes())
        } else if received.header(CONTENT_TYPE.as_str()).starts_with("application/json") {
            Params::json(&received.body)
        } else {
            Params::form(&received.body)
        }
    }

    /// Checks key, signature and nonce, in this order; only a signed nonce is used up.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let key_id = call.received.header("api-key");
        let Some((account, key)) = accounts.alive(self.id(), key_id) else {
            return Proof::unsigned(error("EAPI:Invalid key"));
        };
        let nonce = call.params.get("nonce").unwrap_or_default();
        let accepted = BASE64.decode(call.received.header("api-sign").as_bytes()).is_ok_and(|signature| {
            key.verifier.accepts(&signed_bytes(call.path, nonce, &call.received.body), &signature)
        });
        if !accepted {
            return Proof::unsigned(error("EAPI:Invalid signature"));
        }
        match nonce.parse() {
            Ok(nonce) if account.advance_nonce(nonce) => Proof::of(Caller { account, key }),
            _ => Proof::signed_but(error("EAPI:Invalid nonce")),
        }
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        let method = call.path.strip_prefix(PRIVATE).unwrap_or_default();
        permission::suffice(key, method)
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        market::find(market::KRAKEN, name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        public::answer(call).unwrap_or_else(|refused| refused)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return result(&json!({ "refid": "FTQcuak-V6Za8qrWnhzTx67yYHz8Tg" }));
        }
        private::answer(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        let with_status = |status, text| Answer { status, ..error(text) };
        match refusal {
            Refusal::NoSuchOperation => error("EGeneral:Unknown method"),
            Refusal::Forbidden => error("EGeneral:Permission denied"),
            Refusal::DeadKey => error("EAPI:Invalid key"),
            Refusal::RateLimited => with_status(StatusCode::TOO_MANY_REQUESTS, "EAPI:Rate limit exceeded"),
            Refusal::Banned => with_status(StatusCode::IM_A_TEAPOT, "EGeneral:Temporary lockout"),
            Refusal::Unavailable => with_status(StatusCode::SERVICE_UNAVAILABLE, "EService:Unavailable"),
        }
    }

    /// The call counter and the counter of orders of a verified account; Kraken sends no rate headers.
    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Key, 40_000, 20).path(PRIVATE).decaying(),
            Limit::per(Scope::Orders, 53_400, 125).path(PRIVATE).decaying(),
        ]
    }

    /// Orders and cancellations are the trading engine's and do not move the call counter.
    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        let (calls, orders) = match call.path.strip_prefix(PRIVATE).unwrap_or_default() {
            "AddOrder" | "AmendOrder" | "EditOrder" => (0, 1),
            "AddOrderBatch" => (0, BATCH_MAX),
            "CancelOrder" | "CancelOrderBatch" | "CancelAll" | "CancelAllOrdersAfter" => (0, 0),
            "Ledgers" | "QueryLedgers" | "TradesHistory" | "ClosedOrders" => (2, 0),
            _ => (1, 0),
        };
        if scope == Scope::Orders { orders } else { calls }
    }

    fn over_limit(&self, excess: Excess, _call: &Call<'_>) -> Answer {
        match (excess.scope, excess.banned) {
            (_, true) => error("EGeneral:Temporary lockout"),
            (Scope::Orders, false) => error("EOrder:Rate limit exceeded"),
            (Scope::Address | Scope::Key | Scope::Endpoint, false) => error("EAPI:Rate limit exceeded"),
        }
    }
}

fn error(text: &str) -> Answer {
    Answer::ok(&json!({ "error": [text] }))
}

fn invalid(name: &str) -> Answer {
    error(&format!("EGeneral:Invalid arguments:{name}"))
}

fn result(result: &Value) -> Answer {
    Answer::ok(&json!({ "error": [], "result": result }))
}

/// Path, then the digest of the nonce's text and the whole body.
fn signed_bytes(path: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut hashed = digest::Context::new(&SHA256);
    hashed.update(nonce.as_bytes());
    hashed.update(body);
    [path.as_bytes(), hashed.finish().as_ref()].concat()
}

/// An operation that the catalogue allows and the simulator has no model of: said openly, in a header.
fn unmodelled() -> Answer {
    result(&json!({})).with("x-sim-unmodelled", 1)
}
