//! The endpoints on a real engine in this process. Nothing is started here: the stock client does
//! that in the tests of the binary. Needs root.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod golden;
mod normal;
mod served;
