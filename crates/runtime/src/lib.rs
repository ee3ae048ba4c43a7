//! From an OCI bundle to a process: namespaces, root filesystem, control groups, capabilities,
//! seccomp, hooks. Also the OCI runtime command line ([`cli`]).
//!
//! Synchronous, and for single-threaded processes only: a container's first process is a fork of
//! the caller that goes on running Rust code, which is sound only if no other thread could have
//! held a lock. [`create`] and [`Container::exec`] refuse to run in a threaded process.

#![expect(clippy::todo, reason = "first landing")]

mod container;
mod create;
mod error;
mod exec;
pub mod seccomp;

pub use container::{Container, Process};
pub use create::{CreateOptions, Gate, Init, Rootfs, Stdio, create};
pub use error::{Error, Failure, Step};
pub use exec::ExecOptions;
