//! What fills the screen.

pub(super) mod detail;
pub(super) mod help;
pub(super) mod list;
pub(super) mod log;
pub(super) mod login;
