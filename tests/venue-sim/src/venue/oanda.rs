//! OANDA v20.
//!
//! A key is a personal access token: `secret`, and the part `accounts` with the account ids that it reaches,
//! separated by commas. Orders, positions and balances are kept per token.
//!
//! Source: developer.oanda.com, v20 REST API: authentication, account, order, trade, position and pricing end
//! points. Stored copies, read 2026-11.

mod orders;
mod view;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::account::{Accounts, Key};
use crate::limits::{Limit, Scope};
use crate::market::{Symbol, symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::broker::{self, account_ids, bearer};
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

/// The account of a token that was registered without.
const ACCOUNT: &str = "101-001-1234567-001";

/// What can be traded.
const MARKET: &[Symbol] = &[
    symbol("EUR_USD", &[], "EUR", "USD", 110_000, 5),
    symbol("GBP_USD", &[], "GBP", "USD", 130_000, 5),
    symbol("USD_JPY", &[], "USD", "JPY", 150_000, 3),
];

/// OANDA.
#[derive(Debug)]
pub(crate) struct Oanda;

impl Venue for Oanda {
    fn id(&self) -> &'static str {
        "oanda"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Ok(Verifier::Shown(material.into())),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("oanda knows no public keys"),
        }
    }

    /// A token names nobody.
    fn claimed_key<'a>(&self, _received: &'a Received) -> &'a str {
        ""
    }

    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        broker::params(received)
    }

    /// A token that is unknown and an account that is not the token's are the same to OANDA.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let token = bearer(call.received);
        let Some(caller) = broker::search(accounts, self.id(), |_, key| key.verifier.is(token)) else {
            return Proof::unsigned(unauthorized());
        };
        let own = account_in(call.path).is_none_or(|id| account_ids(&caller.key, ACCOUNT).contains(&id));
        if own { Proof::of(caller) } else { Proof::signed_but(unauthorized()) }
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        broker::permits(key, call.operation.class)
    }

    /// There is none that needs no token.
    fn market(&self, call: &Call<'_>) -> Answer {
        self.refuse(Refusal::NoSuchOperation, call)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        act(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        match refusal {
            Refusal::NoSuchOperation => error(StatusCode::NOT_FOUND, "", "No such end point."),
            Refusal::Forbidden => error(StatusCode::FORBIDDEN, "", "This token may not do that."),
            Refusal::DeadKey => unauthorized(),
            Refusal::RateLimited | Refusal::Banned => {
                error(StatusCode::TOO_MANY_REQUESTS, "", "Too many requests.").with("retry-after", 1)
            }
            Refusal::Unavailable => error(StatusCode::SERVICE_UNAVAILABLE, "", "Come back later."),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        vec![Limit::per(Scope::Address, 1_000, 120)]
    }

    /// Every answer names the request.
    fn finish(&self, answer: Answer, call: &Call<'_>, _caller: Option<&Caller>) -> Answer {
        answer.with("requestid", u32::try_from(call.received.seq).unwrap_or(u32::MAX))
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Answer {
    let mut body = json!({ "errorMessage": message });
    if !code.is_empty() {
        broker::add(&mut body, "errorCode", code);
    }
    Answer::json(status, &body)
}

fn unauthorized() -> Answer {
    error(StatusCode::UNAUTHORIZED, "", "Insufficient authorization to perform request.")
}

/// The account that a path names.
fn account_in(path: &str) -> Option<&str> {
    path.strip_prefix("/v3/accounts/")?.split('/').next()
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let words: Vec<&str> = call.path.split('/').skip(3).collect();
    let account = &caller.account;
    match (call.received.method.as_str(), words.as_slice()) {
        ("GET", []) => Ok(accounts(caller)),
        ("GET", [id]) => Ok(account.with_book(|book| view::account(book, id, true))),
        ("GET", [id, "summary"]) => Ok(account.with_book(|book| view::account(book, id, false))),
        ("GET", [_, "instruments"]) => Ok(view::instruments()),
        ("GET", [_, "pricing"]) => view::pricing(call),
        ("GET", [_, list @ ("orders" | "pendingOrders")]) => Ok(orders::list(call, caller, *list == "orders")),
        ("POST", [_, "orders"]) => orders::place(call, caller),
        ("GET", [_, "orders", wanted]) => orders::show(caller, wanted),
        ("PUT", [_, "orders", wanted]) => orders::replace(call, caller, wanted),
        ("PUT", [_, "orders", wanted, "cancel"]) => orders::cancel(call, caller, wanted),
        ("GET", [_, "positions"]) => Ok(account.with_book(|book| view::positions(book, true))),
        ("GET", [_, "openPositions"]) => Ok(account.with_book(|book| view::positions(book, false))),
        ("GET", [_, "positions", name]) => account.with_book(|book| view::position(book, name)),
        ("PUT", [_, "positions", name, "close"]) => orders::close_position(call, caller, name),
        ("GET", [_, "trades" | "openTrades"]) => Ok(account.with_book(|book| view::trades(book))),
        ("PUT", [_, "trades", trade, "close"]) => orders::close_trade(call, caller, trade),
        _ => Ok(broker::unmodelled()),
    }
}

fn accounts(caller: &Caller) -> Answer {
    let list: Vec<Value> = account_ids(&caller.key, ACCOUNT).iter().map(|id| json!({ "id": id, "tags": [] })).collect();
    Answer::ok(&json!({ "accounts": list }))
}
