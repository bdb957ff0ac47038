//! The domain of Claviger.
pub mod audit;
pub mod clock;
pub mod credential;
pub mod envelope;
pub mod execution;
pub mod id;
pub mod identity;
pub mod keeper;
pub mod secret;
pub mod store;
pub mod token;
