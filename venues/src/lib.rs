//! What each venue is: how its requests are signed, which of its calls exist for Claviger, what its answers mean.
//!
//! The crate is a ground floor. It names the words that the rest of the house judges by ([`Operation`], [`Reading`],
//! [`Meaning`]) and turns a named operation with its parameters into bytes to sign, and a signature into a request:
//!
//! ```text
//! operation() -> check() -> prepare() -> (a MAC or signature, made elsewhere) -> attach()
//! Operation      Call       Signable                                             RequestParts
//! ```
//!
//! ```
//! use claviger_venues::{
//!     Host, Identity, Params, Proof, SecretKind, SigningTime, VenueId, attach, check, operation, prepare,
//! };
//! # use aws_lc_rs::hmac;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let balances = operation(VenueId::Binance, "account").ok_or("not in the catalogue")?;
//! let params = Params::from_iter([("omitZeroBalances", "true")]);
//! let call = check(balances, &params)?;
//!
//! let host = Host::parse("https://api.binance.com")?;
//! let at = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };
//! let signable = prepare(&call, &host, Identity::new("exampleKeyId", SecretKind::Hmac), at, 0)?;
//!
//! let key = hmac::Key::new(hmac::HMAC_SHA256, b"a documentation secret");
//! let mac = hmac::sign(&key, signable.to_sign());
//! let request = attach(signable, Proof { signature: mac.as_ref(), parts: &[] });
//! assert!(request.url.starts_with(
//!     "https://api.binance.com/api/v3/account\
//!      ?omitZeroBalances=true&recvWindow=5000&timestamp=1735689600123&signature="
//! ));
//! # Ok(())
//! # }
//! ```
//!
//! **Architecture invariant:** no secret, clock, socket, environment or log enters this crate. Time and nonces are
//! arguments; keys stay with the caller.
//!
//! **Architecture invariant:** a call that moves money or manages keys cannot be expressed. An [`Operation`] exists only
//! in the tables here, its path is a constant, its parameter list is closed, and only [`check`] makes a [`Call`]:
//!
//! ```compile_fail,E0639
//! use claviger_venues::{Carry, Class, HostRole, Kind, Method, Operation, VenueId};
//! let smuggled = Operation {
//!     name: "withdraw",
//!     venue: VenueId::Binance,
//!     method: Method::Post,
//!     path: "/sapi/v1/capital/withdraw/apply",
//!     class: Class::Trade,
//!     host: HostRole::Main,
//!     kind: Kind::Place,
//!     carry: Carry::Query,
//!     params: &[],
//!     one_of: &[],
//! };
//! ```
//!
//! A venue is one folder that implements the crate's `Venue` and `Dialect` traits, and one line in [`VenueId`]; nothing
//! else names it. The other way round, a client's request becomes a named operation:
//!
//! ```text
//! claim() -> (verified elsewhere, over the raw bytes) -> resolve()
//! Claim                                                  Operation, Params
//! ```
//!
//! and what an order is worth follows from what it says and from what the venue tells everybody:
//!
//! ```text
//! ticker() -> (asked without a key) -> read_ticker() -> worth()
//! Operation, Params                    Decimal          Decimal, in the asset of quoted_in()
//! ```

pub mod binance;
pub mod bitmex;
mod budget;
pub mod bybit;
pub mod encoding;
mod grammar;
mod host;
pub mod ibkr;
mod inbound;
mod json;
pub mod kraken;
pub mod kraken_futures;
mod lapse;
mod meaning;
pub mod mexc;
mod oanda;
mod okx;
mod operation;
mod params;
mod permission;
mod price;
mod product;
mod reading;
mod request;
mod retrieval;
mod secret;
mod signing;
mod stream;
mod token;
mod topstepx;
mod tradovate;
mod venue;

pub use budget::{Budget, Counts, Per, budgets, weight};
pub use grammar::{Grammar, Item, List};
pub use host::{Host, HostError};
pub use inbound::{
    Alphabet, Claim, Freshness, Inbound, InboundError, Refusal, Refuse, Shape, Signed, VirtualForm, VirtualSecret,
    claim, login_answer, named, refusal, resolve, virtual_form,
};
pub use lapse::{Lapse, lapse};
pub use meaning::{Meaning, meaning};
pub use operation::{Carry, Class, HostRole, Json, Kind, Method, Operation, Param, catalogue, default_host, operation};
pub use params::{Call, ParamError, Params, check};
pub use permission::{Ceiling, CeilingClass, IpRestriction, KeyFacts, Objection, ProbeError, objections, permissions};
pub use price::{asset, market, quote, quoted_in, read_ticker, ticker, worth, worth_of_amend};
pub use product::{Product, Products};
pub use reading::{Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, read};
pub use request::{RequestParts, unsigned};
pub use retrieval::{Found, found, lookup, lookup_ended, name_order};
pub use secret::{
    KeyType, SecretForm, SecretKind, SecretPart, accepts, key_id_ok, key_types, secret_parts, shows_permissions,
    shows_secrets,
};
pub use signing::{Identity, PrepareError, Proof, Scheme, Signable, SigningTime, attach, prepare};
pub use stream::{Stream, StreamLogin, stream_login, streams};
pub use token::{DiffieHellman, Exchange, TokenAnswer, TokenRule, token, tokens};
pub use venue::{UnknownVenue, VenueId, guide, manage_url};
