//! Starting the engine when nobody listens on the default socket.
//!
//! A lock file beside the socket makes sure that of many clients one starts the engine; the others
//! find its socket when they get the lock. Readiness is that the socket takes a connection.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

use crate::settings::Settings;

/// How long an engine may take until it listens. It has recovery to do after a crash.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the socket is tried.
const PAUSE: Duration = Duration::from_millis(1);

/// Makes sure that somebody listens on the default socket.
pub(crate) async fn ensure(socket: &Path, settings: &Settings) -> anyhow::Result<()> {
    if listens(socket)? {
        return Ok(());
    }
    let folder = &settings.run_dir;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .with_context(|| {
            format!(
                "the engine is not running and {} cannot be made",
                folder.display()
            )
        })?;
    let lock = folder.join("start.lock");
    let lock = File::create(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if listens(socket)? {
        return Ok(());
    }
    let log = settings.root.join("engine.log");
    let child = spawn(settings, &log)?;
    ready(socket, child, &log).await
}

/// Whether a connection is taken. An error is one that starting an engine would not cure.
fn listens(socket: &Path) -> anyhow::Result<bool> {
    match UnixStream::connect(socket) {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error).with_context(|| {
            format!(
                "cannot connect to the engine at unix://{}",
                socket.display()
            )
        }),
    }
}

/// The engine in a process group of its own, so that Ctrl-C for this command is not for it. Its
/// log begins anew: the log of an engine that died is of interest until the next one starts.
fn spawn(settings: &Settings, log: &Path) -> anyhow::Result<Child> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(&settings.root)
        .with_context(|| format!("cannot make {}", settings.root.display()))?;
    let output = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(log)
        .with_context(|| format!("cannot open {}", log.display()))?;
    let program = std::env::current_exe().context("cannot find this program's file")?;
    let mut command = Command::new(program);
    command
        .arg("engine")
        .arg("--root")
        .arg(&settings.root)
        .arg("--run-dir")
        .arg(&settings.run_dir)
        .args(["--log-level", &settings.log_level])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    command.spawn().context("cannot start the engine")
}

async fn ready(socket: &Path, mut child: Child, log: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if listens(socket)? {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("the engine did not start ({status}):\n{}", last_lines(log));
        }
        if Instant::now() > deadline {
            anyhow::bail!(
                "the engine does not listen on {} after {} s; see {}",
                socket.display(),
                PATIENCE.as_secs(),
                log.display()
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The end of the engine's log, for an error message.
fn last_lines(log: &Path) -> String {
    let read = || {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(2048)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let text = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
