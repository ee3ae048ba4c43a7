//! The whole binary with real containers. Needs root and busybox-static.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod docker_cli;
mod kill;
mod reproducible;

use testkit::Corten;

fn corten() -> Corten {
    Corten::start(env!("CARGO_BIN_EXE_corten"))
}
