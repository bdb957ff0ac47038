//! The crate from outside: official vectors, the catalogue and its page, and what cannot be reached.
#![cfg(test)]

mod catalogue;
mod documented;
mod hostile;
mod prices;
mod reach;
mod roundtrip;
mod testdata;
mod vectors;
