//! The host's side of a container, both ways.

use std::net::IpAddr;
use std::path::PathBuf;

use api::container::{DeviceMapping, HostConfig, LogConfig, NetworkingConfig};
use engine::spec::{
    CgroupNamespace, Device, ExtraHost, HostOptions, LogDriver, LogOptions, Namespace, NetworkMode,
    RestartPolicy,
};
use serde_json::Value;

use super::limits::{parse_bytes, resources, ulimits};
use super::mounts::mounts;
use super::network::check_endpoints;
use super::security::security;
use crate::http::Failure;

/// Reads the host's side of a create request.
pub(crate) fn host_options(
    config: HostConfig,
    networking: &NetworkingConfig,
) -> Result<HostOptions, Failure> {
    refuse_unsupported(&config)?;
    let network = NetworkMode::parse(&config.network_mode)?;
    check_endpoints(networking, &network)?;
    Ok(HostOptions {
        mounts: mounts(&config)?,
        resources: resources(&config)?,
        ulimits: ulimits(&config.ulimits),
        security: security(config.security_opt.as_deref().unwrap_or_default())?,
        devices: config.devices.into_iter().map(device).collect(),
        extra_hosts: extra_hosts(config.extra_hosts.as_deref().unwrap_or_default())?,
        dns: name_servers(&config.dns)?,
        ipc: Namespace::parse("--ipc", &config.ipc_mode)?,
        pid: Namespace::parse("--pid", &config.pid_mode)?,
        uts: Namespace::parse("--uts", &config.uts_mode)?,
        cgroup: cgroup_namespace(&config.cgroupns_mode)?,
        userns_host: config.userns_mode == "host",
        shm_size: size("--shm-size", config.shm_size)?,
        log: log_options(config.log_config)?,
        restart: RestartPolicy::parse(&config.restart_policy.name)?,
        network,
        auto_remove: config.auto_remove,
        privileged: config.privileged,
        read_only: config.readonly_rootfs,
        init: config.init.unwrap_or(false),
        cap_add: config.cap_add.unwrap_or_default(),
        cap_drop: config.cap_drop.unwrap_or_default(),
        device_cgroup_rules: config.device_cgroup_rules.unwrap_or_default(),
        sysctls: config.sysctls,
        group_add: config.group_add.unwrap_or_default(),
        dns_options: config.dns_options,
        dns_search: config.dns_search,
        oom_score_adj: config.oom_score_adj,
        cgroup_parent: config.cgroup_parent,
        masked_paths: config.masked_paths,
        readonly_paths: config.readonly_paths,
        annotations: config.annotations,
    })
}

/// Names every option that carries a value and does nothing here.
fn refuse_unsupported(config: &HostConfig) -> Result<(), Failure> {
    let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let is_set = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let ports = config.port_bindings.values().flatten();
    let refused = [
        (ports.flatten().next().is_some(), "--publish"),
        (config.publish_all_ports, "--publish-all"),
        (has(&config.links), "--link"),
        (has(&config.volumes_from), "--volumes-from"),
        (!config.storage_opt.is_empty(), "--storage-opt"),
        (config.cpu_realtime_period != 0, "--cpu-rt-period"),
        (config.cpu_realtime_runtime != 0, "--cpu-rt-runtime"),
        (is_set(&config.device_requests), "--gpus"),
        (is_set(&config.blkio_weight_device), "--blkio-weight-device"),
        (is_set(&config.blkio_device_read_bps), "--device-read-bps"),
        (is_set(&config.blkio_device_write_bps), "--device-write-bps"),
        (is_set(&config.blkio_device_read_iops), "--device-read-iops"),
        (
            is_set(&config.blkio_device_write_iops),
            "--device-write-iops",
        ),
        (config.cpu_count != 0, "--cpu-count"),
        (config.cpu_percent != 0, "--cpu-percent"),
        (config.io_maximum_iops != 0, "--io-maxiops"),
        (config.io_maximum_bandwidth != 0, "--io-maxbandwidth"),
        (!config.cgroup.is_empty(), "HostConfig.Cgroup"),
    ];
    if let Some((_, option)) = refused.into_iter().find(|(is_set, _)| *is_set) {
        return Err(Failure::unsupported(option));
    }
    for (option, value, known) in [
        ("--volume-driver", &config.volume_driver, &["", "local"][..]),
        ("--runtime", &config.runtime, &["", "corten"]),
        ("--isolation", &config.isolation, &["", "default"]),
        ("--userns", &config.userns_mode, &["", "host"]),
    ] {
        if !known.contains(&value.as_str()) {
            return Err(Failure::unsupported(format!("{option} {value}")));
        }
    }
    match config.unknown.iter().find(|(_, value)| carries(value)) {
        Some((key, _)) => Err(Failure::unsupported(format!("HostConfig.{key}"))),
        None => Ok(()),
    }
}

