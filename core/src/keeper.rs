//! The keeper: the one process that touches keys, and the messages it understands.
//!
//! It is no oracle. `sign` carries a venue, an operation, parameters and a sealed version, and the keeper itself runs
//! [`claviger_venues::prepare`] and [`claviger_venues::attach`] with its own clock and the hosts of its own
//! configuration. Whatever the front asks, only a catalogued operation within the sealed ceiling can be signed, and only
//! for the venue and with the kind of secret that the authenticated binding names.
//!
//! - [`message`]: what front and keeper say to each other
//! - [`frame`]: how it travels (length, version, secrets apart from the rest)
//! - [`service`]: the keeper's side: one reader, a fixed set of threads each owning one token session
//! - [`client`]: the front's side
//!
//! `THREAT_MODEL.md` says of each message what a hostile front gains by it.

pub mod client;
pub mod frame;
pub mod message;
pub mod service;

mod agreement;
mod bars;
pub mod checkpoints;
mod code;
mod contact;
mod enroll;
mod kek;
mod login;
mod private_key;
mod recovery;
mod rewrap;
mod root;
mod sign;
mod token_key;
#[cfg(test)]
mod vectors;
mod verify;
mod webhook;
mod worker;

/// How long a venue may accept what the keeper signed, milliseconds, where the venue lets that be bounded. Venues take at
/// least 5 s; less fails on slow paths.
pub const VALID_MS: u32 = 5_000;

pub use client::{KeeperClient, KeeperError, Relief};
pub use kek::{KekOrigin, KekRow, Withdrawal};
pub use service::{Exit, KeeperConfig};
