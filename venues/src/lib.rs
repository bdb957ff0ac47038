//! What each venue is: how its requests are signed, which of its calls exist for Claviger, what its answers mean.
//!
//! The crate is a ground floor. It names the words that the rest of the house judges by ([`Operation`], [`Order`],
//! [`Meaning`]) and turns a named operation with its parameters into bytes to sign, and a signature into a request:
//!
//! ```text
//! operation() -> check() -> prepare() -> (a MAC or signature, made elsewhere) -> attach()
//! Operation      Call       Signable                                             RequestParts
//! ```
//!
//! ```
//! use claviger_venues::{
//!     Host, Params, Proof, SecretKind, SigningTime, VenueId, attach, check, operation, prepare,
//! };
//! # use aws_lc_rs::hmac;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let balances = operation(VenueId::Binance, "account").ok_or("not in the catalogue")?;
//! let params = Params::from_iter([("omitZeroBalances", "true")]);
//! let call = check(balances, &params)?;
//!
//! let host = Host::parse("https://api.binance.com")?;
//! let at = SigningTime { now_ms: 1_735_689_600_123, valid_ms: 5_000 };
//! let signable = prepare(&call, &host, "exampleKeyId", SecretKind::Hmac, at, 0)?;
//!
//! let key = hmac::Key::new(hmac::HMAC_SHA256, b"a documentation secret");
//! let mac = hmac::sign(&key, signable.to_sign());
//! let request = attach(signable, Proof::Signature(mac.as_ref()));
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
//! use claviger_venues::{Class, HostRole, Kind, Method, Operation, VenueId};
//! let smuggled = Operation {
//!     name: "withdraw",
//!     venue: VenueId::Binance,
//!     method: Method::Post,
//!     path: "/sapi/v1/capital/withdraw/apply",
//!     class: Class::Trade,
//!     host: HostRole::Main,
//!     kind: Kind::Place,
//!     params: &[],
//!     one_of: &[],
//! };
//! ```
//!
//! A venue is one module that implements the crate's `Venue` trait, and its variant in [`VenueId`]; nothing else names
//! it.

pub mod binance;
pub mod encoding;
mod grammar;
mod host;
mod intent;
pub mod kraken;
mod meaning;
mod operation;
mod params;
mod permission;
mod product;
mod request;
mod secret;
mod signing;
mod venue;

pub use grammar::Grammar;
pub use host::{Host, HostError};
pub use intent::{Cancel, Intent, Order, OrderKind, ReadError, Side, read};
pub use meaning::{Meaning, meaning};
pub use operation::{Class, HostRole, Kind, Method, Operation, Param, catalogue, default_host, operation};
pub use params::{Call, ParamError, Params, check};
pub use permission::{Ceiling, CeilingClass, IpRestriction, KeyFacts, Objection, ProbeError, objections, permissions};
pub use product::{Product, Products};
pub use request::{RequestParts, unsigned};
pub use secret::{SecretForm, SecretKind, accepts, key_id_ok, secret_form};
pub use signing::{PrepareError, Proof, Scheme, Signable, SigningTime, attach, prepare};
pub use venue::{UnknownVenue, VenueId, guide, manage_url};
