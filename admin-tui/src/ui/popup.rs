//! What lies over a pane.

pub(crate) mod act;
