//! The client as a program of its own, for the tests of this crate. Its engine is always named.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::env::args_os(), cli::Environment::of_process())
}
