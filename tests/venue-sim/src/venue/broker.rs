//! What the brokers have in common: bearer tokens, JSON bodies, and keys without scopes.

use hyper::header::AUTHORIZATION;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::account::{Account, Accounts, Key};
use crate::book::{Draft, Fate, Side};
use crate::catalogue::Class;
use crate::market::Symbol;
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller};

/// The bearer token of a request, or empty.
pub(super) fn bearer(received: &Received) -> &str {
    received.header(AUTHORIZATION.as_str()).strip_prefix("Bearer ").unwrap_or_default()
}

/// The caller that `wanted` chooses.
pub(super) fn search(accounts: &Accounts, venue: &str, wanted: impl Fn(&Account, &Key) -> bool) -> Option<Caller> {
    accounts.search(venue, wanted).map(|(account, key)| Caller { account, key })
}

/// The caller whom a living token was given to.
pub(super) fn holder(accounts: &Accounts, venue: &str, call: &Call<'_>) -> Option<Caller> {
    let token = bearer(call.received);
    let at = call.received.at;
    search(accounts, venue, |account, _| account.with_sessions(|sessions| sessions.holds(token, at)))
}

/// The parameters of the query and of a JSON body.
pub(super) fn params(received: &Received) -> Params<'_> {
    Params::form(received.query().as_bytes()).or(Params::json(&received.body))
}

/// No broker here knows scopes; what a registration leaves out is refused nevertheless.
pub(super) fn permits(key: &Key, class: Class) -> bool {
    let has = &key.permissions;
    match class {
        Class::Market | Class::Login => true,
        Class::Read => has.read,
        Class::Trade => has.trade_spot || has.trade_margin || has.trade_derivatives,
        Class::Withdraw => has.withdraw,
        Class::Transfer => has.transfer,
        Class::KeyManagement => has.key_management,
        Class::Alarming | Class::Unknown => false,
    }
}

/// The accounts that a key reaches: its part `accounts`, separated by commas, or one of the venue's choice.
pub(super) fn account_ids<'a>(key: &'a Key, otherwise: &'a str) -> Vec<&'a str> {
    match key.part("accounts") {
        "" => vec![otherwise],
        listed => listed.split(',').collect(),
    }
}

/// Adds a member to a JSON object.
pub(super) fn add(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}

/// Authenticated, then not modelled.
pub(super) fn unmodelled() -> Answer {
    Answer::ok(&json!({})).with("x-sim-unmodelled", 1)
}

/// A decimal, whether it was sent as a number or as a text.
pub(super) fn decimal(params: &Params<'_>, name: &str) -> Option<Decimal> {
    let text = params.get(name)?;
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

/// An order of this call that rests, with nothing said of price, name and time.
pub(super) fn draft(call: &Call<'_>, symbol: &'static Symbol, side: Side, kind: &str, quantity: Decimal) -> Draft {
    Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: String::new(),
        price: None,
        quantity,
        client_order_id: None,
        reduce_only: false,
        on_margin: true,
        fate: Fate::Rest,
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&[]),
    }
}
