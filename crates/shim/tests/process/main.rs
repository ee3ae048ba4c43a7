//! The shim as a program of its own: the tests start it in place of `corten shim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shim::main(std::env::args_os().skip(2))
}
