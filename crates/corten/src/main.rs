//! The binary: dispatch, nothing else.
//!
//! One file is client, engine, supervisor, runtime and init. The first word chooses the role; under
//! the name `docker` it is always the client, under `docker-init` the init of a container. `engine`
//! is a role only without a verb behind it: `corten engine …` with one is a command of the client.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    match role(&args) {
        Role::Engine => server::main(args.into_iter().skip(2)),
        Role::Runtime => runtime::cli::main(args.into_iter().skip(1)),
        Role::Shim => shim::main(args.into_iter().skip(2)),
        Role::Init => shim::init(args.into_iter().skip(1)),
        Role::Client => cli::main(args, cli::Environment::of_process()),
    }
}

/// What this process is.
#[derive(Debug, PartialEq, Eq)]
enum Role {
    Client,
    Engine,
    Runtime,
    Shim,
    Init,
}

fn role(args: &[OsString]) -> Role {
    let word = |index: usize| args.get(index).and_then(|word| word.to_str());
    let name = args.first().map(Path::new).and_then(Path::file_name);
    if name == Some("docker".as_ref()) {
        return Role::Client;
    }
    if name == Some("docker-init".as_ref()) {
        return Role::Init;
    }
    let is_option = |word: &str| word.starts_with('-');
    match word(1) {
        Some("engine") if word(2).is_none_or(is_option) => Role::Engine,
        Some("runtime") => Role::Runtime,
        Some("shim") => Role::Shim,
        _ => Role::Client,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        for (words, expected) in [
            ("corten", Role::Client),
            ("/usr/bin/corten run x", Role::Client),
            ("corten engine", Role::Engine),
            ("corten runtime run x", Role::Runtime),
            ("corten engine --root /a", Role::Engine),
            ("corten engine stop", Role::Client),
            ("/proc/self/exe shim", Role::Shim),
            ("/opt/docker engine", Role::Client),
            ("/sbin/docker-init -- shim", Role::Init),
        ] {
            let args: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            assert_eq!(role(&args), expected, "{words}");
        }
    }
}
