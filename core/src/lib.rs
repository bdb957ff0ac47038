//! The domain of Claviger.
pub mod token;
