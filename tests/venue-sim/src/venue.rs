//! What a venue is to the simulator: one trait, one file per venue.

pub(crate) mod binance;
mod binance_protocol;
pub(crate) mod binance_usdm;
mod binance_weight;
pub(crate) mod bitmex;
mod broker;
pub(crate) mod bybit;
pub(crate) mod ibkr;
pub(crate) mod kraken;
pub(crate) mod kraken_futures;
pub(crate) mod mexc;
pub(crate) mod mexc_contract;
pub(crate) mod oanda;
pub(crate) mod okx;
mod order_uuid;
pub(crate) mod topstepx;
pub(crate) mod tradovate;

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;

use crate::account::{Account, Accounts, Key};
use crate::catalogue::Operation;
use crate::limits::{Excess, Limit, Scope};
use crate::market::{Prices, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::simulator::split_venue;
use crate::verifier::{KeyKind, Verifier};

/// A request as a venue sees it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) received: &'a Received,
    /// The venue's own path, without the simulator's prefix.
    pub(crate) path: &'a str,
    pub(crate) operation: Operation,
    pub(crate) params: Params<'a>,
    pub(crate) prices: &'a Prices,
}

impl Call<'_> {
    /// The same request with other parameters: one item of a batch.
    pub(crate) fn with<'b>(&'b self, params: Params<'b>) -> Call<'b> {
        Call { params, ..*self }
    }

    /// The symbol at the price that the public sees.
    pub(crate) fn shown(&self, symbol: &Symbol) -> Symbol {
        self.prices.shown(split_venue(self.received.uri.path()).0, symbol)
    }

    /// Method and path in one text, to match on.
    pub(crate) fn endpoint(&self) -> (&str, &str) {
        (self.received.method.as_str(), self.path)
    }

    /// The parameters but for `hidden` ones, as JSON text in the order sent.
    pub(crate) fn params_json(&self, hidden: &[&str]) -> Box<str> {
        let shown = self.params.iter().filter(|(name, _)| !hidden.contains(name));
        let mut text = Vec::with_capacity(256);
        let mut json = serde_json::Serializer::new(&mut text);
        // Writing text pairs into memory cannot fail.
        let _written = serde::Serializer::collect_map(&mut json, shown);
        String::from_utf8(text).unwrap_or_default().into_boxed_str()
    }
}

/// What a venue found when it checked who is calling.
#[derive(Debug)]
pub(crate) struct Proof {
    /// Whether the bytes bear the signature of a key known here, whatever else was wrong with them.
    pub(crate) signature_ok: bool,
    /// The caller, or the venue's refusal.
    pub(crate) caller: Result<Caller, Answer>,
}

/// Who is calling.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account: Arc<Account>,
    pub(crate) key: Arc<Key>,
}

impl Proof {
    /// The venue refuses before, or because, the signature did not hold.
    pub(crate) const fn unsigned(refusal: Answer) -> Self {
        Self { signature_ok: false, caller: Err(refusal) }
    }

    /// The signature holds, but the venue refuses for another reason.
    pub(crate) const fn signed_but(refusal: Answer) -> Self {
        Self { signature_ok: true, caller: Err(refusal) }
    }

    /// All is well.
    pub(crate) const fn of(caller: Caller) -> Self {
        Self { signature_ok: true, caller: Ok(caller) }
    }
}

/// Why a request is refused without the venue's own rules being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such operation.
    NoSuchOperation,
    /// The key lacks a permission.
    Forbidden,
    /// Fault: too many requests.
    RateLimited,
    /// Fault: the address is banned.
    Banned,
    /// Fault: the venue is ill.
    Unavailable,
    /// Fault: the key is no longer accepted.
    DeadKey,
}

/// What goes back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer with a JSON body.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status,
            headers: Vec::new(),
            // The bodies are plain trees of texts and numbers, which cannot fail to be written.
            body: serde_json::to_vec(body).unwrap_or_default(),
        }
    }

    /// Status 200 with a JSON body.
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: u32) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// A venue's protocol. A new venue is a file with this trait, a line in `Simulator::new`, and its entries and
/// vectors in `data/`.
///
/// Nothing here is shared with the code under test: each venue reads the wire by its own rules, so that a
/// request which only our own code understands is refused.
pub(crate) trait Venue: Send + Sync {
    /// The path prefix, and the id that keys are registered under.
    fn id(&self) -> &'static str;

    /// Prepares a key, or says what is wrong with its material.
    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str>;

    /// The key id that a request claims.
    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str;

    /// Reads the parameters.
    fn params<'a>(&self, received: &'a Received) -> Params<'a>;

    /// Checks who is calling.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof;

    /// Whether the key's permissions cover the operation.
    fn permits(&self, key: &Key, call: &Call<'_>) -> bool;

    /// The symbol that goes by `name`, if its price is public.
    fn public_symbol(&self, _name: &str) -> Option<&'static Symbol> {
        None
    }

    /// Answers a public operation.
    fn market(&self, call: &Call<'_>) -> Answer;

    /// Answers an operation of an authenticated and permitted caller.
    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer;

    /// Says no in the venue's own words.
    fn refuse(&self, refusal: Refusal, call: &Call<'_>) -> Answer;

    /// What the venue's documentation says of its rates; see [`crate::limits`].
    fn limits(&self) -> Vec<Limit> {
        Vec::new()
    }

    /// What a call takes from the budgets of a scope; zero if they do not concern it.
    fn cost(&self, scope: Scope, _call: &Call<'_>) -> u32 {
        u32::from(scope != Scope::Orders)
    }

    /// Says that a budget is used up, in the venue's own words.
    fn over_limit(&self, excess: Excess, call: &Call<'_>) -> Answer {
        self.refuse(if excess.banned { Refusal::Banned } else { Refusal::RateLimited }, call)
    }

    /// Adds what the venue puts on every answer.
    fn finish(&self, answer: Answer, _call: &Call<'_>, _caller: Option<&Caller>) -> Answer {
        answer
    }
}
