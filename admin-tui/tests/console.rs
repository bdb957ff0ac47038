//! The console from the outside: what keys do, what they never do, and what the screen shows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, with numbers they chose themselves"
)]

mod console {
    mod acts;
    mod harness;
    mod hostile;
    mod pictures;
    mod secrets;
    mod storm;
    mod tail;
    mod watching;
}
