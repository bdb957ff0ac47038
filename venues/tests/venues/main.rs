//! The crate from outside: official vectors, the catalogue, and what cannot be reached.
#![cfg(test)]

mod catalogue;
mod hostile;
mod reach;
mod testdata;
mod vectors;
