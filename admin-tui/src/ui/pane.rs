//! What fills the screen.

mod cell;
pub(super) mod detail;
pub(super) mod help;
pub(super) mod list;
pub(super) mod log;
pub(super) mod login;
pub(super) mod palette;
