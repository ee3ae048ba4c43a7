//! The terminal that this process runs on: raw mode, size, signals.

mod raw;
pub(crate) mod signals;
mod size;

pub(crate) use raw::RawMode;
pub(crate) use size::{of as size_of, of_output as size};