/// Does a value say anything? Clients print empty ones for fields that they know and we do not.
fn carries(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.iter().any(carries),
        Value::Object(fields) => fields.values().any(carries),
    }
}

fn size(option: &str, bytes: i64) -> Result<Option<u64>, Failure> {
    let size = u64::try_from(bytes);
    let size = size.map_err(|_| Failure::Invalid(format!("{option} must not be negative")))?;
    Ok(Some(size).filter(|&size| size > 0))
}

fn device(device: DeviceMapping) -> Device {
    let or = |text: String, other: &str| match text.is_empty() {
        true => other.to_owned(),
        false => text,
    };
    Device {
        container_path: PathBuf::from(or(device.path_in_container, &device.path_on_host)),
        host_path: PathBuf::from(device.path_on_host),
        permissions: or(device.cgroup_permissions, "rwm"),
    }
}

fn name_servers(list: &[String]) -> Result<Vec<IpAddr>, Failure> {
    list.iter()
        .map(|text| {
            text.parse()
                .map_err(|_| Failure::Invalid(format!("invalid address of a name server: {text}")))
        })
        .collect()
}

/// `name:address`; a `=` may stand for the colon.
fn extra_hosts(list: &[String]) -> Result<Vec<ExtraHost>, Failure> {
    list.iter()
        .map(|text| {
            let wrong = || Failure::Invalid(format!("bad format for add-host: {text:?}"));
            let (name, address) = text.split_once(['=', ':']).ok_or_else(wrong)?;
            let bare = address.trim_start_matches('[').trim_end_matches(']');
            let address = match address {
                "host-gateway" => None,
                _ => Some(bare.parse().map_err(|_| {
                    Failure::Invalid(format!("invalid IP address in add-host: {address:?}"))
                })?),
            };
            match name {
                "" => Err(wrong()),
                name => Ok(ExtraHost {
                    name: name.to_owned(),
                    address,
                }),
            }
        })
        .collect()
}

fn cgroup_namespace(text: &str) -> Result<CgroupNamespace, Failure> {
    match text {
        "" => Ok(CgroupNamespace::Default),
        "private" => Ok(CgroupNamespace::Private),
        "host" => Ok(CgroupNamespace::Host),
        _ => Err(Failure::Invalid(format!(
            "invalid cgroup namespace mode: {text}"
        ))),
    }
}

fn log_options(config: LogConfig) -> Result<LogOptions, Failure> {
    let driver = match config.kind.as_str() {
        "" | "json-file" => LogDriver::JsonFile,
        "none" => LogDriver::None,
        other => return Err(Failure::unsupported(format!("--log-driver {other}"))),
    };
    let mut options = LogOptions {
        driver,
        ..LogOptions::default()
    };
    for (key, value) in &config.config {
        match key.as_str() {
            "max-size" => options.max_size = Some(parse_bytes("--log-opt max-size", value)?),
            "max-file" => {
                let count = value.parse().ok().filter(|&count| count > 0);
                let wrong = || {
                    Failure::Invalid(format!("--log-opt max-file must be at least 1: {value:?}"))
                };
                options.max_files = Some(count.ok_or_else(wrong)?);
            }
            other => return Err(Failure::unsupported(format!("--log-opt {other}"))),
        }
    }
    options.said = config.config;
    Ok(options)
}

