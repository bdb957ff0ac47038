//! The store from the outside: the rules that every engine keeps, a model that it is compared with, and what a power cut
//! or a failing disk leaves of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests, with numbers they chose themselves"
)]

#[path = "audit/rfc6962.rs"]
mod rfc6962;

mod store {
    mod backup;
    mod bench;
    mod conformance;
    mod crash;
    mod disk;
    mod embedded;
    mod faults;
    mod fixtures;
    mod log;
    mod model;
    mod play;
    mod property;
    mod seed;
    mod steps;
    mod verbs;
    mod worlds;
}
