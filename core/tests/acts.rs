//! Acts that take a second operator, from the outside: who may ask and approve, what is done exactly once, and that
//! nobody becomes a second person by themselves.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests, with numbers they chose themselves"
)]

#[path = "store/meddled.rs"]
mod meddled;

mod acts {
    mod alone;
    mod erase;
    mod expiry;
    mod factors;
    mod grants;
    mod incidents;
    mod life;
    mod minute;
    mod names;
    mod once;
    mod overtaken;
    mod room;
    mod time;
    mod world;
}
