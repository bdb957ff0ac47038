//! How each venue's clients sign. A venue is one entry: how a call becomes a request, and what is put to it.

mod binance;
mod bitmex;
mod bybit;
mod kraken;
mod kraken_futures;
mod mexc_contract;
mod okx;

use anyhow::{Context as _, Result};

use crate::message::{Ask, Message};
use crate::virtual_key::VirtualKey;

/// A venue's protocol, as far as signing goes.
pub(crate) struct Protocol {
    venue: &'static str,
    /// The unsigned request of a call.
    pub(crate) arrange: fn(&Ask) -> Message,
    /// Adds what proves it, over the bytes as they stand, as of a time in milliseconds.
    pub(crate) sign: fn(&VirtualKey, &mut Message, u64) -> Result<()>,
}

impl std::fmt::Debug for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.venue)
    }
}

impl Protocol {
    /// The venue's.
    pub(crate) fn of(venue: &str) -> Result<&'static Self> {
        PROTOCOLS.iter().find(|protocol| protocol.venue == venue).with_context(|| format!("nobody speaks to {venue}"))
    }
}

const PROTOCOLS: &[Protocol] = &[
    Protocol { venue: "binance", arrange: in_query, sign: binance::sign },
    Protocol { venue: "binance-usdm", arrange: in_query, sign: binance::sign },
    Protocol { venue: "kraken", arrange: in_form, sign: kraken::sign },
    Protocol { venue: "bybit", arrange: in_json, sign: bybit::sign },
    Protocol { venue: "kraken-futures", arrange: in_form, sign: kraken_futures::sign },
    Protocol { venue: "mexc", arrange: in_query, sign: binance::sign_for_mexc },
    Protocol { venue: "okx", arrange: in_json, sign: okx::sign },
    Protocol { venue: "bitmex", arrange: in_json, sign: bitmex::sign },
    Protocol { venue: "mexc-contract", arrange: in_json, sign: mexc_contract::sign },
    Protocol { venue: "oanda", arrange: |ask| within(ask, r#"{"order":"#, "}"), sign: show },
    Protocol { venue: "ibkr", arrange: |ask| within(ask, r#"{"orders":["#, "]}"), sign: show },
    Protocol { venue: "tradovate", arrange: in_json, sign: show },
    Protocol { venue: "topstepx", arrange: in_json, sign: show },
];

/// Everything in the query, whatever the method.
fn in_query(ask: &Ask) -> Message {
    Message { method: ask.method.to_owned(), path: ask.path.clone(), query: ask.form(), ..Message::default() }
}

/// A form, but for GET.
fn in_form(ask: &Ask) -> Message {
    if ask.method == "GET" {
        return in_query(ask);
    }
    let mut message = Message { query: String::new(), body: ask.form(), ..in_query(ask) };
    message.add("content-type", "application/x-www-form-urlencoded");
    message
}

/// JSON, but for GET.
fn in_json(ask: &Ask) -> Message {
    if ask.method == "GET" {
        return in_query(ask);
    }
    let mut message = Message { query: String::new(), body: ask.json(), ..in_query(ask) };
    message.add("content-type", "application/json");
    message
}

/// JSON inside a member, but for calls without parameters.
fn within(ask: &Ask, head: &str, tail: &str) -> Message {
    if ask.method == "GET" || ask.params.is_empty() {
        return in_query(ask);
    }
    let plain = in_json(ask);
    Message { body: [head, &plain.body, tail].concat(), ..plain }
}

/// What brokers' clients do: the secret is a token (RFC 6750), and no byte of the request is signed.
#[expect(clippy::unnecessary_wraps, reason = "of the type of every protocol's")]
fn show(key: &VirtualKey, message: &mut Message, _at_ms: u64) -> Result<()> {
    message.set("authorization", &format!("Bearer {}", key.secret));
    Ok(())
}
