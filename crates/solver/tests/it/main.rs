//! The solver on a domain of small numbers.
#![expect(clippy::unwrap_used, reason = "tests")]

mod domain;
mod explain;
mod model;
mod sharing;
