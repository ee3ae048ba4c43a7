//! Real containers under real shims; needs root and a static busybox.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attach;
mod exec;
mod life;
mod one_shot;
mod protocol;
mod support;
