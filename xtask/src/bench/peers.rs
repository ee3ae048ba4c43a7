//! Engines for the time of a run: ours, and dockerd where the machine has one.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::sample::wall_time;

/// How long an engine may take until it listens.
const READY: Duration = Duration::from_secs(30);

/// Our release binary with an engine in a folder of its own.
pub(crate) struct Corten {
    pub(crate) binary: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) run_dir: PathBuf,
    pub(crate) engine: Child,
    /// From the start of the process to the first accepted connection.
    pub(crate) ready: Duration,
}

impl Corten {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let binary = fs::canonicalize("target/x86_64-unknown-linux-gnu/release/corten")
            .context("build first: cargo build --release --package corten")?;
        let (root, run_dir) = (folder.join("root"), folder.join("run"));
        fs::create_dir_all(&root)?;
        fs::create_dir_all(&run_dir)?;
        let mut command = Command::new(&binary);
        command
            .arg("engine")
            .arg("--root")
            .arg(&root)
            .arg("--run-dir")
            .arg(&run_dir);
        let (engine, ready) = start(&mut command, &run_dir.join("corten.sock"))?;
        Ok(Self {
            binary,
            root,
            run_dir,
            engine,
            ready,
        })
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env_remove("DOCKER_HOST")
            .env("CORTEN_ROOT", &self.root)
            .env("CORTEN_RUN_DIR", &self.run_dir);
        command
    }

    pub(crate) fn import_busybox(&self, work: &Path) -> Result<()> {
        let tar = busybox_tar(work)?;
        wall_time(&mut self.command(&["import", &tar.to_string_lossy(), "busybox:latest"]))?;
        Ok(())
    }
}

impl Drop for Corten {
    fn drop(&mut self) {
        // Nothing to do about an engine that is gone already.
        drop(self.engine.kill());
        drop(self.engine.wait());
    }
}

/// A dockerd found on the PATH, without networks, in a folder of its own.
pub(crate) struct Docker {
    host: String,
    version: String,
    daemon: Child,
}

impl Docker {
    /// `None` where the machine has no dockerd.
    pub(crate) fn start(folder: &Path) -> Result<Option<Self>> {
        let Ok(output) = Command::new("dockerd").arg("--version").output() else {
            return Ok(None);
        };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        fs::create_dir_all(folder)?;
        let socket = folder.join("docker.sock");
        let host = format!("unix://{}", socket.display());
        let mut command = Command::new("dockerd");
        command
            .args([
                "--iptables=false",
                "--ip6tables=false",
                "--bridge=none",
                "--host",
                &host,
            ])
            .arg("--data-root")
            .arg(folder.join("data"))
            .arg("--exec-root")
            .arg(folder.join("exec"))
            .arg("--pidfile")
            .arg(folder.join("pid"));
        let (daemon, _) = start(&mut command, &socket)?;
        Ok(Some(Self {
            host,
            version,
            daemon,
        }))
    }

    pub(crate) fn version(&self) -> String {
        self.version.clone()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments).env("DOCKER_HOST", &self.host);
        command
    }

    pub(crate) fn import_busybox(&self, work: &Path) -> Result<()> {
        let tar = busybox_tar(work)?;
        wall_time(&mut self.command(&["import", &tar.to_string_lossy(), "busybox:latest"]))?;
        Ok(())
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // A plain kill would leave its containerd behind: ask, then wait.
        let pid = self.daemon.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        drop(self.daemon.wait());
    }
}

fn start(command: &mut Command, socket: &Path) -> Result<(Child, Duration)> {
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", command.get_program().display()))?;
    while UnixStream::connect(socket).is_err() {
        if begin.elapsed() > READY || child.try_wait()?.is_some() {
            bail!(
                "{} does not listen on {}",
                command.get_program().display(),
                socket.display()
            );
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((child, begin.elapsed()))
}

/// A root folder with one static busybox, as a tar.
pub(crate) fn busybox_tar(work: &Path) -> Result<PathBuf> {
    let (folder, tar) = (busybox_root(work)?, work.join("busybox.tar"));
    if !tar.exists() {
        wall_time(
            Command::new("tar")
                .arg("-C")
                .arg(folder)
                .arg("-cf")
                .arg(&tar)
                .arg("."),
        )?;
    }
    Ok(tar)
}

/// The same as a folder.
pub(crate) fn busybox_root(work: &Path) -> Result<PathBuf> {
    let folder = work.join("busybox");
    if !folder.exists() {
        fs::create_dir_all(folder.join("bin"))?;
        fs::copy("/bin/busybox", folder.join("bin/busybox"))
            .context("install busybox-static first")?;
        for applet in ["sh", "true", "sleep", "cat", "ls"] {
            std::os::unix::fs::symlink("busybox", folder.join("bin").join(applet))?;
        }
    }
    Ok(folder)
}
