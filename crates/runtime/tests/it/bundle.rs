//! A bundle in a temporary folder, and the runtime to run it with.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use oci::runtime::{LinuxNamespace, LinuxNamespaceType, Mount, Spec};
use tempfile::TempDir;

const APPLETS: &[&str] = &[
    "sh", "cat", "echo", "false", "grep", "hostname", "id", "ip", "ls", "mkdir", "mount",
    "readlink", "sleep", "stat", "touch", "true", "tty", "umask", "wc", "env", "pwd", "ps",
];

/// A bundle whose program is a shell script. All that is left of it goes away when dropped.
pub(crate) struct Bundle {
    folder: TempDir,
    pub(crate) id: String,
    pub(crate) spec: Spec,
}

impl Bundle {
    pub(crate) fn new(script: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let rootfs = folder.path().join("rootfs");
        for name in ["bin", "proc", "sys", "dev", "etc", "tmp"] {
            fs::create_dir_all(rootfs.join(name)).unwrap();
        }
        fs::copy("/bin/busybox", rootfs.join("bin/busybox")).expect("busybox-static is installed");
        for applet in APPLETS {
            symlink("busybox", rootfs.join("bin").join(applet)).unwrap();
        }
        let mut spec = runtime::defaults::spec();
        let arguments = ["sh", "-c", script].map(str::to_owned).to_vec();
        spec.process_mut()
            .as_mut()
            .unwrap()
            .set_args(Some(arguments));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            folder,
            id: format!("it-{}-{number}", std::process::id()),
            spec,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn process(&mut self) -> &mut oci::runtime::Process {
        self.spec.process_mut().as_mut().unwrap()
    }

    pub(crate) fn linux(&mut self) -> &mut oci::runtime::Linux {
        self.spec.linux_mut().as_mut().unwrap()
    }

    pub(crate) fn mount(&mut self, target: &str, kind: &str, source: &Path, options: &str) {
        let mut mount = Mount::default();
        let options = options.split(',').map(str::to_owned).collect();
        mount
            .set_destination(target.into())
            .set_typ(Some(kind.to_owned()))
            .set_source(Some(source.to_owned()))
            .set_options(Some(options));
        self.spec.mounts_mut().as_mut().unwrap().push(mount);
    }

    pub(crate) fn namespace(&mut self, kind: LinuxNamespaceType) {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind).set_path(None);
        let linux = self.linux();
        let mut all = linux.namespaces().clone().unwrap();
        all.push(namespace);
        linux.set_namespaces(Some(all));
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_corten-runtime"));
        command
            .arg("--root")
            .arg(self.path("state"))
            .args(words)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn write(&self) {
        let text = serde_json::to_string(&self.spec).unwrap();
        fs::write(self.path("config.json"), text).unwrap();
    }

    fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let named = |word: &&'a str| {
            if *word == "ID" {
                self.id.as_str()
            } else {
                *word
            }
        };
        words.iter().map(named).collect()
    }

    /// Runs a command of the runtime on this container; `ID` stands for its name.
    pub(crate) fn runtime(&self, words: &[&str]) -> Output {
        self.command(&self.words(words)).output().unwrap()
    }

    /// The same in the background.
    pub(crate) fn spawn(&self, words: &[&str]) -> std::process::Child {
        self.command(&self.words(words)).spawn().unwrap()
    }

    /// Runs the container to its end.
    pub(crate) fn run(&self) -> Output {
        self.write();
        let folder = self.folder.path().to_str().unwrap();
        self.runtime(&["run", "--bundle", folder, "ID"])
    }

    /// What it prints, if it ends well.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let output = self.run();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts it in the background.
    #[track_caller]
    pub(crate) fn start(&self) {
        self.write();
        let folder = self.folder.path().to_str().unwrap();
        let words = [
            "--root",
            self.path("state").to_str().unwrap(),
            "run",
            "--detach",
            "--bundle",
            folder,
            &self.id,
        ]
        .map(str::to_owned);
        let status = Command::new(env!("CARGO_BIN_EXE_corten-runtime"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Its state by the runtime's own word.
    pub(crate) fn state(&self) -> serde_json::Value {
        serde_json::from_slice(&self.runtime(&["state", "ID"]).stdout).unwrap_or_default()
    }

    /// A file of its control group, on the hierarchy of the controller.
    pub(crate) fn group_file(&self, controller: &str, file: &str) -> PathBuf {
        let v1 = Path::new("/sys/fs/cgroup").join(controller);
        let mount = if v1.is_dir() {
            v1
        } else {
            "/sys/fs/cgroup".into()
        };
        mount.join("corten").join(&self.id).join(file)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        self.runtime(&["delete", "--force", "ID"]);
    }
}

/// What a command said on standard error.
pub(crate) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
