//! An executor without processes: it mounts the root as a sandbox would and interprets a few
//! words, joined by `&&`.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use build::{Chunk, Exec, ExecError, Executor, Mount, MountSource, Stream};
use sys::root::RootDir;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub(crate) struct Interpreter {
    pub(crate) runs: AtomicUsize,
    pub(crate) killed: AtomicUsize,
}

impl Executor for Interpreter {
    fn run(
        &self,
        exec: Exec,
        cancel: CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Result<i32, ExecError>> + Send + '_>> {
        Box::pin(async move {
            self.runs.fetch_add(1, Ordering::SeqCst);
            let process = Process::start(exec)?;
            for command in process.script.split("&&") {
                let words: Vec<&str> = command.split_whitespace().collect();
                if words == ["hang"] {
                    cancel.cancelled().await;
                    self.killed.fetch_add(1, Ordering::SeqCst);
                    return Ok(137);
                }
                let text = match words.as_slice() {
                    ["exit", code] => return Ok(code.parse()?),
                    words => process.execute(words)?,
                };
                if !text.is_empty() {
                    let stream = Stream::Stdout;
                    let bytes = text.into_bytes();
                    let _ = process.exec.output.send(Chunk { stream, bytes }).await;
                }
            }
            Ok(0)
        })
    }
}

struct Process {
    exec: Exec,
    root: RootDir,
    script: String,
}

impl Process {
    fn start(exec: Exec) -> Result<Self, ExecError> {
        let root = RootDir::from(exec.rootfs.mount()?);
        for folder in ["proc", "sys", "dev", "etc"] {
            root.create_dir_all(folder, 0o755)?;
        }
        for file in ["resolv.conf", "hosts"] {
            let made = root.dir("etc")?.create_file(file.as_ref(), 0o644);
            drop(made);
        }
        for mount in &exec.mounts {
            let target = Path::new(&mount.target);
            match &mount.source {
                MountSource::Path(path) if path.is_file() => {
                    let folder = target.parent().unwrap_or(Path::new("/"));
                    let dir = root.create_dir_all(folder, 0o755)?;
                    drop(dir.create_file(target.file_name().unwrap_or_default(), 0o644));
                }
                _ => drop(root.create_dir_all(target, 0o755)?),
            }
        }
        let script = exec.args.last().cloned().unwrap_or_default();
        Ok(Self { exec, root, script })
    }

    fn absolute(&self, path: &str) -> PathBuf {
        Path::new(&self.exec.cwd).join(path)
    }

    fn mount(&self, path: &Path) -> Option<(&Mount, PathBuf)> {
        self.exec.mounts.iter().find_map(|mount| {
            let rest = path.strip_prefix(&mount.target).ok()?;
            Some((mount, rest.to_owned()))
        })
    }

    fn execute(&self, words: &[&str]) -> Result<String, ExecError> {
        match words {
            ["echo", rest @ ..] => Ok(rest.join(" ")),
            ["env", name] => {
                let prefix = format!("{name}=");
                let value = self
                    .exec
                    .env
                    .iter()
                    .find_map(|pair| pair.strip_prefix(&prefix));
                Ok(value.unwrap_or("(unset)").to_owned())
            }
            ["user"] => Ok(format!("{} in {}", self.exec.user, self.exec.cwd)),
            ["cat", path] => self.read(&self.absolute(path)),
            ["write", path, rest @ ..] => self.write(&self.absolute(path), &rest.join(" ")),
            ["mkdir", path] => {
                self.root.create_dir_all(self.absolute(path), 0o755)?;
                Ok(String::new())
            }
            ["rm", path] => {
                self.root.remove_all(self.absolute(path))?;
                Ok(String::new())
            }
            ["true"] | [] => Ok(String::new()),
            other => Err(format!("unknown command {other:?}").into()),
        }
    }

    fn read(&self, path: &Path) -> Result<String, ExecError> {
        let mut text = String::new();
        match self.mount(path) {
            Some((mount, rest)) => match &mount.source {
                MountSource::Path(file) if rest.as_os_str().is_empty() => {
                    text = std::fs::read_to_string(file)?;
                }
                MountSource::Path(folder) => text = std::fs::read_to_string(folder.join(rest))?,
                MountSource::Tree(tree) if rest.as_os_str().is_empty() => {
                    let path = format!("/proc/self/fd/{}", tree.as_raw_fd());
                    text = std::fs::read_to_string(path)?;
                }
                MountSource::Tree(tree) => {
                    let tree = RootDir::from(tree.try_clone()?);
                    tree.open_file(rest)?.read_to_string(&mut text)?;
                }
                MountSource::Tmpfs { .. } => {}
            },
            None => {
                self.root.open_file(path)?.read_to_string(&mut text)?;
            }
        }
        Ok(text)
    }

    fn write(&self, path: &Path, text: &str) -> Result<String, ExecError> {
        if let Some((mount, rest)) = self.mount(path)
            && let MountSource::Path(folder) = &mount.source
        {
            std::fs::write(folder.join(rest), text)?;
            return Ok(String::new());
        }
        let (dir, name) = self.root.parent(path)?;
        match dir.remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        dir.create_file(name, 0o644)?.write_all(text.as_bytes())?;
        Ok(String::new())
    }
}
