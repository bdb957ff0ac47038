//! Small parts of pictures.

pub(super) mod bar;
pub(super) mod frame;
pub(super) mod text;
