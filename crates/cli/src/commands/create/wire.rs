//! From the flags of a new container to the request that makes it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use api::container::{Config, CreateRequest, DeviceMapping, HostConfig, LogConfig, RestartPolicy};

use super::flags::{Filesystem, Flags};
use crate::Environment;
use crate::words::{mount, pairs};

/// What the request takes from outside of the flags.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The caller's variables, for `-e NAME`.
    pub(crate) environment: &'a Environment,
    /// The working directory, for relative paths in `-v` and `--mount`.
    pub(crate) here: &'a Path,
    /// Rows and columns of the terminal.
    pub(crate) terminal: Option<(u16, u16)>,
}

/// The streams that stay connected to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "three streams and whether to wait"
)]
pub(crate) struct Attached {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    pub(crate) detach: bool,
}

/// Which streams are attached: none in the background, the named ones with `-a`, else output, and
/// input with `-i`.
pub(crate) fn attached(flags: &Flags, detach: bool) -> Result<Attached, String> {
    let process = &flags.process;
    let mut attached = Attached {
        stdin: false,
        stdout: false,
        stderr: false,
        detach,
    };
    if detach {
        if !process.attach.is_empty() {
            return Err("conflicting options: cannot attach streams of a container that runs in the background (-a and -d)".to_owned());
        }
        return Ok(attached);
    }
    if process.attach.is_empty() {
        return Ok(Attached {
            stdin: process.interactive,
            stdout: true,
            stderr: true,
            detach,
        });
    }
    for name in &process.attach {
        match name.to_ascii_lowercase().as_str() {
            "stdin" => attached.stdin = true,
            "stdout" => attached.stdout = true,
            "stderr" => attached.stderr = true,
            _ => {
                return Err(format!(
                    "valid streams are STDIN, STDOUT and STDERR, not {name}"
                ));
            }
        }
    }
    Ok(attached)
}

/// The request.
pub(crate) fn request(
    flags: &Flags,
    attached: Attached,
    around: Surroundings<'_>,
) -> anyhow::Result<CreateRequest> {
    Ok(CreateRequest {
        config: config(flags, attached, around)?,
        host_config: host_config(flags, around)?,
        ..CreateRequest::default()
    })
}

fn config(flags: &Flags, attached: Attached, around: Surroundings<'_>) -> anyhow::Result<Config> {
    let process = &flags.process;
    let command: Vec<String> = flags.words.iter().skip(1).cloned().collect();
    let mut volumes = BTreeMap::new();
    for text in &flags.filesystem.volume {
        if let mount::Volume::Anonymous(path) = volume(text, around)? {
            volumes.insert(path, api::Empty {});
        }
    }
    Ok(Config {
        hostname: flags.network.hostname.clone().unwrap_or_default(),
        domainname: flags.network.domainname.clone().unwrap_or_default(),
        user: process.user.clone().unwrap_or_default(),
        attach_stdin: attached.stdin,
        attach_stdout: attached.stdout,
        attach_stderr: attached.stderr,
        tty: process.tty,
        open_stdin: process.interactive,
        stdin_once: process.interactive && attached.stdin,
        env: Some(environment(flags, around.environment)?),
        cmd: (!command.is_empty()).then_some(command),
        image: flags.image().to_owned(),
        volumes: (!volumes.is_empty()).then_some(volumes),
        working_dir: process.workdir.clone().unwrap_or_default(),
        // An empty entrypoint is one empty word on the wire: it takes the image's away.
        entrypoint: process.entrypoint.clone().map(|program| vec![program]),
        labels: labels(flags)?,
        stop_signal: process.stop_signal.clone(),
        stop_timeout: process.stop_timeout,
        exposed_ports: ports(&flags.network.expose)?,
        ..Config::default()
    })
}

