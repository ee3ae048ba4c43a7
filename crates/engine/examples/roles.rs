//! The roles that the integration tests need of a binary: `shim`, as the engine starts it, and an
//! engine that can be killed.

use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let mut args = std::env::args_os().skip(1);
    if name == "/sbin/docker-init" {
        return shim::init(args);
    }
    match args.next().as_deref().and_then(|role| role.to_str()) {
        Some("shim") => shim::main(args),
        _ => ExitCode::FAILURE,
    }
}
