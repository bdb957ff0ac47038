//! What is asked of each venue. A venue is one entry.

mod brokers;
mod exchanges;

use anyhow::{Context as _, Result};
use claviger_e2e::{Ask, Reply};
use claviger_venues::{Operation, VenueId};
use serde_json::{Value, json};

pub(super) use brokers::BROKERS;
pub(super) use exchanges::SCENES;

/// A call without the parameters that a test adds.
type Plain = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// A venue, as its clients use it.
pub(super) struct Scene {
    /// Its id.
    pub(super) venue: &'static str,
    /// A limit order that rests.
    place: Plain,
    /// What an order is named with, when it is placed and when it is cancelled; empty where its name stands in the path.
    names: [&'static str; 2],
    /// The JSON pointer of the venue's own name for an order in the answer to it, where that is what cancels; else empty.
    id_at: &'static str,
    /// Cancels an order; `{}` in the path is its name.
    cancel: Plain,
    /// Lists open orders.
    open: Plain,
    /// Reads balances.
    balances: Plain,
    /// What moves money or keys.
    pub(super) denied: &'static [Plain],
    /// What an order says, and what an attacker would rather have it say.
    pub(super) rather: &'static [(&'static str, &'static str)],
    /// What the order trades.
    pub(super) symbol: &'static str,
    /// The JSON pointer of the venue's code.
    pub(super) code_at: &'static str,
    /// Status and code, in JSON, in the order of [`Says`].
    codes: [(u16, &'static str); 6],
    /// Codes that say that all is well.
    well: &'static str,
}

/// Why a client is refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    UnknownKey,
    BadSignature,
    Stale,
    Replayed,
    Denied,
    Malformed,
}

impl Scene {
    pub(super) fn of(venue: &str) -> &'static Self {
        Self::all().find(|scene| scene.venue == venue).expect("a scene")
    }

    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        SCENES.iter().chain(BROKERS)
    }

    /// Whether a client shows a token and signs nothing.
    pub(super) fn shows_token(&self) -> bool {
        BROKERS.iter().any(|scene| scene.venue == self.venue)
    }

    pub(super) fn place(&self, name: &str) -> Ask {
        ask(self.place).with(self.names[0], name)
    }

    pub(super) fn cancel(&self, name: &str) -> Ask {
        let (method, path, params) = self.cancel;
        let cancel = Ask::new(method, &path.replace("{}", name), params);
        if path.contains("{}") { cancel } else { cancel.with(self.names[1], name) }
    }

    /// What cancels an order that was placed under a name.
    pub(super) fn handle(&self, placed: &Reply, name: &str) -> Result<String> {
        if self.id_at.is_empty() {
            return Ok(name.to_owned());
        }
        let id = placed.json().pointer(self.id_at).cloned().with_context(|| format!("no order: {}", placed.text()))?;
        Ok(id.as_str().map_or_else(|| id.to_string(), str::to_owned))
    }

    /// A name that an order could have when it is cancelled.
    pub(super) fn any_handle<'a>(&self, name: &'a str) -> &'a str {
        if self.id_at.is_empty() { name } else { "7" }
    }

    /// Calls that a client may make here, and the venue's probe, which shares its path with a call that is denied; what
    /// else the catalogue has is not asked for.
    pub(super) fn is_honest(&self, method: &str, path: &str) -> bool {
        let venue = VenueId::ALL.iter().find(|venue| venue.as_str() == self.venue);
        let catalogue = venue.map(|venue| claviger_venues::catalogue(*venue)).unwrap_or_default();
        let probes = |operation: &Operation| {
            operation.is_probe() && operation.method.as_str() == method && operation.path == path
        };
        let calls = [self.place, self.cancel, self.open, self.balances];
        catalogue.iter().any(probes)
            || calls.iter().any(|(_, wanted, _)| {
                wanted.split('/').count() == path.split('/').count() && wanted.split('/').zip(path.split('/')).all(fits)
            })
    }

    pub(super) fn open(&self) -> Ask {
        ask(self.open)
    }

    pub(super) fn balances(&self) -> Ask {
        ask(self.balances)
    }

    /// The parameters of an order, but for its name.
    pub(super) fn order(&self) -> &'static [(&'static str, &'static str)] {
        self.place.2
    }

    pub(super) fn said(&self, says: Says) -> (u16, Value) {
        let at = match says {
            Says::UnknownKey => 0,
            Says::BadSignature => 1,
            Says::Stale => 2,
            Says::Replayed => 3,
            Says::Denied => 4,
            Says::Malformed => 5,
        };
        let (status, code) = self.codes[at];
        (status, parsed(code))
    }

    pub(super) fn good_codes(&self) -> [Value; 1] {
        [parsed(self.well)]
    }
}

/// Whether a segment of a path is as wanted. Whose an account is says the venue, so a client may name another one.
fn fits((wanted, given): (&str, &str)) -> bool {
    given == wanted || wanted.contains("{}") || wanted == "U1234567" && given.eq_ignore_ascii_case(wanted)
}

pub(super) fn ask((method, path, params): Plain) -> Ask {
    Ask::new(method, path, params)
}

fn parsed(code: &str) -> Value {
    serde_json::from_str(code).unwrap_or(json!(code))
}
