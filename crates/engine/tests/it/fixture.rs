//! An engine in a folder of its own, with a busybox image.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use engine::spec::{Attach, CreateOptions, HostOptions, NetworkMode, ProcessOptions};
use engine::{AttachOptions, Engine, EngineConfig, ImportOptions, WaitCondition};
use tempfile::TempDir;

/// An engine and its folder.
pub(crate) struct Fixture {
    pub(crate) engine: Engine,
    pub(crate) folder: TempDir,
}

/// The binary with the roles that an engine starts: built beside the tests.
pub(crate) fn exe() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let debug = test.parent().and_then(|deps| deps.parent()).unwrap();
    let exe = debug.join("examples/roles");
    assert!(exe.exists(), "run all targets: cargo test -p engine");
    exe
}

pub(crate) fn config(folder: &Path) -> EngineConfig {
    EngineConfig {
        root: folder.join("root"),
        run_dir: folder.join("run"),
        exe: exe(),
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::with_prefix("corten-engine-").unwrap();
        let engine = Engine::start(config(folder.path())).await.unwrap();
        let options = ImportOptions {
            reference: Some("busybox".parse().unwrap()),
            ..ImportOptions::default()
        };
        engine
            .images
            .import(std::io::Cursor::new(busybox()), options)
            .await
            .unwrap();
        Self { engine, folder }
    }

    /// A container of a shell script without a network.
    pub(crate) fn script(script: &str) -> CreateOptions {
        CreateOptions {
            image: "busybox".to_owned(),
            process: ProcessOptions {
                cmd: Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec()),
                ..ProcessOptions::default()
            },
            host: HostOptions {
                network: NetworkMode::None,
                ..HostOptions::default()
            },
            ..CreateOptions::default()
        }
    }

    /// Creates, attaches, starts, waits: the exit code and what came out on both streams.
    pub(crate) async fn run(&self, options: CreateOptions) -> (u8, String) {
        let containers = &self.engine.containers;
        let id = containers.create(options).await.unwrap().id;
        let attach = AttachOptions {
            streams: Attach {
                stdin: false,
                stdout: true,
                stderr: true,
            },
            stream: true,
            ..AttachOptions::default()
        };
        let attachment = containers.attach(id.as_str(), attach).await.unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        attachment
            .hand_over(theirs.into(), Vec::new())
            .await
            .unwrap();
        let waiter = containers
            .wait(id.as_str(), WaitCondition::NextExit)
            .await
            .unwrap();
        containers.start(id.as_str()).await.unwrap();
        let reader = tokio::task::spawn_blocking(move || unframe(ours));
        let ended = waiter.ended().await.unwrap();
        (ended.code, reader.await.unwrap())
    }
}

impl Fixture {
    /// Gives work in the background time to end.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

/// Takes Docker's frames off.
pub(crate) fn unframe(mut stream: UnixStream) -> String {
    let mut text = Vec::new();
    let mut head = [0_u8; 8];
    while stream.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let mut piece = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut piece).unwrap();
        text.append(&mut piece);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A root file system: busybox with links for its commands, and tables of users.
pub(crate) fn busybox() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |path: &str, mode: u32, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(mode);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, path, bytes).unwrap();
    };
    add(
        "bin/busybox",
        0o755,
        &std::fs::read("/bin/busybox").unwrap(),
    );
    let passwd = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n";
    add("etc/passwd", 0o644, passwd);
    add(
        "etc/group",
        0o644,
        b"root:x:0:\nwheel:x:10:root\napp:x:1000:\n",
    );
    add("data/seed", 0o644, b"from the image\n");
    for command in [
        "sh", "cat", "echo", "sleep", "true", "false", "id", "ls", "mount", "env", "hostname",
        "ps", "kill", "touch", "dd", "head", "tail", "stat", "nslookup", "ping", "wget", "ip",
        "grep", "mkdir", "rm", "test", "chmod", "seq", "yes", "trap",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        tar.append_link(&mut header, format!("bin/{command}"), "busybox")
            .unwrap();
    }
    tar.into_inner().unwrap()
}
