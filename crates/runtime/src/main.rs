//! The OCI runtime command line as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::cli::main(std::env::args_os())
}
