//! Fixtures for tests with real containers: an engine in a folder of its own, a busybox image, and
//! a list of what was left behind.
//!
//! Everything panics on failure, with the command and its output: these are tests.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a fixture that fails fails the test"
)]

mod leaks;

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use leaks::Leaks;

/// An engine with its data in a temporary folder. Dropping it ends the engine, its containers and
/// the folder.
pub struct Corten {
    binary: PathBuf,
    folder: TempDir,
    engine: Option<Child>,
}

impl Corten {
    /// Starts an engine of `binary` and imports `busybox:latest`.
    pub fn start(binary: impl Into<PathBuf>) -> Self {
        let mut corten = Self::stopped(binary);
        corten.start_engine();
        let tar = corten.busybox_tar();
        corten.ok(&[
            "import",
            "--change",
            r#"CMD ["sh"]"#,
            &tar,
            "busybox:latest",
        ]);
        corten
    }

    /// A folder for an engine that does not run yet.
    pub fn stopped(binary: impl Into<PathBuf>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("corten-test-")
            .tempdir()
            .unwrap();
        Self {
            binary: binary.into(),
            folder,
            engine: None,
        }
    }

    /// A temporary folder of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data root.
    pub fn root(&self) -> PathBuf {
        self.folder().join("root")
    }

    /// Where the sockets are.
    pub fn run_dir(&self) -> PathBuf {
        self.folder().join("run")
    }

    /// The engine's socket.
    pub fn socket(&self) -> PathBuf {
        self.run_dir().join("corten.sock")
    }

    /// The value for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Starts the engine and waits until it listens. Returns how long that took.
    pub fn start_engine(&mut self) -> Duration {
        fs::create_dir_all(self.run_dir()).unwrap();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder().join("engine.log"))
            .unwrap();
        let begin = Instant::now();
        let child = Command::new(&self.binary)
            .arg("engine")
            .arg("--root")
            .arg(self.root())
            .arg("--run-dir")
            .arg(self.run_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.engine = Some(child);
        while UnixStream::connect(self.socket()).is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "{}",
                self.engine_log()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        begin.elapsed()
    }

    /// `kill -9` for the engine alone: containers go on.
    pub fn kill_engine(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.kill().unwrap();
            engine.wait().unwrap();
        }
    }

    /// The engine's process id.
    pub fn engine_pid(&self) -> u32 {
        self.engine.as_ref().expect("the engine runs").id()
    }

    /// What the engine wrote to its log.
    pub fn engine_log(&self) -> String {
        fs::read_to_string(self.folder().join("engine.log")).unwrap_or_default()
    }

    /// A command line of ours, not started.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            // An explicit host: no client starts an engine that the test does not know of.
            .env("DOCKER_HOST", self.host())
            .env("CORTEN_ROOT", self.root())
            .env("CORTEN_RUN_DIR", self.run_dir())
            .env("NO_COLOR", "1");
        command
    }

    /// Runs a command line of ours to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command line that must succeed. Returns its standard output, trimmed.
    pub fn ok(&self, words: &[&str]) -> String {
        text(words, &self.run(words), &self.engine_log())
    }

    /// Runs the stock docker client against our socket; it must succeed.
    pub fn docker(&self, words: &[&str]) -> String {
        let output = Command::new("docker")
            .args(words)
            .env("DOCKER_HOST", self.host())
            .env("DOCKER_BUILDKIT", "0")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        text(words, &output, &self.engine_log())
    }

    /// A tar of a root folder with a static busybox in it.
    pub fn busybox_tar(&self) -> String {
        let root = self.folder().join("busybox");
        fs::create_dir_all(root.join("bin")).unwrap();
        for folder in ["etc", "tmp", "root"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(
            root.join("etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/:\n",
        )
        .unwrap();
        fs::write(
            root.join("etc/group"),
            "root:x:0:\nann:x:1000:\nstaff:x:50:ann\n",
        )
        .unwrap();
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
        let list = Command::new("/bin/busybox").arg("--list").output().unwrap();
        for applet in String::from_utf8(list.stdout).unwrap().lines() {
            let link = root.join("bin").join(applet);
            if !link.exists() {
                std::os::unix::fs::symlink("busybox", link).unwrap();
            }
        }
        let tar = self.folder().join("busybox.tar");
        // The same bytes for every engine: images of it are compared between engines.
        let made = Command::new("tar")
            .args([
                "--sort=name",
                "--mtime=@315532801",
                "--owner=0",
                "--group=0",
                "-cf",
            ])
            .arg(&tar)
            .arg("-C")
            .arg(&root)
            .arg(".")
            .status();
        assert!(made.unwrap().success());
        tar.to_str().unwrap().to_owned()
    }

    /// What this engine left behind, now.
    pub fn leaks(&self) -> Leaks {
        Leaks::find(self.folder())
    }
}

impl Drop for Corten {
    fn drop(&mut self) {
        self.kill_engine();
        for shim in leaks::shims(self.folder()) {
            if let Some(pid) = rustix::process::Pid::from_raw(shim) {
                // The container dies with its shim.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

fn text(words: &[&str], output: &Output, log: &str) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{words:?}: {}\n-- stdout\n{stdout}\n-- stderr\n{stderr}\n-- engine\n{log}",
        output.status
    );
    stdout.trim().to_owned()
}
