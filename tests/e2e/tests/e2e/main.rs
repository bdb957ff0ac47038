//! End to end: the real binary, a real token, the simulator. The harness says how a test is written.
#![expect(clippy::indexing_slicing, reason = "an index that is not there is a failed test")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what is not as it must be is a failed test")]
#![expect(clippy::arithmetic_side_effects, reason = "small figures; an overflow is a failed test")]

mod audit;
mod canary;
mod clients;
mod deny;
mod durability;
mod gateway;
mod hostile_http;
mod path;
mod refusals;
mod rollback;
mod stops;
mod strace;
mod tamper;
mod token_faults;
