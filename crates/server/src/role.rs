//! The process `corten engine`: its words, its sockets, its end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use engine::{Engine, EngineConfig};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::http::sentence;
use crate::{ListenError, Listener};

/// What `corten engine --help` prints.
const USAGE: &str = "\
Usage: corten engine [OPTIONS]

Run the engine in the foreground. The commands start one when they need it.

Options:
      --root PATH        Data root (default /var/lib/corten)
      --run-dir PATH     Folder of sockets (default /run/corten)
  -H, --host ADDRESS     Listen on unix:///path; may be given several times
                         (default corten.sock in the run folder)
  -l, --log-level LEVEL  debug, info, warn, error (default info)
  -h, --help             Print this
";

/// How an engine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Data root.
    pub root: PathBuf,
    /// Folder of sockets.
    pub run_dir: PathBuf,
    /// Where it listens besides; the default socket where nothing is said.
    pub hosts: Vec<String>,
    /// How much it tells.
    pub log_level: LevelFilter,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            root: PathBuf::from("/var/lib/corten"),
            run_dir: PathBuf::from("/run/corten"),
            hosts: Vec::new(),
            log_level: LevelFilter::INFO,
        }
    }
}

/// Why the words make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum UsageError {
    #[error("unknown option {0}")]
    Unknown(String),
    #[error("the option {0} needs a value")]
    NoValue(String),
    #[error("the value of {0} is not text")]
    NotText(String),
    #[error("unknown log level {0:?}: expected debug, info, warn or error")]
    Level(String),
    #[error("help was asked for")]
    Help,
}

/// Why an engine ends before its time.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("the engine cannot start")]
    Engine(#[source] engine::Error),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("this program's own file cannot be found")]
    Exe(#[source] std::io::Error),
    #[error("signals cannot be waited for")]
    Signals(#[source] std::io::Error),
    #[error("the threads of the engine cannot be made")]
    Runtime(#[source] std::io::Error),
}

impl Options {
    fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut options = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy().into_owned();
            let (name, inline) = match text.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.into())),
                _ => (text.as_str(), None),
            };
            if matches!(name, "-h" | "--help") {
                return Err(UsageError::Help);
            }
            let mut value = || {
                let value: Option<OsString> = inline.clone().or_else(|| args.next());
                value.ok_or_else(|| UsageError::NoValue(name.to_owned()))
            };
            let is_text = |value: OsString| {
                let text = value.into_string();
                text.map_err(|_| UsageError::NotText(name.to_owned()))
            };
            match name {
                "--root" => options.root = value()?.into(),
                "--run-dir" => options.run_dir = value()?.into(),
                "-H" | "--host" => options.hosts.push(is_text(value()?)?),
                "-l" | "--log-level" => options.log_level = level(&is_text(value()?)?)?,
                _ => return Err(UsageError::Unknown(text)),
            }
        }
        Ok(options)
    }

    fn addresses(&self) -> Vec<String> {
        match self.hosts.as_slice() {
            [] => vec![format!("unix://{}/corten.sock", self.run_dir.display())],
            hosts => hosts.to_vec(),
        }
    }
}

fn level(text: &str) -> Result<LevelFilter, UsageError> {
    match text {
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" => Ok(LevelFilter::WARN),
        "error" | "fatal" => Ok(LevelFilter::ERROR),
        other => Err(UsageError::Level(other.to_owned())),
    }
}

/// Runs an engine until it is asked to end. `args` are those behind `engine`.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the edge of a process of its own"
)]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(UsageError::Help) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("corten engine: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // What crates below us tell on their lower levels is of no use to anybody else.
    let filter = EnvFilter::new(format!("{},hyper=warn", options.log_level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let result = engine::runtime()
        .map_err(RunError::Runtime)
        .and_then(|runtime| {
            let result = runtime.block_on(run(options));
            // A blocked thread must not keep an engine alive whose work is done.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("corten engine: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), RunError> {
    let stop = stop_at_signal().map_err(RunError::Signals)?;
    let config = EngineConfig {
        root: options.root.clone(),
        run_dir: options.run_dir.clone(),
        exe: std::env::current_exe().map_err(RunError::Exe)?,
    };
    let engine = Engine::start(config).await.map_err(RunError::Engine)?;
    let mut servers = tokio::task::JoinSet::new();
    for address in options.addresses() {
        let listener = Listener::bind(&address)?;
        tracing::info!(address, "listening");
        servers.spawn(crate::serve(
            listener,
            crate::routes(engine.clone()),
            stop.clone(),
        ));
    }
    servers.join_all().await;
    tracing::info!("stopping; containers go on");
    Ok(())
}

/// A token that is cancelled by SIGTERM or SIGINT.
fn stop_at_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, UsageError> {
        Options::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn words() {
        let options = parse(&[
            "--root=/a",
            "--run-dir",
            "/b",
            "-H",
            "unix:///c",
            "--log-level",
            "debug",
        ])
        .unwrap();
        assert_eq!(options.root, PathBuf::from("/a"));
        assert_eq!(options.addresses(), ["unix:///c"]);
        assert_eq!(options.log_level, LevelFilter::DEBUG);
        let default = parse(&["--run-dir=/b"]).unwrap();
        assert_eq!(default.addresses(), ["unix:///b/corten.sock"]);
        assert_eq!(
            parse(&["--root"]),
            Err(UsageError::NoValue("--root".into()))
        );
        assert!(parse(&["status"]).is_err());
        assert!(parse(&["-l", "loud"]).is_err());
    }
}
