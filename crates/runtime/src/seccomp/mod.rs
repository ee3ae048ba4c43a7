//! Seccomp profiles, compiled by us.
//!
//! A [`Profile`] is a document in Docker's schema; [`Rules`] are what it comes to for one set of
//! capabilities and one kernel, or what `linux.seccomp` of an OCI config says; [`Rules::compile`]
//! makes a [`Filter`] of them, a BPF program that the caller may cache.
//!
//! ```text
//!   Profile ──resolve(Context)──┐
//!                               ├──▶ Rules ──compile──▶ Filter ──bytes──▶ cache, shim, kernel
//!   linux.seccomp ──try_from────┘
//! ```
//!
//! The program branches on the processor mode, then finds the call's number by binary search, then
//! compares arguments. What a profile does not name gets its default action; a call that is newer
//! than all that it names gets `ENOSYS`, so that C libraries fall back to older calls instead of
//! taking a refusal for an answer.
//!
//! Invariants: a filter never allows what the rules do not allow; a name that no mode knows is
//! skipped, because a profile names calls of many processors; anything else that is not understood
//! is an error, never a missing rule.

mod assemble;
mod compile;
mod filter;
mod profile;
mod rules;
mod syscalls;

#[cfg(test)]
mod tests;

pub use filter::Filter;
pub use profile::{Context, Profile};
pub use rules::Rules;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeccompError {
    /// It is not JSON, or not in Docker's schema.
    #[error("the seccomp profile does not parse")]
    Parse(#[source] serde_json::Error),
    /// A word that we do not know.
    #[error("the seccomp profile has an unknown {what} `{word}`")]
    Unknown {
        /// What kind of word.
        what: &'static str,
        /// The word.
        word: String,
    },
    /// A comparison of an argument that does not exist.
    #[error("the seccomp profile compares argument {index} of {name}: calls have arguments 0 to 5")]
    Argument {
        /// Name of the call.
        name: String,
        /// Number of the argument.
        index: u32,
    },
    /// Both or neither of two fields that exclude each other.
    #[error("the seccomp profile has both `architectures` and `archMap`")]
    Architectures,
    /// Nothing for this kind of processor.
    #[error("seccomp filters for {0} cannot be made yet")]
    Processor(&'static str),
    /// More instructions than the kernel takes.
    #[error("the seccomp filter is {0} instructions long; the kernel takes 4096")]
    TooLong(usize),
}
