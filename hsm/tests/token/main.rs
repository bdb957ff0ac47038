//! The contract of [`claviger_core::token::Token`] on a real `SoftHSM` token, well and sick.
//!
//! `SOFTHSM2_CONF` is read by the whole process, so each test runs itself again in a child process with a token
//! directory of its own (see [`harness::in_child`]). A sick token is `SoftHSM` behind `claviger-fault-module`. Where
//! `CLAVIGER_TEST_MODULE` names another module, that one stands for `SoftHSM` in all of this.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod checkpoint;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod provision;
mod roots;
#[cfg(test)]
mod sick;
#[cfg(test)]
mod tenant;
