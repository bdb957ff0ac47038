//! What lies over a pane.

pub(super) mod act;
