//! The simulator over HTTPS, spoken to as its venues' clients would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "tests and their helpers stop at the first surprise, and sign with the real clock"
)]

mod binance;
mod binance_usdm;
mod bitmex;
mod bybit;
mod client;
mod control;
mod faults;
mod ibkr;
mod kraken;
mod kraken_futures;
mod limits;
mod mexc;
mod mexc_contract;
mod oanda;
mod okx;
mod prices;
mod program;
mod topstepx;
mod tradovate;
mod whole_catalogue;