fn host_config(flags: &Flags, around: Surroundings<'_>) -> anyhow::Result<HostConfig> {
    let (identity, network, security) = (&flags.identity, &flags.network, &flags.security);
    let mut host = HostConfig {
        container_id_file: identity
            .cidfile
            .as_deref()
            .map_or(String::new(), |path| path.to_string_lossy().into_owned()),
        log_config: LogConfig {
            kind: identity.log_driver.clone().unwrap_or_default(),
            config: pairs::map(&identity.log_opt),
        },
        network_mode: network
            .network
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
        restart_policy: RestartPolicy {
            name: "no".to_owned(),
            ..RestartPolicy::default()
        },
        auto_remove: identity.rm,
        console_size: around
            .terminal
            .map_or([0, 0], |(rows, columns)| [rows, columns]),
        annotations: pairs::map(&identity.annotation),
        cap_add: some(&security.cap_add),
        cap_drop: some(&security.cap_drop),
        cgroupns_mode: security.cgroupns.clone().unwrap_or_default(),
        dns: network.dns.clone(),
        dns_options: network.dns_option.clone(),
        dns_search: network.dns_search.clone(),
        extra_hosts: some(&hosts(&network.add_host)?),
        group_add: some(&security.group_add),
        ipc_mode: security.ipc.clone().unwrap_or_default(),
        pid_mode: security.pid.clone().unwrap_or_default(),
        privileged: security.privileged,
        readonly_rootfs: flags.filesystem.read_only,
        security_opt: security_options(&security.security_opt)?,
        uts_mode: security.uts.clone().unwrap_or_default(),
        userns_mode: security.userns.clone().unwrap_or_default(),
        sysctls: pairs::map(&security.sysctl),
        devices: security
            .device
            .iter()
            .map(|text| device(text))
            .collect::<Result<_, _>>()?,
        device_cgroup_rules: some(&security.device_cgroup_rule),
        init: flags.process.init.then_some(true),
        ..HostConfig::default()
    };
    filesystem(&flags.filesystem, around, &mut host)?;
    resources(flags, &mut host)?;
    Ok(host)
}

fn filesystem(
    flags: &Filesystem,
    around: Surroundings<'_>,
    host: &mut HostConfig,
) -> anyhow::Result<()> {
    let mut binds = Vec::new();
    for text in &flags.volume {
        if let mount::Volume::Bind(bind) = volume(text, around)? {
            binds.push(bind);
        }
    }
    host.binds = some(&binds);
    let mounts = flags
        .mount
        .iter()
        .map(|text| mount::mount(text, around.here));
    host.mounts = mounts
        .collect::<Result<_, _>>()
        .map_err(anyhow::Error::msg)?;
    let split = |text: &String| match text.split_once(':') {
        Some((path, options)) => (path.to_owned(), options.to_owned()),
        None => (text.clone(), String::new()),
    };
    host.tmpfs = flags.tmpfs.iter().map(split).collect();
    host.shm_size = flags.shm_size.unwrap_or_default();
    Ok(())
}

