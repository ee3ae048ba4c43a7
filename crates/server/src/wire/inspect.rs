//! A container as `inspect` shows it.

use std::collections::BTreeMap;
use std::path::Path;

use api::container::{Config, GraphDriver, Inspect, NetworkSettings, State};
use engine::spec::{CreateOptions, Endpoint, NetworkMode, Process};
use engine::{Container, ContainerState};

use super::host::host_config;
use super::network::{NetworkIds, endpoints};
use super::{mounts, rfc3339, signed};

/// What Docker calls the snapshots that we use as well.
pub(crate) const STORAGE_DRIVER: &str = "overlayfs";

/// Everything about a container.
pub(crate) fn inspect(container: &Container, networks: &NetworkIds) -> Inspect {
    let document = &container.document;
    let file = |name: &str| container.folder.join(name).display().to_string();
    let path = |path: &Path| path.display().to_string();
    let size = container.size;
    let (program, args) = match document.process.args.split_first() {
        Some((program, args)) => (program.clone(), args.to_vec()),
        None => (String::new(), Vec::new()),
    };
    let execs: Vec<String> = container.execs.iter().map(ToString::to_string).collect();
    Inspect {
        id: document.id.to_string(),
        created: rfc3339(Some(document.created)),
        path: program,
        args,
        state: state(&document.state),
        image: document.image.to_string(),
        resolv_conf_path: file("resolv.conf"),
        hostname_path: file("hostname"),
        hosts_path: file("hosts"),
        log_path: container.log_path.as_deref().map(path).unwrap_or_default(),
        name: format!("/{}", document.name),
        driver: STORAGE_DRIVER.to_owned(),
        platform: "linux".to_owned(),
        exec_ids: (!execs.is_empty()).then_some(execs),
        host_config: host_config(&document.options.host),
        graph_driver: GraphDriver {
            data: None,
            name: STORAGE_DRIVER.to_owned(),
        },
        size_rw: size.map(|size| signed(size.writable)),
        size_root_fs: size.map(|size| signed(size.total)),
        mounts: mounts::points(&document.mounts),
        config: config(container, &document.options, &document.process),
        network_settings: network_settings(
            &document.options.host.network,
            document.endpoint.as_ref(),
            networks,
        ),
        ..Inspect::default()
    }
}

fn state(state: &ContainerState) -> State {
    let mut wire = State {
        status: state.name().to_owned(),
        running: state.run().is_some(),
        paused: matches!(state, ContainerState::Paused(_)),
        dead: matches!(state, ContainerState::Dead),
        pid: state.pid().unwrap_or(0).into(),
        started_at: rfc3339(state.run().map(|run| run.started)),
        finished_at: rfc3339(None),
        ..State::default()
    };
    if let Some(exit) = state.exit() {
        wire.exit_code = exit.code.into();
        wire.oom_killed = exit.oom_killed;
        wire.error = exit.error.clone().unwrap_or_default();
        wire.started_at = rfc3339(exit.started);
        wire.finished_at = rfc3339(Some(exit.finished));
    }
    wire
}

/// Options and image together, as they run.
fn config(container: &Container, options: &CreateOptions, process: &Process) -> Config {
    let said = &options.process;
    let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let keys = |list: &[String]| -> BTreeMap<String, api::Empty> {
        list.iter()
            .map(|key| (key.clone(), api::Empty {}))
            .collect()
    };
    let hostname = match said.hostname.as_str() {
        "" => container.document.id.short(),
        name => name,
    };
    let stop_signal = said.stop_signal.clone();
    Config {
        hostname: hostname.to_owned(),
        domainname: said.domainname.clone(),
        user: process.user.clone(),
        attach_stdin: said.attach.stdin,
        attach_stdout: said.attach.stdout,
        attach_stderr: said.attach.stderr,
        exposed_ports: keys(&process.exposed_ports),
        tty: said.tty,
        open_stdin: said.open_stdin,
        stdin_once: said.stdin_once,
        env: Some(process.env.clone()),
        cmd: some(process.cmd()),
        healthcheck: process.healthcheck.clone(),
        image: container.image.clone(),
        volumes: (!process.volumes.is_empty()).then(|| keys(&process.volumes)),
        working_dir: process.working_dir.clone(),
        entrypoint: some(process.entrypoint()),
        on_build: some(&process.on_build),
        labels: process.labels.clone(),
        stop_signal,
        stop_timeout: said.stop_timeout,
        shell: some(&process.shell),
        ..Config::default()
    }
}

fn network_settings(
    mode: &NetworkMode,
    endpoint: Option<&Endpoint>,
    networks: &NetworkIds,
) -> NetworkSettings {
    let mut settings = NetworkSettings {
        networks: endpoints(mode, endpoint, networks),
        ..NetworkSettings::default()
    };
    if let Some(endpoint) = endpoint {
        settings.sandbox_id = endpoint.id.to_string();
        settings.endpoint_id = endpoint.id.to_string();
        settings.gateway = endpoint.gateway.to_string();
        settings.ip_address = endpoint.address.to_string();
        settings.ip_prefix_len = endpoint.prefix.into();
        settings.mac_address.clone_from(&endpoint.mac);
    }
    settings
}
