//! Starting a container: plan, files, network, supervisor, process. What was done is taken back in
//! reverse order when a step fails.

use std::path::Path;

use jiff::Timestamp;
use network::resolv::Overrides;
use sys::mount::Overlay;

use super::{Containers, Ended};
use crate::Error;
use crate::error::IoContext as _;
use crate::handles::Handle;
use crate::rows::Row;
use crate::sandbox::files::{EtcFiles, EtcNetwork};
use crate::sandbox::plan::{Join, Plan, Task};
use crate::sandbox::{devices, files, mounts, root};
use crate::spec::{LogDriver, MountSource, Namespace, NetworkMode};
use crate::state::{Exited, Running};

const STATUS_NOT_FOUND: u8 = 127;
const STATUS_NOT_EXECUTABLE: u8 = 126;
const STATUS_FAILED: u8 = 128;
const SIGKILL: i32 = 9;

impl Containers {
    /// Starts it. Returns once its process runs, or could not be started.
    pub async fn start(&self, name: &str) -> Result<(), Error> {
        let row = self.find(name).await?;
        self.change(&row, Self::start_now).await
    }

    fn start_now(&self, handle: &Handle, id: &str) -> Result<(), Error> {
        let mut row = self.0.rows.get(id)?;
        let before = row.document.state.exit().and_then(|exit| exit.started);
        let starting = row.document.state.starting(id)?;
        let join = self.join(&row)?;
        if row.document.options.host.network == NetworkMode::Bridge {
            row.document.endpoint = Some(self.0.bridge.reserve()?);
        }
        // The names of everything that is made from here on are in the row.
        self.0.rows.set_state(&mut row, starting)?;
        match self.launch(&row, handle, join) {
            Ok((events, run)) => {
                let state = row.document.state.started(id, run)?;
                row.document.ran = true;
                self.0.rows.set_state(&mut row, state)?;
                self.publish(&row, "start", &[]);
                self.follow(row.id(), events);
                Ok(())
            }
            Err(error) => {
                let undone = self.start_failed(&mut row, handle, &error, before);
                Err(error.with_undo(undone))
            }
        }
    }

    fn start_failed(
        &self,
        row: &mut Row,
        handle: &Handle,
        error: &Error,
        before: Option<Timestamp>,
    ) -> Result<(), Error> {
        let code = match error {
            Error::StartFailed { code, .. } => *code,
            _ => STATUS_FAILED,
        };
        let text = error.to_string();
        let released = self.release_network(row);
        let state = row.document.state.exited(Exited {
            code,
            started: before,
            finished: Timestamp::now(),
            oom_killed: false,
            error: Some(text.clone()),
        });
        let written = match row.document.options.host.auto_remove {
            true => self.take_away(row, true),
            false => self.0.rows.set_state(row, state),
        };
        handle.ended(Ended {
            code,
            error: Some(text),
        });
        if row.document.options.host.auto_remove {
            self.0.handles.removed(row.id());
        }
        released.and(written)
    }

    /// Gives the container's place in the network back.
    pub(crate) fn release_network(&self, row: &mut Row) -> Result<(), Error> {
        match row.document.endpoint.take() {
            Some(endpoint) => self.0.bridge.release(&endpoint),
            None => Ok(()),
        }
    }

    /// First processes of the containers whose namespaces this one shares.
    fn join(&self, row: &Row) -> Result<Join, Error> {
        let host = &row.document.options.host;
        let pid_of = |id: &String| {
            let other = self.0.rows.get(id)?;
            let pid = other.document.state.pid();
            pid.map(Some).ok_or_else(|| Error::NotRunning(id.clone()))
        };
        let namespace = |namespace: &Namespace| match namespace {
            Namespace::Container(id) => pid_of(id),
            _ => Ok(None),
        };
        Ok(Join {
            network: match &host.network {
                NetworkMode::Container(id) => pid_of(id)?,
                _ => None,
            },
            ipc: namespace(&host.ipc)?,
            pid: namespace(&host.pid)?,
        })
    }

