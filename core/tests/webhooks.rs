//! Webhooks on the whole service with a real keeper: what becomes a message, how it is signed, and what comes of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, with numbers they chose themselves"
)]

#[expect(dead_code, reason = "no token is lost here")]
#[path = "life/token.rs"]
mod token;

mod webhooks {
    mod told;
    mod tried;
    mod world;
}
