//! The OCI runtime command line: what runc and crun understand.
//!
//! This is an edge: it may read the environment, print and take over the terminal. The state of a
//! container is a folder `<root>/<id>` (see [`record`]), made last before and removed last after.

mod arguments;
mod exec;
mod features;
mod listing;
mod record;
mod relay;
mod report;
mod run;
mod update;

use std::ffi::{CString, OsString};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use record::Root;
pub(crate) use report::CliError;

/// Exit code, or why there is none.
type Outcome = Result<u8, CliError>;

/// Runs the command line `args`, of which the first is the program's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    if std::env::args_os().any(|word| word == "create" || word == "run" || word == "exec") {
        seal();
    }
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing to be done if nobody listens.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 1 } else { 0 });
        }
    };
    let result = match (arguments.version, &arguments.command) {
        (true, _) => print_version(),
        (false, None) => Err(CliError::Usage("no command given; see --help".to_owned())),
        (false, Some(command)) => dispatch(command, &arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report::report(&error, arguments.log.as_deref(), arguments.log_format);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Executes this program again from a read-only mount, so that no container can write to it through
/// a process that runs it. Without the right to do so, it goes on as it is.
fn seal() {
    if !rustix::process::geteuid().is_root() || sys::mount::is_sealed() {
        return;
    }
    let strings = |words: Vec<OsString>| -> Option<Vec<CString>> {
        let words = words.into_iter();
        words
            .map(|word| CString::new(word.into_vec()).ok())
            .collect()
    };
    let variables = std::env::vars_os().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name
    });
    let Ok(program) = sys::mount::sealed_program(Path::new("/proc/self/exe")) else {
        return;
    };
    let path = CString::new(format!("/proc/self/fd/{}", program.as_raw_fd())).ok();
    if let (Some(path), Some(arguments), Some(environment)) = (
        path,
        strings(std::env::args_os().collect()),
        strings(variables.collect()),
    ) {
        // Returns only if it fails.
        let _ = sys::process::execve(&path, &arguments, &environment);
    }
}

fn dispatch(command: &Command, arguments: &Arguments) -> Outcome {
    arguments.log.as_deref().map(report::log_path).transpose()?;
    let root = Root::at(arguments.root.clone().unwrap_or_else(default_root));
    let groups = run::wants_groups(arguments.cgroup_manager.as_deref())?;
    match command {
        Command::Create(options) => run::create(&root, options, groups),
        Command::Start(options) => run::start(&root, &options.id),
        Command::Run(options) => run::run(&root, options, groups),
        Command::State(options) => listing::state(&root, &options.id),
        Command::Kill(options) => listing::kill(&root, options),
        Command::Delete(options) => run::delete(&root, options),
        Command::Exec(options) => exec::exec(&root, options),
        Command::Pause(options) => listing::pause(&root, &options.id),
        Command::Resume(options) => listing::resume(&root, &options.id),
        Command::Ps(options) => listing::ps(&root, options),
        Command::List(options) => listing::list(&root, options),
        Command::Update(options) => update::update(&root, options),
        Command::Events(options) => listing::events(&root, options),
        Command::Spec(options) => features::spec(options),
        Command::Features => features::features(),
    }
}

fn default_root() -> PathBuf {
    match (
        rustix::process::geteuid().is_root(),
        std::env::var_os("XDG_RUNTIME_DIR"),
    ) {
        (false, Some(folder)) => PathBuf::from(folder).join("corten-runtime"),
        _ => PathBuf::from("/run/corten-runtime"),
    }
}

fn print_version() -> Outcome {
    print(&format!(
        "corten-runtime version {}\nspec: {}\n+CAP +SECCOMP +EBPF\n",
        env!("CARGO_PKG_VERSION"),
        features::SPEC_VERSION
    ))
}

/// Writes to standard output.
fn print(text: &str) -> Outcome {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|source| CliError::Io {
            action: "print".to_owned(),
            source,
        })?;
    Ok(0)
}
