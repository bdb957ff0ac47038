//! `TopstepX`, the `ProjectX` gateway.
//!
//! A key is a login: `key_id` is the user's name and `secret` the API key; the part `accounts` has the numbers of
//! the user's accounts, separated by commas. Orders and positions are kept per login.
//!
//! Source: gateway.docs.projectx.com. Stored copies, read 2026-11.

mod orders;
mod view;

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::account::{Accounts, Key};
use crate::clock::Moment;
use crate::limits::{Limit, Scope};
use crate::market::{Symbol, symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::session::random_text;
use crate::venue::broker::{self, add, bearer};
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

/// The account of a login that was registered without.
const ACCOUNT: &str = "465";

const LOGIN: &str = "/api/Auth/loginKey";
const VALIDATION: &str = "/api/Auth/validate";
const BARS: &str = "/api/History/retrieveBars";
const TOKEN_LIFE: Duration = Duration::from_hours(24);
/// The documentation names no bound; this one keeps a careless client from filling the memory.
const SESSIONS_MAX: usize = 16;

/// What can be traded; the other name is the one to search by.
const MARKET: &[Symbol] = &[
    symbol("CON.F.US.MNQ.Z26", &["MNQZ6"], "MNQ", "USD", 2_500_000, 2),
    symbol("CON.F.US.MES.Z26", &["MESZ6"], "MES", "USD", 680_000, 2),
    symbol("CON.F.US.EP.Z26", &["ESZ6"], "ES", "USD", 680_000, 2),
];

/// `TopstepX`.
#[derive(Debug)]
pub(crate) struct TopstepX;

impl Venue for TopstepX {
    fn id(&self) -> &'static str {
        "topstepx"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Ok(Verifier::Shown(material.into())),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("topstepx knows no public keys"),
        }
    }

    /// A token names nobody, as far as the venue trusts it.
    fn claimed_key<'a>(&self, _received: &'a Received) -> &'a str {
        ""
    }

    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        Params::json(&received.body)
    }

    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        if call.path == LOGIN {
            let (name, shown) = (call.params.get("userName"), call.params.get("apiKey"));
            return accounts
                .alive(self.id(), name.unwrap_or_default())
                .filter(|(_, key)| key.verifier.is(shown.unwrap_or_default()))
                .map_or_else(
                    || Proof::unsigned(failure(3, json!({ "token": null }))),
                    |(account, key)| Proof::of(Caller { account, key }),
                );
        }
        broker::holder(accounts, self.id(), call).map_or_else(|| Proof::unsigned(empty(401)), Proof::of)
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        broker::permits(key, call.operation.class)
    }

    fn market(&self, _call: &Call<'_>) -> Answer {
        Answer::ok(&json!("pong"))
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        match call.path {
            LOGIN | VALIDATION => hand_out_token(call, caller),
            _ => act(call, caller).unwrap_or_else(|failure| failure),
        }
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        empty(match refusal {
            Refusal::NoSuchOperation => 404,
            Refusal::Forbidden => 403,
            Refusal::DeadKey => 401,
            Refusal::RateLimited | Refusal::Banned => 429,
            Refusal::Unavailable => 503,
        })
    }

    fn limits(&self) -> Vec<Limit> {
        vec![Limit::per(Scope::Key, 60_000, 200), Limit::per(Scope::Key, 30_000, 50).path(BARS)]
    }
}

/// An answer that says it all with its status.
fn empty(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer { status, headers: Vec::new(), body: Vec::new() }
}

/// Status 200 with the three members that every answer ends with.
fn success(mut body: Value) -> Answer {
    add(&mut body, "success", true);
    add(&mut body, "errorCode", 0);
    add(&mut body, "errorMessage", Value::Null);
    Answer::ok(&body)
}

/// A failure, which is status 200 too; each operation numbers its own.
fn failure(code: u8, mut body: Value) -> Answer {
    add(&mut body, "success", false);
    add(&mut body, "errorCode", code);
    add(&mut body, "errorMessage", Value::Null);
    Answer::ok(&body)
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    match call.path {
        "/api/Account/search" => Ok(view::accounts(caller)),
        "/api/Contract/search" | "/api/Contract/searchById" | "/api/Contract/available" => Ok(view::contracts(call)),
        "/api/Order/place" => orders::place(call, caller),
        "/api/Order/modify" => orders::modify(call, caller),
        "/api/Order/cancel" => orders::cancel(call, caller),
        "/api/Order/search" => view::orders(call, caller, false),
        "/api/Order/searchOpen" => view::orders(call, caller, true),
        "/api/Position/searchOpen" => view::positions(call, caller),
        "/api/Position/closeContract" | "/api/Position/partialCloseContract" => orders::close(call, caller),
        "/api/Trade/search" => view::trades(call, caller),
        _ => Ok(broker::unmodelled()),
    }
}

/// A login opens a session; a validation gives a newer token of it, and the old one lives on to its own end.
fn hand_out_token(call: &Call<'_>, caller: &Caller) -> Answer {
    let account = &caller.account;
    let expires = call.received.at.after(caller.key.token_life.unwrap_or(TOKEN_LIFE));
    let token = jwt(&account.key_id, expires);
    account.with_sessions(|sessions| {
        if call.path == LOGIN {
            sessions.open(token.clone(), expires, SESSIONS_MAX);
            success(json!({ "token": token }))
        } else {
            sessions.renew(bearer(call.received), token.clone(), expires);
            success(json!({ "newToken": token }))
        }
    })
}

/// A token that names the user, as the venue's own do. It is recognised as a whole, so what stands for its signature
/// is random.
fn jwt(user: &str, expires: Moment) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let head = part(&json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = part(&json!({ "unique_name": user, "exp": expires.secs(), "jti": random_text(12) }));
    format!("{head}.{claims}.{}", random_text(32))
}
