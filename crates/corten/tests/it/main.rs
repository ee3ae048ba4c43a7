//! The whole binary with real containers. Needs root and busybox-static.

mod kill;
mod reproducible;

use testkit::Corten;

fn corten() -> Corten {
    Corten::start(env!("CARGO_BIN_EXE_corten"))
}
