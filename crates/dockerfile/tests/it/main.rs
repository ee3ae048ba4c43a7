//! The crate from outside: goldens of whole files, properties of arbitrary input.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, also in its helpers"
)]

mod dump;
mod expansion;
mod golden;
mod ignore;
mod properties;
