//! The domain of Claviger.
pub mod audit;
pub mod clock;
pub mod credential;
pub mod envelope;
pub mod execution;
pub mod id;
pub mod identity;
pub mod keeper;
pub mod policy;
pub mod secret;
pub mod service;
pub mod store;
pub mod token;
pub mod view;
