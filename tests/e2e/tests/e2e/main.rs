//! End to end: the real binary, a real token, the simulator. The harness says how a test is written.

mod canary;
mod deny;
mod hostile_http;
mod path;
mod refusals;
mod rollback;
mod stops;
mod tamper;
mod token_faults;
