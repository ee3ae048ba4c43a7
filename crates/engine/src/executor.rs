//! Steps of builds run by the same sandbox path as containers, with a supervisor that lives no
//! longer than the step.
//!
//! A step has a folder in the run folder, made before anything else of it and removed last: it
//! holds the files that are mounted over `/etc/hosts` and so on, and the name of its cable. After a
//! crash it tells what to clean up.

use std::collections::HashSet;
use std::future::Future;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use build::{Builder, BuilderOptions, Chunk, Exec, ExecError, Executor, MountSource, Stream};
use network::resolv::Overrides;
use oci::runtime::Mount;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::blocking::blocking;
use crate::containers::{Containers, start_error};
use crate::error::IoContext as _;
use crate::readiness::Readiness;
use crate::sandbox::files::{EtcFiles, EtcNetwork};
use crate::sandbox::plan::{Join, Plan, Task, bind};
use crate::sandbox::{defaults, devices::Devices, files, root};
use crate::spec::{Endpoint, ExtraHost, HostOptions, NetworkMode};
use crate::{Error, Id};

/// File in a step's folder that names its cable.
pub(crate) const DEVICE: &str = "device";
const PARALLEL: usize = 4;
const SIGTERM: i32 = 15;
const SIGKILLED: i32 = 137;
const PIPE_CHUNK: usize = 32 * 1024;

/// The steps that run now, by the names of their folders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<HashSet<String>>>);

