//! The life of keys, from the outside: random sequences of what operators and owners do to them, with power cuts and
//! restored backups in between, on the whole service with a real keeper, against a plain model.
//!
//! An active credential always has one sealed version that opens and never two, nothing that was deleted comes back,
//! nothing of another tenant is touched, and nothing is under a KEK that was destroyed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests, with numbers they chose themselves"
)]

#[expect(dead_code, reason = "not every fault is of use here")]
#[path = "store/disk.rs"]
mod disk;
#[path = "store/meddled.rs"]
mod meddled;
#[expect(dead_code, reason = "strategies are picked elsewhere")]
#[path = "store/seed.rs"]
mod seed;

mod life {
    mod agenda;
    mod contacts;
    mod epochs;
    mod grants;
    mod lost;
    mod model;
    mod own_keks;
    mod picture;
    mod recovery;
    mod roots;
    mod steps;
    mod token;
    mod tokens;
    mod turns;
    mod unlisted;
    mod virtual_keys;
    mod world;
}
