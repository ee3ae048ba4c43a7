//! A container in a folder of its own, and a client that reads its frames.

use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use oci::runtime::Spec;
use shim::{
    Attach, Client, Config, Event, Events, Exec, Exit, Fds, LogOptions, Mode, Overlay, Rootfs,
    StdinMode, Streams,
};

pub(crate) const ALL: Streams = Streams {
    stdin: true,
    stdout: true,
    stderr: true,
};
pub(crate) const OUTPUT: Streams = Streams {
    stdin: false,
    stdout: true,
    stderr: true,
};

/// A container's folders; what is left of it is killed at the end.
pub(crate) struct Container {
    _root: tempfile::TempDir,
    pub(crate) config: Config,
}

/// None where containers cannot run.
pub(crate) fn container(arguments: &[&str]) -> Option<Container> {
    let busybox = Path::new("/bin/busybox");
    if !rustix::process::geteuid().is_root() || !busybox.exists() {
        return None;
    }
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for name in [
        "rootfs/bin",
        "rootfs/proc",
        "rootfs/dev",
        "upper",
        "work",
        "run",
        "dir",
    ] {
        fs::create_dir_all(at(name)).unwrap();
    }
    fs::copy(busybox, at("rootfs/bin/busybox")).unwrap();
    for name in [
        "sh", "cat", "echo", "sleep", "true", "kill", "stty", "ls", "dd", "yes", "tty",
    ] {
        std::os::unix::fs::symlink("busybox", at("rootfs/bin").join(name)).unwrap();
    }
    let id = format!(
        "shim-test-{}",
        root.path().file_name().unwrap().to_str().unwrap()
    );
    let id = id.replace('.', "");
    let config = Config {
        version: Config::VERSION,
        run_dir: at("run"),
        dir: at("dir"),
        mode: Mode::Supervised,
        rootfs: Rootfs::Overlay(Overlay {
            lower: vec![at("rootfs")],
            upper: Some((at("upper"), at("work"))),
            volatile: false,
        }),
        spec: spec(&id, arguments),
        id,
        seccomp: None,
        stdin: StdinMode::Closed,
        log: Some(LogOptions::new(at("dir/log.json"))),
        stop_signal: 15,
        stop_timeout: Some(Duration::from_secs(10)),
    };
    Some(Container {
        _root: root,
        config,
    })
}

fn spec(id: &str, arguments: &[&str]) -> Spec {
    let document = serde_json::json!({
        "ociVersion": "1.2.0",
        "root": { "path": "rootfs" },
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "cwd": "/",
            "args": arguments,
            "env": ["PATH=/bin"],
        },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"] },
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
              "options": ["newinstance", "ptmxmode=0666", "mode=0620"] },
        ],
        "linux": {
            "cgroupsPath": format!("/corten-test/{id}"),
            "namespaces": [
                { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" },
                { "type": "network" },
            ],
        },
    });
    serde_json::from_value(document).unwrap()
}

impl Container {
    pub(crate) fn with_terminal(mut self) -> Self {
        let mut process = self.config.spec.process().clone().unwrap();
        process.set_terminal(Some(true));
        self.config.spec.set_process(Some(process));
        self
    }

    pub(crate) fn with_stdin(mut self, stdin: StdinMode) -> Self {
        self.config.stdin = stdin;
        self
    }

    /// The test's shim program.
    pub(crate) fn program() -> PathBuf {
        env!("CARGO_BIN_EXE_shim-process").into()
    }

    pub(crate) fn create(&self) -> Client {
        shim::spawn(&Self::program(), &self.config, Fds::default())
            .unwrap()
            .0
    }

    /// Creates and starts.
    pub(crate) fn start(&self) -> Events {
        let mut client = self.create();
        client.start().unwrap();
        client.subscribe().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.config.run_dir, &self.config.id).unwrap()
    }

    pub(crate) fn attach(&self, client: &mut Client, streams: Streams) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        client.attach(&attach(streams), theirs.as_fd()).unwrap();
        ours
    }

    /// The log's texts of one stream.
    pub(crate) fn log(&self, stream: shim::log::Stream) -> String {
        let path = self.config.dir.join("log.json");
        let mut reader = shim::log::Reader::open(path, Default::default()).unwrap();
        let mut text = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            if entry.stream == stream {
                text.extend(entry.line);
            }
        }
        String::from_utf8(text).unwrap()
    }

    pub(crate) fn exit_file(&self) -> Option<Exit> {
        Exit::read(&self.config.dir).unwrap()
    }

    /// Nothing is left of the container.
    pub(crate) fn assert_gone(&self) {
        let socket = shim::socket_path(&self.config.run_dir, &self.config.id);
        let path = format!("corten-test/{}", self.config.id);
        wait_for("the shim's end", || {
            let groups = ["memory", "pids", "unified", ""];
            let group = |name: &&str| Path::new("/sys/fs/cgroup").join(name).join(&path).exists();
            !socket.exists() && !groups.iter().any(group)
        });
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Ok(mut client) = Client::connect(&self.config.run_dir, &self.config.id) {
            let _ = client.stop(Some(9), Some(Some(Duration::ZERO)));
        }
    }
}

pub(crate) fn attach(streams: Streams) -> Attach {
    Attach {
        streams,
        detach_keys: Vec::new(),
        early_input: Vec::new(),
    }
}

pub(crate) fn exec(id: &str, arguments: &[&str], streams: Streams) -> Exec {
    let document = serde_json::json!({
        "user": { "uid": 0, "gid": 0 },
        "cwd": "/",
        "args": arguments,
        "env": ["PATH=/bin"],
    });
    let process = serde_json::from_value(document).unwrap();
    Exec {
        id: id.into(),
        process,
        attach: attach(streams),
    }
}

/// Reads events up to the exit.
pub(crate) fn exit(events: &mut Events) -> Exit {
    loop {
        let event = events.wait_next().unwrap();
        if let Event::Exited(exit) = event.unwrap() {
            return exit;
        }
    }
}

/// Output and errors of a client's stream, to its end.
pub(crate) fn frames(mut stream: &UnixStream) -> (String, String) {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let mut texts = [Vec::new(), Vec::new()];
    let mut rest = bytes.as_slice();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes(head[4..].try_into().unwrap()) as usize;
        let (payload, after) = after.split_at(length);
        texts[usize::from(head[0]) - 1].extend_from_slice(payload);
        rest = after;
    }
    assert!(rest.is_empty(), "half a frame");
    let [out, errors] = texts.map(|text| String::from_utf8(text).unwrap());
    (out, errors)
}

/// Reads raw bytes until the text has come.
pub(crate) fn read_until(mut stream: &UnixStream, text: &str) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut all = String::new();
    let mut buffer = [0; 1024];
    while !all.contains(text) {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "the end before {text:?} in {all:?}");
        all.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    all
}

pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn fd(stream: &UnixStream) -> BorrowedFd<'_> {
    stream.as_fd()
}
