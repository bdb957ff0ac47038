//! Interactive Brokers' Web API with OAuth 1.0a.
//!
//! A key is what its owner set up in the broker's portal: `key_id` is the consumer key, `public_key` (kind `rsa`) the
//! signature key, and the parts are `access_token`, `access_token_secret` (hex of what it is once decrypted),
//! `dh_prime` (hex; the generator is 2) and `accounts`, separated by commas. Orders and positions are kept per key.
//!
//! Source: IBKR Web API documentation, OAuth 1.0a extended; observed behaviour of ibind. Stored copies, read 2026-11.

mod oauth;
mod orders;
mod session_token;
mod view;

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use self::oauth::Authorization;
use crate::account::{Accounts, Key};
use crate::limits::{Limit, Scope};
use crate::market::{Symbol, symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::session::{Sessions, random_text};
use crate::venue::broker::{self, account_ids};
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

/// The account of a key that was registered without.
const ACCOUNT: &str = "U1234567";

const ROOT: &str = "/v1/api";
const SESSION_TOKEN: &str = "/v1/api/oauth/live_session_token";
const TOKEN_LIFE: Duration = Duration::from_hours(24);
const TOKENS_MAX: usize = 4;
/// How far a client's clock may be off.
const CLOCK_SKEW_S: u64 = 300;

/// What can be traded; the other name is the contract's id.
const MARKET: &[Symbol] = &[
    symbol("AAPL", &["265598"], "AAPL", "USD", 23_000, 2),
    symbol("MSFT", &["272093"], "MSFT", "USD", 42_000, 2),
    symbol("SPY", &["756733"], "SPY", "USD", 60_000, 2),
];

/// Interactive Brokers.
#[derive(Debug)]
pub(crate) struct Ibkr;

impl Venue for Ibkr {
    fn id(&self) -> &'static str {
        "ibkr"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Rsa => Verifier::public(kind, material).ok_or("public_key is no RSA key"),
            KeyKind::Hmac | KeyKind::Ed25519 => Err("ibkr wants the RSA signature key"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        oauth::consumer_key(received)
    }

    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        broker::params(received)
    }

    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let Some(sent) = Authorization::read(call.received) else {
            return Proof::unsigned(unauthorized("no OAuth header"));
        };
        let Some((account, key)) = accounts.alive(self.id(), sent.get("oauth_consumer_key")) else {
            return Proof::unsigned(unauthorized("invalid consumer"));
        };
        if sent.get("oauth_token").is_empty() || sent.get("oauth_token") != key.part("access_token") {
            return Proof::unsigned(unauthorized("invalid token"));
        }
        let at = call.received.at;
        let signed = if call.path == SESSION_TOKEN {
            sent.is_signed_by_owner(call.received, &key)
        } else {
            account.with_sessions(|sessions| sessions.living(at).any(|token| sent.is_signed_with(call.received, token)))
        };
        if !signed {
            return Proof::unsigned(unauthorized("invalid signature"));
        }
        let oldest_s = at.secs().saturating_sub(CLOCK_SKEW_S);
        let fresh = sent.timestamp_s().filter(|signed_s| {
            (oldest_s..=at.secs().saturating_add(CLOCK_SKEW_S)).contains(signed_s)
                && account.with_sessions(|sessions| sessions.take_nonce(sent.get("oauth_nonce"), *signed_s, oldest_s))
        });
        match fresh {
            Some(_) => Proof::of(Caller { account, key }),
            None => Proof::signed_but(unauthorized("timestamp or nonce refused")),
        }
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        broker::permits(key, call.operation.class)
    }

    /// There is none that needs no session.
    fn market(&self, call: &Call<'_>) -> Answer {
        self.refuse(Refusal::NoSuchOperation, call)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.path == SESSION_TOKEN {
            return agree_on_token(call, caller);
        }
        act(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        match refusal {
            Refusal::NoSuchOperation => error(StatusCode::NOT_FOUND, "Resource not found"),
            Refusal::Forbidden => error(StatusCode::FORBIDDEN, "Access denied"),
            Refusal::DeadKey => unauthorized("invalid consumer"),
            Refusal::RateLimited | Refusal::Banned => error(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Refusal::Unavailable => error(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let paced = |window_ms, path: &str| Limit::per(Scope::Endpoint, window_ms, 1).path(path);
        vec![
            Limit::per(Scope::Key, 1_000, 10),
            paced(1_000, "/v1/api/tickle"),
            paced(5_000, "/v1/api/iserver/account/orders"),
            paced(5_000, "/v1/api/iserver/account/trades"),
            paced(5_000, "/v1/api/portfolio/accounts"),
        ]
    }
}

fn error(status: StatusCode, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": text, "statusCode": status.as_u16() }))
}

fn unauthorized(text: &str) -> Answer {
    error(StatusCode::UNAUTHORIZED, text)
}

fn bad_request(text: &str) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, &json!({ "error": text }))
}

/// Ends the key agreement; what both sides then share signs the calls until it expires.
fn agree_on_token(call: &Call<'_>, caller: &Caller) -> Answer {
    let key = &caller.key;
    let challenge = Authorization::read(call.received).map(|sent| sent.get("diffie_hellman_challenge").to_owned());
    let agreed = session_token::agree(
        &challenge.unwrap_or_default(),
        key.part("dh_prime"),
        key.part("access_token_secret"),
        &caller.account.key_id,
    );
    let Some(agreed) = agreed else {
        return bad_request("invalid Diffie-Hellman challenge");
    };
    let expires = call.received.at.after(key.token_life.unwrap_or(TOKEN_LIFE));
    caller.account.with_sessions(|sessions| sessions.open(agreed.token, expires, TOKENS_MAX));
    Answer::ok(&json!({
        "diffie_hellman_response": agreed.response,
        "live_session_token_signature": agreed.signature,
        "live_session_token_expiration": expires.ms(),
    }))
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let words: Vec<&str> = call.path.strip_prefix(ROOT).unwrap_or_default().split('/').skip(1).collect();
    let method = call.received.method.as_str();
    if words.first() == Some(&"iserver") && words.get(1) != Some(&"auth") {
        needs_bridge(&words, caller)?;
    }
    match (method, words.as_slice()) {
        ("POST", ["iserver", "auth", "ssodh", "init"]) => Ok(open_bridge(call, caller)),
        (_, ["tickle"]) => Ok(tickle(caller)),
        ("GET", ["iserver", "accounts"]) => Ok(view::brokerage_accounts(caller)),
        ("GET", ["iserver", "marketdata", "snapshot"]) => view::snapshot(call),
        ("GET", ["iserver", "account", "orders"]) => Ok(view::orders(caller)),
        ("GET", ["iserver", "account", "trades"]) => Ok(view::trades(caller)),
        ("GET", ["iserver", "account", "order", "status", id]) => view::status(caller, id),
        ("POST", ["iserver", "account", account, "orders"]) => own(caller, account, || orders::place(call, caller)),
        ("POST", ["iserver", "account", account, "orders", "whatif"]) => own(caller, account, || orders::preview(call)),
        ("POST", ["iserver", "account", account, "order", id]) => {
            own(caller, account, || orders::modify(call, caller, id))
        }
        ("DELETE", ["iserver", "account", account, "order", id]) => {
            own(caller, account, || orders::cancel(call, caller, id))
        }
        ("POST", ["iserver", "reply", id]) => orders::reply(call, caller, id),
        ("GET", ["portfolio", "accounts" | "subaccounts"]) => Ok(view::accounts(caller)),
        ("GET", ["portfolio", account, "summary"] | ["iserver", "account", account, "summary"]) => {
            own(caller, account, || Ok(view::summary()))
        }
        ("GET", ["portfolio", account, "ledger"]) => own(caller, account, || Ok(view::ledger(account))),
        ("GET", ["portfolio", account, "positions", page]) => {
            own(caller, account, || Ok(view::positions(caller, account, *page == "0")))
        }
        ("GET", ["portfolio2", account, "positions"]) => {
            own(caller, account, || Ok(view::positions(caller, account, true)))
        }
        _ => Ok(broker::unmodelled()),
    }
}

/// Everything about trading goes over the brokerage session, and most of it after the accounts were asked for.
fn needs_bridge(words: &[&str], caller: &Caller) -> Result<(), Answer> {
    let early =
        matches!(words, ["iserver", "accounts" | "contract" | "secdef" | "scanner" | "exchangerate" | "currency", ..]);
    caller.account.with_sessions(|sessions| {
        let brokerage = &mut sessions.brokerage;
        if !brokerage.open {
            return Err(bad_request("no bridge"));
        }
        if words == ["iserver", "accounts"] {
            brokerage.accounts_seen = true;
        }
        if early || brokerage.accounts_seen { Ok(()) } else { Err(bad_request("Please query /accounts first")) }
    })
}

fn open_bridge(call: &Call<'_>, caller: &Caller) -> Answer {
    if !call.params.flag("publish") {
        return bad_request("publish is missing");
    }
    caller.account.with_sessions(|sessions| sessions.brokerage.open = true);
    Answer::ok(&status(true))
}

fn tickle(caller: &Caller) -> Answer {
    let open = caller.account.with_sessions(|sessions: &mut Sessions| sessions.brokerage.open);
    Answer::ok(&json!({
        "session": random_text(16), "ssoExpires": 600_000, "collission": false, "userId": 1,
        "iserver": { "authStatus": status(open) },
    }))
}

fn status(open: bool) -> serde_json::Value {
    json!({ "authenticated": open, "competing": false, "connected": open, "message": "", "established": open })
}

/// Does `work` if the account is the key's own.
fn own(caller: &Caller, account: &str, work: impl FnOnce() -> Result<Answer, Answer>) -> Result<Answer, Answer> {
    if account_ids(&caller.key, ACCOUNT).contains(&account) {
        work()
    } else {
        Err(error(StatusCode::FORBIDDEN, "Access denied"))
    }
}
