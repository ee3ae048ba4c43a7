//! Safe wrappers over the kernel. All `unsafe` of Corten lives in this crate; each block says why
//! it is sound. A module wraps one facility and decides nothing: policy belongs to the callers.

pub mod bpf;
pub mod copy;
pub mod credentials;
pub mod memory;
pub mod mount;
pub mod netns;
pub mod process;
pub mod root;
pub mod seccomp;
pub mod signal;
pub mod socket;
