//! Small parts of pictures.

pub(crate) mod bar;
pub(super) mod frame;
pub(super) mod text;
