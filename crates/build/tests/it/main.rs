//! Whole builds on a real store, with an executor that knows a few commands.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests and measurements"
)]

mod builds;
mod exports;
mod goldens;
mod machine;
mod sandbox;
mod speed;
