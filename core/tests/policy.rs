//! The signing firewall from the outside: compared with a model of it that is as plain as can be.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "helpers of tests, with numbers they chose themselves"
)]

mod policy {
    pub(crate) mod dice;
    pub(crate) mod model;
    mod same;
    pub(crate) mod world;
}
