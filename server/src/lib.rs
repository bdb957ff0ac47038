//! The binary `claviger`: the processes, the HTTPS API, egress, background jobs, the command line.
//!
//! `claviger serve` is the supervisor ([`supervisor`]); it starts two children of the same binary, the [`front`] (with
//! listeners, policy, store and egress, without PIN and token) and the [`keeper`] (with the token, without network), and
//! hands each only what it needs ([`boot`]).
//!
//! **Architecture invariant**: nothing here opens sealed bytes, judges an order or decides what is recorded; handlers
//! parse, call one function of `claviger_core::service`, and map the result.

pub mod api;
pub mod auth;
pub mod backup;
pub mod boot;
pub mod cli;
pub mod config;
pub mod egress;
pub mod front;
pub mod jobs;
pub mod keeper;
pub mod net;
pub mod passkeys;
pub mod recovery;
mod relay;
pub mod sandbox;
pub mod sinks;
pub mod supervisor;
pub mod telemetry;
pub mod tls;