    fn launch(
        &self,
        row: &Row,
        handle: &Handle,
        join: Join,
    ) -> Result<(shim::Events, Running), Error> {
        let folder = self.0.layout.container(row.id());
        let lease = self.0.store.lease();
        let snapshot = row
            .snapshot
            .ok_or_else(|| Error::NoSuchContainer(row.id().to_owned()))?;
        let overlay = self.0.store.active(snapshot, &lease)?.overlay();
        // It is missing where the engine was killed right after the row was made.
        std::fs::create_dir_all(&folder).at("making", &folder)?;
        shim::Exit::clear(&folder).map_err(|source| self.shim_error(row.id(), source))?;
        self.prepare_mounts(row, &overlay)?;
        self.write_files(row, &folder, join)?;
        let network = match &row.document.endpoint {
            Some(endpoint) => Some(self.0.bridge.connect(endpoint)?),
            None => None,
        };
        let config = self.shim_config(row, &overlay, join)?;
        let fds = shim::Fds {
            netns: network,
            ..shim::Fds::default()
        };
        let (mut client, pid) =
            shim::spawn(self.0.layout.exe(), &config, fds).map_err(|error| start_error(&error))?;
        for pending in handle.take_pending() {
            // A client that has gone is no reason not to start.
            let _ = client.attach(&pending.request, std::os::fd::AsFd::as_fd(&pending.stream));
        }
        let started = Timestamp::now();
        if let Err(error) = client.start() {
            return Err(abandon(client, &error));
        }
        let events = client
            .subscribe()
            .map_err(|source| self.shim_error(row.id(), source))?;
        Ok((events, Running { pid, started }))
    }

    /// Volumes have their content, binds their sources.
    fn prepare_mounts(&self, row: &Row, overlay: &Overlay) -> Result<(), Error> {
        let points = &row.document.mounts;
        self.0
            .volumes
            .prepare(points, || root::of_overlay(overlay))?;
        for point in points {
            if let MountSource::Bind(bind) = &point.mount.source
                && !bind.source.exists()
            {
                if !bind.create {
                    return Err(Error::invalid(
                        "mount config for type \"bind\"",
                        &bind.source.to_string_lossy(),
                        "bind source path does not exist",
                    ));
                }
                std::fs::create_dir_all(&bind.source).at("making", &bind.source)?;
            }
        }
        Ok(())
    }

    fn write_files(&self, row: &Row, folder: &Path, join: Join) -> Result<(), Error> {
        if let (NetworkMode::Container(id), Some(_)) =
            (&row.document.options.host.network, join.network)
        {
            // Those of the other container stand in its own folder.
            let other = self.0.layout.container(id);
            for name in ["hosts", "hostname", "resolv.conf"] {
                std::fs::copy(other.join(name), folder.join(name))
                    .at("copying", folder.join(name))?;
            }
            return Ok(());
        }
        let host = &row.document.options.host;
        let hostname = self.hostname(row);
        EtcFiles {
            hostname: &hostname,
            domainname: &row.document.options.process.domainname,
            extra_hosts: &host.extra_hosts,
            resolver: Overrides {
                servers: host.dns.clone(),
                search: host.dns_search.clone(),
                options: host.dns_options.clone(),
            },
            network: match (&host.network, &row.document.endpoint) {
                (NetworkMode::Host, _) => EtcNetwork::Host,
                (_, Some(endpoint)) => EtcNetwork::Bridge {
                    own: endpoint.address,
                    gateway: endpoint.gateway,
                },
                _ => EtcNetwork::Alone,
            },
        }
        .write(folder)
    }

    /// The name that the container was given, that of the host where it shares it, else its id.
    pub(crate) fn hostname(&self, row: &Row) -> String {
        let options = &row.document.options;
        let shares =
            options.host.uts == Namespace::Host || options.host.network == NetworkMode::Host;
        match options.process.hostname.as_str() {
            "" if shares => self.0.host.hostname(),
            "" => row.document.id.short().to_owned(),
            name => name.to_owned(),
        }
    }

