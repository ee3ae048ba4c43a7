//! Real containers through the engine's own interface.
#![expect(clippy::unwrap_used, reason = "a fixture that fails fails the test")]

mod builds;
mod fixture;
mod lifecycle;
mod options;
mod recovery;
mod running;