fn resources(flags: &Flags, host: &mut HostConfig) -> anyhow::Result<()> {
    let given = &flags.resources;
    host.cgroup_parent = given.cgroup_parent.clone().unwrap_or_default();
    host.cpu_period = given.cpu_period.unwrap_or_default();
    host.cpu_quota = given.cpu_quota.unwrap_or_default();
    host.cpu_shares = given.cpu_shares.unwrap_or_default();
    host.nano_cpus = given.cpus.unwrap_or_default();
    host.cpuset_cpus = given.cpuset_cpus.clone().unwrap_or_default();
    host.cpuset_mems = given.cpuset_mems.clone().unwrap_or_default();
    host.memory = given.memory.unwrap_or_default();
    host.memory_reservation = given.memory_reservation.unwrap_or_default();
    host.memory_swap = given.memory_swap.unwrap_or_default();
    host.memory_swappiness = given.memory_swappiness.filter(|value| *value != -1);
    host.oom_kill_disable = given.oom_kill_disable.then_some(true);
    host.oom_score_adj = i32::try_from(given.oom_score_adj.unwrap_or_default())
        .context("--oom-score-adj: expected -1000 to 1000")?;
    host.pids_limit = given.pids_limit;
    host.ulimits.clone_from(&given.ulimit);
    Ok(())
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn volume(text: &str, around: Surroundings<'_>) -> anyhow::Result<mount::Volume> {
    mount::volume(text, around.here).map_err(anyhow::Error::msg)
}

/// Files come first, so that a flag wins over a line of a file.
fn environment(flags: &Flags, own: &Environment) -> anyhow::Result<Vec<String>> {
    let mut entries = pairs::files(&flags.process.env_file)?;
    entries.extend(flags.process.env.iter().cloned());
    pairs::environment(&entries, own).map_err(anyhow::Error::msg)
}

fn labels(flags: &Flags) -> anyhow::Result<BTreeMap<String, String>> {
    let mut entries = pairs::files(&flags.identity.label_file)?;
    entries.extend(flags.identity.label.iter().cloned());
    Ok(pairs::map(&entries))
}

/// `80`, `80/udp`, `8000-8002/tcp`.
fn ports(flags: &[String]) -> anyhow::Result<BTreeMap<String, api::Empty>> {
    let mut ports = BTreeMap::new();
    for text in flags {
        let invalid = || format!("invalid range format for --expose: {text}");
        let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u16, u16) = (
            first.parse().with_context(invalid)?,
            last.parse().with_context(invalid)?,
        );
        anyhow::ensure!(
            first <= last && matches!(protocol, "tcp" | "udp" | "sctp"),
            invalid()
        );
        ports.extend((first..=last).map(|port| (format!("{port}/{protocol}"), api::Empty {})));
    }
    Ok(ports)
}

/// `name:address` or `name=address`; the wire has the colon.
fn hosts(flags: &[String]) -> anyhow::Result<Vec<String>> {
    let host = |text: &String| match text.split_once(['=', ':']) {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => {
            let address = address
                .strip_prefix('[')
                .and_then(|a| a.strip_suffix(']'))
                .unwrap_or(address);
            Ok(format!("{name}:{address}"))
        }
        _ => Err(anyhow::anyhow!("bad format for add-host: \"{text}\"")),
    };
    flags.iter().map(host).collect()
}

/// `/dev/fuse`, `/dev/a:/dev/b`, `/dev/a:/dev/b:rw`, `/dev/a:rw`.
fn device(text: &str) -> anyhow::Result<DeviceMapping> {
    let parts: Vec<&str> = text.split(':').collect();
    let rights = |text: &str| !text.is_empty() && text.chars().all(|c| "rwm".contains(c));
    let (host, container, access) = match parts.as_slice() {
        [host] => (*host, *host, "rwm"),
        [host, access] if rights(access) => (*host, *host, *access),
        [host, container] => (*host, *container, "rwm"),
        [host, container, access] if rights(access) => (*host, *container, *access),
        _ => anyhow::bail!("invalid device specification: {text}"),
    };
    Ok(DeviceMapping {
        path_on_host: host.to_owned(),
        path_in_container: container.to_owned(),
        cgroup_permissions: access.to_owned(),
    })
}

/// A seccomp profile is a file of the client: the engine gets its text.
fn security_options(flags: &[String]) -> anyhow::Result<Option<Vec<String>>> {
    let mut options = Vec::with_capacity(flags.len());
    for option in flags {
        let profile = option
            .split_once(['=', ':'])
            .filter(|(key, _)| *key == "seccomp");
        options.push(match profile {
            Some((_, path)) if !matches!(path, "unconfined" | "builtin") => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("opening seccomp profile ({path}) failed"))?;
                let json: serde_json::Value = serde_json::from_str(&text).with_context(|| {
                    format!("compacting json for seccomp profile ({path}) failed")
                })?;
                format!("seccomp={json}")
            }
            _ => option.clone(),
        });
    }
    Ok(some(&options))
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
