//! The small languages inside flag values: sizes, mounts, limits, key–value pairs.
//!
//! Pure but for the files of `pairs::files`. Errors are sentences for the user.

pub(crate) mod csv;
pub(crate) mod detach;
pub(crate) mod filter;
pub(crate) mod limits;
pub(crate) mod mount;
pub(crate) mod name;
pub(crate) mod pairs;
pub(crate) mod quantity;
