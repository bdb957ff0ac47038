//! The parts of the server that face a network or a kernel, driven from outside.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "small figures, and answers of which one kind is wanted; what is wrong here fails the test"
)]
#![expect(clippy::print_stderr, reason = "what this kernel lacks is not tried, and said")]

#[path = "server/client_certificates.rs"]
mod client_certificates;
#[path = "server/egress.rs"]
mod egress;
#[path = "server/hostile_front.rs"]
mod hostile_front;
#[path = "server/net.rs"]
mod net;
#[path = "server/pages.rs"]
mod pages;
#[path = "server/sandbox.rs"]
mod sandbox;
#[path = "server/shown_once.rs"]
mod shown_once;
#[path = "server/support.rs"]
mod support;
#[path = "server/tree.rs"]
mod tree;
