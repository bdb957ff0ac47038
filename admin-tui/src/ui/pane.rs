//! What fills the screen.

mod cell;
pub(super) mod detail;
pub(super) mod help;
pub(super) mod list;
pub(crate) mod log;
pub(crate) mod login;
pub(super) mod palette;