/// The host's side as `inspect` shows it: what was asked for.
pub(crate) fn host_config(options: &HostOptions) -> HostConfig {
    let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let (binds, tmpfs, mounts) = super::mounts::said(&options.mounts);
    let mut config = HostConfig {
        binds,
        tmpfs,
        mounts,
        network_mode: options.network.to_string(),
        auto_remove: options.auto_remove,
        privileged: options.privileged,
        readonly_rootfs: options.read_only,
        init: options.init.then_some(true),
        cap_add: some(&options.cap_add),
        cap_drop: some(&options.cap_drop),
        security_opt: some(&options.security.said),
        group_add: some(&options.group_add),
        dns: options.dns.iter().map(IpAddr::to_string).collect(),
        dns_options: options.dns_options.clone(),
        dns_search: options.dns_search.clone(),
        extra_hosts: said_hosts(&options.extra_hosts),
        ipc_mode: match &options.ipc {
            Namespace::Private => "private".to_owned(),
            other => said_namespace(other),
        },
        pid_mode: said_namespace(&options.pid),
        uts_mode: said_namespace(&options.uts),
        cgroupns_mode: said_cgroup(options.cgroup).to_owned(),
        userns_mode: if options.userns_host { "host" } else { "" }.to_owned(),
        oom_score_adj: options.oom_score_adj,
        cgroup_parent: options.cgroup_parent.clone(),
        sysctls: options.sysctls.clone(),
        annotations: options.annotations.clone(),
        masked_paths: options.masked_paths.clone(),
        readonly_paths: options.readonly_paths.clone(),
        device_cgroup_rules: some(&options.device_cgroup_rules),
        log_config: said_log(&options.log),
        runtime: "corten".to_owned(),
        blkio_weight_device: Some(Vec::new()),
        blkio_device_read_bps: Some(Vec::new()),
        blkio_device_write_bps: Some(Vec::new()),
        blkio_device_read_iops: Some(Vec::new()),
        blkio_device_write_iops: Some(Vec::new()),
        ..HostConfig::default()
    };
    const SHM_SIZE: i64 = 64 << 20;
    config.shm_size = options.shm_size.map_or(SHM_SIZE, super::signed);
    config.restart_policy.name = "no".to_owned();
    config.devices = options.devices.iter().map(said_device).collect();
    super::limits::write_resources(options, &mut config);
    config
}

fn said_namespace(namespace: &Namespace) -> String {
    match namespace {
        Namespace::Private => String::new(),
        Namespace::Shareable => "shareable".to_owned(),
        Namespace::Host => "host".to_owned(),
        Namespace::Container(name) => format!("container:{name}"),
    }
}

fn said_cgroup(namespace: CgroupNamespace) -> &'static str {
    match namespace {
        CgroupNamespace::Default => "",
        CgroupNamespace::Private => "private",
        CgroupNamespace::Host => "host",
    }
}

fn said_log(log: &LogOptions) -> LogConfig {
    let kind = match log.driver {
        LogDriver::JsonFile => "json-file",
        LogDriver::None => "none",
    };
    LogConfig {
        kind: kind.to_owned(),
        config: log.said.clone(),
    }
}

fn said_hosts(hosts: &[ExtraHost]) -> Option<Vec<String>> {
    let said = |host: &ExtraHost| match host.address {
        Some(address) => format!("{}:{address}", host.name),
        None => format!("{}:host-gateway", host.name),
    };
    (!hosts.is_empty()).then(|| hosts.iter().map(said).collect())
}

fn said_device(device: &Device) -> DeviceMapping {
    DeviceMapping {
        path_on_host: device.host_path.display().to_string(),
        path_in_container: device.container_path.display().to_string(),
        cgroup_permissions: device.permissions.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let list = ["a:1.2.3.4", "b=::1", "c:[::2]", "d:host-gateway"].map(str::to_owned);
        let hosts = extra_hosts(&list).unwrap();
        assert_eq!(
            said_hosts(&hosts).unwrap(),
            ["a:1.2.3.4", "b:::1", "c:::2", "d:host-gateway"]
        );
        for text in ["a", ":1.2.3.4", "a:b", "a:"] {
            assert!(extra_hosts(&[text.to_owned()]).is_err(), "{text}");
        }
    }

    #[test]
    fn logs() {
        let config = |kind: &str, key: &str, value: &str| LogConfig {
            kind: kind.to_owned(),
            config: [(key.to_owned(), value.to_owned())].into(),
        };
        let options = log_options(config("json-file", "max-size", "10m")).unwrap();
        assert_eq!(options.max_size, Some(10 << 20));
        assert!(log_options(config("syslog", "max-size", "10m")).is_err());
        assert!(log_options(config("", "max-file", "0")).is_err());
        assert!(log_options(config("", "tag", "x")).is_err());
    }
}
