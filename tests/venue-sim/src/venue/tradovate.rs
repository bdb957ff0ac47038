//! Tradovate.
//!
//! A key is a login: `key_id` is the user's name and `secret` the password. The parts `cid`, `sec`, `appId`,
//! `appVersion` and `deviceId` are compared with the login's members where they were registered; `accounts` are the
//! numbers of the user's accounts, and `p-time` is how many seconds a penalty lasts. Orders and positions are kept per
//! login.
//!
//! Source: Tradovate REST API and partner documentation. Stored copies, read 2026-11.

mod entities;
mod orders;

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use crate::account::{Account, Accounts, Key};
use crate::limits::{Limit, Scope};
use crate::market::{Symbol, symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::session::random_text;
use crate::venue::broker::{self, bearer};
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

/// The account of a login that was registered without.
const ACCOUNT: &str = "1234567";
const USER_ID: u32 = 15_001;

const LOGIN: &str = "/v1/auth/accesstokenrequest";
const RENEWAL: &str = "/v1/auth/renewaccesstoken";
const TOKEN_LIFE: Duration = Duration::from_mins(80);
const SESSIONS_MAX: usize = 2;
const PENALTY_S: u64 = 15;
/// Parts that a login must repeat.
const COMPARED: [&str; 5] = ["cid", "sec", "appId", "appVersion", "deviceId"];
/// Members that no login may lack.
const MANDATORY: [&str; 4] = ["name", "password", "appId", "deviceId"];

/// What can be traded; the other name is the contract's id.
const MARKET: &[Symbol] = &[
    symbol("MNQZ6", &["3570919"], "MNQ", "USD", 2_500_000, 2),
    symbol("MESZ6", &["3570920"], "MES", "USD", 680_000, 2),
    symbol("ESZ6", &["3570921"], "ES", "USD", 680_000, 2),
];

/// Tradovate.
#[derive(Debug)]
pub(crate) struct Tradovate;

impl Venue for Tradovate {
    fn id(&self) -> &'static str {
        "tradovate"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Ok(Verifier::Shown(material.into())),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("tradovate knows no public keys"),
        }
    }

    /// A token names nobody.
    fn claimed_key<'a>(&self, _received: &'a Received) -> &'a str {
        ""
    }

    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        broker::params(received)
    }

    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        if call.path == LOGIN {
            return log_in(accounts, call).map_or_else(Proof::unsigned, Proof::of);
        }
        broker::holder(accounts, self.id(), call).map_or_else(|| Proof::unsigned(denied()), Proof::of)
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        broker::permits(key, call.operation.class)
    }

    /// There is none that needs no token.
    fn market(&self, call: &Call<'_>) -> Answer {
        self.refuse(Refusal::NoSuchOperation, call)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        match call.path {
            LOGIN | RENEWAL => hand_out_token(call, caller),
            "/v1/auth/me" => Answer::ok(&json!({
                "userId": USER_ID, "name": caller.account.key_id, "fullName": "Simulated", "emailVerified": true,
            })),
            path => {
                let answer = match path.strip_prefix("/v1/order/") {
                    Some("placeorder") => orders::place(call, caller),
                    Some("modifyorder") => orders::modify(call, caller),
                    Some("cancelorder") => orders::cancel(call, caller),
                    Some("liquidateposition") => orders::liquidate(call, caller),
                    _ => Ok(entities::show(call, caller)),
                };
                answer.unwrap_or_else(|failure| failure)
            }
        }
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        match refusal {
            Refusal::NoSuchOperation => Answer::json(StatusCode::NOT_FOUND, &json!({ "errorText": "Not found" })),
            Refusal::Forbidden => Answer::json(StatusCode::FORBIDDEN, &json!({ "errorText": "Access is denied" })),
            Refusal::DeadKey => denied(),
            Refusal::RateLimited | Refusal::Banned => plain(StatusCode::TOO_MANY_REQUESTS, ""),
            Refusal::Unavailable => plain(StatusCode::SERVICE_UNAVAILABLE, ""),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Address, 60_000, 10).path(LOGIN),
            Limit::per(Scope::Key, 60_000, 5_000),
            Limit::per(Scope::Key, 3_600_000, 5_000),
        ]
    }
}

fn plain(status: StatusCode, text: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: text.into() }
}

fn denied() -> Answer {
    plain(StatusCode::UNAUTHORIZED, "Access is denied")
}

/// Compares what a login shows with what was registered; a failed one is status 200.
fn log_in(accounts: &Accounts, call: &Call<'_>) -> Result<Caller, Answer> {
    let (params, at) = (&call.params, call.received.at);
    let wrong = || Answer::ok(&json!({ "errorText": "Incorrect username or password." }));
    if let Some(missing) = MANDATORY.into_iter().find(|name| params.get(name).is_none()) {
        return Err(Answer::ok(&json!({ "errorText": format!("{missing} is missing") })));
    }
    let name = params.get("name").unwrap_or_default();
    let (account, key) = accounts.alive("tradovate", name).ok_or_else(wrong)?;
    let shown = params.get("p-ticket");
    account.with_sessions(|sessions| match sessions.penalty.owed(shown, at) {
        Some((ticket, wait_s)) => Err(penalty(ticket, wait_s)),
        None if proves(&key, params) => {
            sessions.penalty.forgive();
            Ok(())
        }
        None => {
            let penalty_s = key.part("p-time").parse().unwrap_or(PENALTY_S);
            sessions.penalty.count(at.after(Duration::from_secs(penalty_s)));
            Err(sessions.penalty.owed(None, at).map_or_else(wrong, |(ticket, wait_s)| penalty(ticket, wait_s)))
        }
    })?;
    Ok(Caller { account, key })
}

fn proves(key: &Key, params: &Params<'_>) -> bool {
    let same = |name: &&str| key.part(name).is_empty() || params.get(name) == Some(key.part(name));
    key.verifier.is(params.get("password").unwrap_or_default()) && COMPARED.iter().all(same)
}

fn penalty(ticket: &str, wait_s: u64) -> Answer {
    Answer::ok(&json!({ "p-ticket": ticket, "p-time": wait_s, "p-captcha": false }))
}

/// A login opens a session, a renewal stays in the one of the token that it was made with.
fn hand_out_token(call: &Call<'_>, caller: &Caller) -> Answer {
    let account: &Account = &caller.account;
    let expires = call.received.at.after(caller.key.token_life.unwrap_or(TOKEN_LIFE));
    let token = random_text(48);
    account.with_sessions(|sessions| {
        if call.path == LOGIN {
            sessions.open(token.clone(), expires, SESSIONS_MAX);
        } else {
            sessions.renew(bearer(call.received), token.clone(), expires);
        }
    });
    Answer::ok(&json!({
        "accessToken": token, "mdAccessToken": random_text(48), "expirationTime": expires.rfc3339(),
        "userId": USER_ID, "name": account.key_id, "userStatus": "Active", "hasLive": false, "outdatedTaC": false,
    }))
}
