//! End to end: the real binary, a real token, the simulator. The harness says how a test is written.
#![expect(clippy::indexing_slicing, reason = "an index that is not there is a failed test")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what is not as it must be is a failed test")]
#![expect(clippy::arithmetic_side_effects, reason = "small figures; an overflow is a failed test")]

mod agreement;
mod approvals;
mod apps;
mod audit;
mod backups;
mod brokers;
mod canary;
mod certificates;
mod clients;
mod console;
mod console_plain;
mod deny;
mod durability;
mod epochs;
mod erasure;
mod events;
mod finding;
mod firewall;
mod flagged;
mod gateway;
mod gateway_clients;
mod health;
mod hostile_http;
mod incidents;
mod keks;
mod matrix;
mod modes;
mod notices;
mod operators;
mod overview;
mod own_keks;
mod passkeys;
mod path;
mod people;
mod proxies;
mod recovery;
mod refusals;
mod rollback;
mod roots;
mod signatures;
mod sinks;
mod stops;
mod strace;
mod tamper;
mod tenants;
mod token_faults;
mod unknown;
mod webhooks;
