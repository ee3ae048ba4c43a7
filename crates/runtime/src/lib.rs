//! From an OCI bundle to a process: namespaces, root filesystem, control groups, capabilities,
//! seccomp, hooks. Also the OCI runtime command line ([`cli`]).
//!
//! Synchronous, and for single-threaded processes only: a container's first process is a fork of
//! the caller that goes on running Rust code, which is sound only if no other thread could have
//! held a lock. [`create`] and [`Container::exec`] refuse to run in a threaded process.

mod affinity;
mod beginning;
pub mod capabilities;
pub mod cgroup;
mod channel;
mod check;
pub mod cli;
mod container;
mod create;
pub mod defaults;
mod error;
mod exec;
mod hooks;
mod idmap;
mod init;
mod memory_policy;
mod namespaces;
mod notify;
mod process;
mod rootfs;
pub mod seccomp;
mod terminal;

pub use container::{Container, Process};
pub use create::{CreateOptions, Gate, Init, Rootfs, Stdio, create, start_at};
pub use error::{Error, Failure, Step};
pub use exec::ExecOptions;
