//! Real containers, through the command line: they need root, namespaces, control groups and a
//! static busybox at `/bin/busybox`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's set-up may panic"
)]

mod bundle;
mod escapes;
mod filesystem;
mod life;
mod oracle;
mod process;