    fn shim_config(&self, row: &Row, overlay: &Overlay, join: Join) -> Result<shim::Config, Error> {
        let document = &row.document;
        let options = &document.options;
        let folder = self.0.layout.container(row.id());
        let identity = self.0.identities.of(row, overlay)?;
        let own = mounts::user_mounts(&document.mounts);
        let mut all = files::mounts(&folder, &own, options.host.read_only);
        all.extend(own);
        let plan = Plan {
            id: row.id(),
            task: Task {
                args: &document.process.args,
                env: &document.process.env,
                cwd: &document.process.working_dir,
                identity: &identity,
                tty: options.process.tty,
                console_size: options.process.console_size,
            },
            host: &options.host,
            hostname: &self.hostname(row),
            domainname: &options.process.domainname,
            mounts: all,
            devices: devices::collect(&options.host)?,
            join,
            cgroup_v2: self.0.host.cgroup_v2,
            init: options.host.init.then(|| self.0.layout.exe()),
            own_network: matches!(
                options.host.network,
                NetworkMode::None | NetworkMode::Bridge
            ),
            cpus: self.0.host.cpus,
        };
        let seccomp = self.0.filters.file_for(&options.host)?;
        Ok(shim::Config {
            version: shim::Config::VERSION,
            id: row.id().to_owned(),
            run_dir: self.0.layout.run_dir().to_owned(),
            dir: folder,
            mode: shim::Mode::Supervised,
            rootfs: shim::Rootfs::Overlay(shim::Overlay {
                lower: overlay.lower.clone(),
                upper: overlay.upper.clone(),
                volatile: overlay.volatile,
            }),
            spec: plan.spec()?,
            seccomp,
            stdin: match (options.process.open_stdin, options.process.stdin_once) {
                (false, _) => shim::StdinMode::Closed,
                (true, false) => shim::StdinMode::Open,
                (true, true) => shim::StdinMode::Once,
            },
            log: self.log_options(row),
            stop_signal: document.process.stop_signal,
            stop_timeout: crate::spec::stop_timeout(options.process.stop_timeout),
        })
    }

    fn log_options(&self, row: &Row) -> Option<shim::LogOptions> {
        let asked = &row.document.options.host.log;
        if asked.driver == LogDriver::None {
            return None;
        }
        let mut log = shim::LogOptions::new(self.0.layout.log(row.id()));
        log.max_size = asked.max_size.unwrap_or(log.max_size);
        log.max_files = asked.max_files.unwrap_or(log.max_files).max(1);
        Some(log)
    }
}

/// A supervisor whose container did not start is told to end, and its end is waited for, so that
/// the name of its socket and control group are free again.
fn abandon(mut client: shim::Client, error: &shim::Error) -> Error {
    let now = Some(Some(std::time::Duration::ZERO));
    if client.stop(Some(SIGKILL), now).is_ok()
        && let Ok(mut events) = client.subscribe()
    {
        while let Ok(Some(event)) = events.wait_next() {
            if matches!(event, shim::Event::Exited(_)) {
                break;
            }
        }
    }
    start_error(error)
}

/// What the supervisor says of a failed start, with the code that `run` ends with.
pub(crate) fn start_error(error: &shim::Error) -> Error {
    use shim::protocol::FailureKind;
    let code = match error {
        shim::Error::Failed {
            kind: FailureKind::NotFound,
            ..
        } => STATUS_NOT_FOUND,
        shim::Error::Failed {
            kind: FailureKind::NotExecutable,
            ..
        } => STATUS_NOT_EXECUTABLE,
        _ => STATUS_FAILED,
    };
    Error::StartFailed {
        code,
        message: with_causes(error),
    }
}

/// The message with the causes behind it: it is stored, so the chain would be lost.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
