//! A venue simulator: it stands in for the exchanges in end-to-end tests, the demo and the benchmark.
//!
//! Each venue lives under a path prefix and speaks its own protocol beneath it. Signatures are checked over the
//! raw bytes, nonces and clocks by the venue's rules, permissions by the registered key. Orders rest in a book
//! per key. Calls that would move money or keys trip a wire, whoever signed them.
//!
//! ```text
//! https://127.0.0.1:PORT/binance/api/v3/order      a venue
//! https://127.0.0.1:PORT/_sim/keys                 the control API
//! ```
//!
//! **Architecture invariant**: this crate depends on no other crate of the workspace. It reads the wire by its
//! own code, so that a mistake in the code under test cannot agree with itself here.

mod account;
mod body;
mod book;
#[cfg(test)]
mod broker_vectors;
mod catalogue;
mod clock;
mod control;
mod fault;
mod limits;
mod market;
mod params;
mod recorder;
mod server;
mod session;
mod simulator;
mod tls;
#[cfg(test)]
mod vectors;
mod venue;
mod verifier;

pub use server::{Options, Running, StartError, serve};