impl Steps {
    pub(crate) fn is_running(&self, id: &str) -> bool {
        self.lock().contains(id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A builder whose steps run in sandboxes of this engine.
pub(crate) fn builder(containers: &Containers) -> Builder {
    let parts = &containers.0;
    let options = BuilderOptions {
        run_dir: parts.layout.run_dir().to_owned(),
        parallelism: parts.host.cpus.max(PARALLEL),
    };
    let executor = Arc::new(Sandboxes(containers.clone()));
    Builder::new(parts.store.clone(), executor, options)
}

struct Sandboxes(Containers);

impl Executor for Sandboxes {
    fn run(
        &self,
        exec: Exec,
        cancel: CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Result<i32, ExecError>> + Send + '_>> {
        Box::pin(async move { Ok(self.0.run_step(exec, cancel).await?) })
    }
}

/// A step that was set up, with what must be taken back.
struct Step {
    id: String,
    folder: PathBuf,
    endpoint: Option<Endpoint>,
    containers: Containers,
}

impl Drop for Step {
    /// The supervisor has removed the control group; the rest is ours.
    fn drop(&mut self) {
        if let Some(endpoint) = &self.endpoint
            && let Err(error) = self.containers.0.bridge.release(endpoint)
        {
            tracing::warn!(step = %self.id, %error, "its cable is left for the next start");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(step = %self.id, %error, "its folder is left for the next start");
        }
        self.containers.0.steps.lock().remove(&self.id);
    }
}

/// A step that runs.
struct Started {
    step: Step,
    client: shim::Client,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl Containers {
    async fn run_step(&self, exec: Exec, cancel: CancellationToken) -> Result<i32, Error> {
        let output = exec.output.clone();
        let this = self.clone();
        let started = blocking(move || this.start_step(&exec)).await?;
        let out = tokio::task::spawn_blocking({
            let output = output.clone();
            move || pump(started.stdout, Stream::Stdout, &output)
        });
        let err =
            tokio::task::spawn_blocking(move || pump(started.stderr, Stream::Stderr, &output));
        let code = until_end(started.client, cancel).await;
        // The pipes end with the last process that holds them, so all output has come.
        let (out, err) = (out.await, err.await);
        // Nothing of its process is left; the kernel takes its time to pull a cable.
        let step = started.step;
        tokio::task::spawn_blocking(move || drop(step));
        out?;
        err?;
        code
    }

    fn start_step(&self, exec: &Exec) -> Result<Started, Error> {
        let id = Id::random()?.to_string();
        let folder = self.0.layout.steps().join(&id);
        self.0.steps.lock().insert(id.clone());
        let mut step = Step {
            id,
            folder,
            endpoint: None,
            containers: self.clone(),
        };
        std::fs::create_dir_all(&step.folder).at("making", &step.folder)?;
        let netns = self.step_network(&mut step, exec.network)?;
        self.write_step_files(&step, exec)?;
        let (config, trees) = self.step_config(&step, exec)?;
        let (stdout, their_stdout) = pipe()?;
        let (stderr, their_stderr) = pipe()?;
        let fds = shim::Fds {
            netns,
            stdio: Some(shim::Stdio {
                stdin: None,
                stdout: their_stdout,
                stderr: their_stderr,
            }),
            trees,
        };
        let (mut client, _) =
            shim::spawn(self.0.layout.exe(), &config, fds).map_err(|error| start_error(&error))?;
        client.start().map_err(|error| start_error(&error))?;
        Ok(Started {
            step,
            client,
            stdout,
            stderr,
        })
    }

    fn step_network(
        &self,
        step: &mut Step,
        kind: build::Network,
    ) -> Result<Option<OwnedFd>, Error> {
        if kind != build::Network::Default {
            return Ok(None);
        }
        let endpoint = step.endpoint.insert(self.0.bridge.reserve()?);
        let note = step.folder.join(DEVICE);
        std::fs::write(&note, &endpoint.host_device).at("writing", note)?;
        self.0.bridge.connect(endpoint).map(Some)
    }

    fn write_step_files(&self, step: &Step, exec: &Exec) -> Result<(), Error> {
        let extra_hosts: Vec<ExtraHost> = exec
            .extra_hosts
            .iter()
            .map(|(name, address)| extra_host(name, address))
            .collect::<Result<_, _>>()?;
        EtcFiles {
            hostname: hostname(exec),
            domainname: "",
            extra_hosts: &extra_hosts,
            resolver: Overrides::default(),
            network: match (&step.endpoint, exec.network) {
                (Some(endpoint), _) => EtcNetwork::Bridge {
                    own: endpoint.address,
                    gateway: endpoint.gateway,
                },
                (None, build::Network::Host) => EtcNetwork::Host,
                (None, _) => EtcNetwork::Alone,
            },
        }
        .write(&step.folder)
    }

    fn step_config(
        &self,
        step: &Step,
        exec: &Exec,
    ) -> Result<(shim::Config, Vec<shim::Tree>), Error> {
        let host = HostOptions {
            network: match exec.network {
                build::Network::Default => NetworkMode::Bridge,
                build::Network::None => NetworkMode::None,
                build::Network::Host => NetworkMode::Host,
            },
            shm_size: exec.shm_size,
            ..HostOptions::default()
        };
        // An upper folder that was mounted volatile once cannot be mounted again.
        let look = sys::mount::Overlay {
            volatile: false,
            ..exec.rootfs.clone()
        };
        let identity = root::identity(&root::of_overlay(&look)?, &exec.user, &[])?;
        let (own, trees) = mounts(&exec.mounts)?;
        let mut all = files::mounts(&step.folder, &own, true);
        all.extend(own);
        let plan = Plan {
            id: &step.id,
            task: Task {
                args: &exec.args,
                env: &exec.env,
                cwd: &exec.cwd,
                identity: &identity,
                tty: false,
                console_size: None,
            },
            host: &host,
            hostname: hostname(exec),
            domainname: "",
            mounts: all,
            devices: Devices::default(),
            join: Join::default(),
            cgroup_v2: self.0.host.cgroup_v2,
            init: None,
            own_network: host.network != NetworkMode::Host,
            cpus: self.0.host.cpus,
        };
        let config = shim::Config {
            version: shim::Config::VERSION,
            id: step.id.clone(),
            run_dir: self.0.layout.run_dir().to_owned(),
            dir: step.folder.clone(),
            mode: shim::Mode::OneShot,
            rootfs: shim::Rootfs::Overlay(shim::Overlay {
                lower: exec.rootfs.lower.clone(),
                upper: exec.rootfs.upper.clone(),
                volatile: exec.rootfs.volatile,
            }),
            spec: plan.spec()?,
            seccomp: self.0.filters.file_for(&host)?,
            stdin: shim::StdinMode::Closed,
            log: None,
            stop_signal: SIGTERM,
            stop_timeout: Some(std::time::Duration::ZERO),
        };
        Ok((config, trees))
    }
}

fn hostname(exec: &Exec) -> &str {
    // A name that is the same on every machine keeps results the same, too.
    exec.hostname.as_deref().unwrap_or("buildkitsandbox")
}

fn extra_host(name: &str, address: &str) -> Result<ExtraHost, Error> {
    let address = match address {
        "host-gateway" => None,
        text => Some(text.parse::<IpAddr>().map_err(|_| {
            Error::invalid(
                "address in --add-host",
                text,
                "expected an IP address or host-gateway",
            )
        })?),
    };
    Ok(ExtraHost {
        name: name.to_owned(),
        address,
    })
}

/// The mounts of a step: those that the document can name, and trees that come as descriptors.
fn mounts(asked: &[build::Mount]) -> Result<(Vec<Mount>, Vec<shim::Tree>), Error> {
    let mut list = Vec::new();
    let mut trees = Vec::new();
    for mount in asked {
        match &mount.source {
            MountSource::Path(path) => list.push(bind(path, &mount.target, !mount.read_only)),
            MountSource::Tmpfs { size } => {
                let mut options = vec!["nosuid".to_owned(), "nodev".to_owned()];
                options.extend(size.map(|size| format!("size={size}")));
                let options: Vec<&str> = options.iter().map(String::as_str).collect();
                list.push(defaults::mount(&mount.target, "tmpfs", "tmpfs", &options));
            }
            MountSource::Tree(tree) => trees.push(shim::Tree {
                destination: PathBuf::from(&mount.target),
                read_only: mount.read_only,
                mount: tree.try_clone().at("copying", Path::new(&mount.target))?,
            }),
        }
    }
    Ok((list, trees))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let (reader, writer) = io::pipe().at("making", "a pipe")?;
    Ok((reader.into(), writer.into()))
}

/// Passes what comes out of a pipe on, until it ends or nobody listens.
fn pump(pipe: OwnedFd, stream: Stream, output: &mpsc::Sender<Chunk>) {
    let mut pipe = std::fs::File::from(pipe);
    let mut buffer = vec![0; PIPE_CHUNK];
    let mut listens = true;
    // A reader that has gone must not stop the process with a broken pipe.
    while let Ok(length) = pipe.read(&mut buffer)
        && length > 0
    {
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        listens = listens && output.blocking_send(Chunk { stream, bytes }).is_ok();
    }
}

/// Waits for the exit code. Cancelling kills the process and goes on waiting.
async fn until_end(client: shim::Client, cancel: CancellationToken) -> Result<i32, Error> {
    let mut events = client.subscribe().map_err(|error| start_error(&error))?;
    let readiness = Readiness::of(&events).at("watching", "a build step")?;
    loop {
        let mut ready = tokio::select! {
            ready = readiness.wait() => ready.at("watching", "a build step")?,
            // Closing the connection ends the container with everything in it.
            () = cancel.cancelled() => return Ok(SIGKILLED),
        };
        match events.try_next() {
            Ok(shim::Next::Pending) => ready.clear_ready(),
            Ok(shim::Next::Event(shim::Event::Exited(exit))) => return Ok(exit.code),
            Ok(shim::Next::Event(_)) => {}
            Ok(shim::Next::End) => return Ok(SIGKILLED),
            Err(error) => return Err(start_error(&error)),
        }
    }
}
