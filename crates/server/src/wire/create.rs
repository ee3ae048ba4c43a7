//! What a client asks a container to be, in the engine's words.

use api::container::{Config, CreateRequest};
use engine::spec::{Attach, CreateOptions, ProcessOptions};

use super::host::host_options;
use crate::http::Failure;

/// Reads a create request. What the engine does not have is refused here, by its name.
pub(crate) fn create_options(
    name: Option<&str>,
    platform: Option<&str>,
    request: CreateRequest,
) -> Result<CreateOptions, Failure> {
    let platform = platform.map(|text| {
        text.parse()
            .map_err(|error: oci::PlatformError| Failure::Invalid(error.to_string()))
    });
    let console_size = console_size(request.host_config.console_size);
    let image = request.config.image.clone();
    let network_disabled = request.config.network_disabled;
    let mut host = host_options(request.host_config, &request.networking_config)?;
    if network_disabled {
        host.network = engine::spec::NetworkMode::None;
    }
    Ok(CreateOptions {
        name: name.map(str::to_owned),
        image,
        platform: platform.transpose()?,
        process: process_options(request.config, console_size)?,
        host,
    })
}

/// Rows and columns; zeros stand for nothing.
pub(crate) fn console_size([rows, columns]: [u16; 2]) -> Option<(u16, u16)> {
    (rows > 0 && columns > 0).then_some((rows, columns))
}

fn process_options(
    config: Config,
    console_size: Option<(u16, u16)>,
) -> Result<ProcessOptions, Failure> {
    if !config.mac_address.is_empty() {
        return Err(Failure::unsupported("--mac-address"));
    }
    Ok(ProcessOptions {
        entrypoint: config.entrypoint,
        cmd: config.cmd,
        env: config.env.unwrap_or_default(),
        user: config.user,
        working_dir: config.working_dir,
        hostname: config.hostname,
        domainname: config.domainname,
        labels: config.labels,
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        attach: Attach {
            stdin: config.attach_stdin,
            stdout: config.attach_stdout,
            stderr: config.attach_stderr,
        },
        console_size,
        stop_signal: config.stop_signal.filter(|signal| !signal.is_empty()),
        stop_timeout: config.stop_timeout,
        healthcheck: config.healthcheck,
        exposed_ports: config.exposed_ports.into_keys().collect(),
        volumes: config.volumes.unwrap_or_default().into_keys().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CreateOptions, String> {
        let request: CreateRequest = serde_json::from_str(text).unwrap();
        create_options(Some("web"), None, request).map_err(|failure| failure.to_string())
    }

    /// What the stock client sends for `docker run busybox true`.
    const PLAIN: &str = r#"{"Hostname":"","Domainname":"","User":"","AttachStdin":false,
        "AttachStdout":true,"AttachStderr":true,"Tty":false,"OpenStdin":false,"StdinOnce":false,
        "Env":null,"Cmd":["true"],"Image":"busybox","Volumes":{},"WorkingDir":"","Entrypoint":null,
        "OnBuild":null,"Labels":{},"HostConfig":{"Binds":null,"ContainerIDFile":"","LogConfig":
        {"Type":"","Config":{}},"NetworkMode":"default","PortBindings":{},"RestartPolicy":
        {"Name":"no","MaximumRetryCount":0},"AutoRemove":false,"VolumeDriver":"","VolumesFrom":null,
        "ConsoleSize":[24,80],"CapAdd":null,"CapDrop":null,"CgroupnsMode":"","Dns":[],
        "DnsOptions":[],"DnsSearch":[],"ExtraHosts":null,"GroupAdd":null,"IpcMode":"","Cgroup":"",
        "Links":null,"OomScoreAdj":0,"PidMode":"","Privileged":false,"PublishAllPorts":false,
        "ReadonlyRootfs":false,"SecurityOpt":null,"UTSMode":"","UsernsMode":"","ShmSize":0,
        "Isolation":"","CpuShares":0,"Memory":0,"NanoCpus":0,"CgroupParent":"","BlkioWeight":0,
        "BlkioWeightDevice":[],"BlkioDeviceReadBps":[],"BlkioDeviceWriteBps":[],
        "BlkioDeviceReadIOps":[],"BlkioDeviceWriteIOps":[],"CpuPeriod":0,"CpuQuota":0,
        "CpuRealtimePeriod":0,"CpuRealtimeRuntime":0,"CpusetCpus":"","CpusetMems":"","Devices":[],
        "DeviceCgroupRules":null,"DeviceRequests":null,"MemoryReservation":0,"MemorySwap":0,
        "MemorySwappiness":-1,"OomKillDisable":false,"PidsLimit":0,"Ulimits":[],"CpuCount":0,
        "CpuPercent":0,"IOMaximumIOps":0,"IOMaximumBandwidth":0,"MaskedPaths":null,
        "ReadonlyPaths":null},"NetworkingConfig":{"EndpointsConfig":{"default":{"IPAMConfig":null,
        "Links":null,"Aliases":null,"DriverOpts":null,"GwPriority":0,"NetworkID":"",
        "EndpointID":"","Gateway":"","IPAddress":"","MacAddress":"","IPPrefixLen":0,
        "IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"DNSNames":null}}}}"#;

    #[test]
    fn the_stock_clients_defaults_ask_for_nothing() {
        let options = read(PLAIN).unwrap();
        let expected = CreateOptions {
            name: Some("web".into()),
            image: "busybox".into(),
            process: ProcessOptions {
                cmd: Some(vec!["true".into()]),
                attach: Attach {
                    stdin: false,
                    stdout: true,
                    stderr: true,
                },
                console_size: Some((24, 80)),
                ..ProcessOptions::default()
            },
            ..CreateOptions::default()
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        for (host, name) in [
            (
                r#""PortBindings":{"80/tcp":[{"HostPort":"80"}]}"#,
                "--publish",
            ),
            (r#""PublishAllPorts":true"#, "--publish-all"),
            (r#""Links":["a:b"]"#, "--link"),
            (r#""VolumesFrom":["a"]"#, "--volumes-from"),
            (r#""Runtime":"kata""#, "--runtime kata"),
            (r#""DeviceRequests":[{"Count":-1}]"#, "--gpus"),
            (r#""StorageOpt":{"size":"1g"}"#, "--storage-opt"),
            (r#""CpuRealtimePeriod":5"#, "--cpu-rt-period"),
            (r#""UsernsMode":"keep-id""#, "--userns keep-id"),
            (r#""RestartPolicy":{"Name":"always"}"#, "--restart always"),
            (r#""Brandnew":{"x":1}"#, "HostConfig.Brandnew"),
        ] {
            let error = read(&format!(r#"{{"Image":"a","HostConfig":{{{host}}}}}"#)).unwrap_err();
            assert!(
                error.starts_with(&format!("{name} is not supported")),
                "{error}"
            );
        }
    }

    #[test]
    fn empty_values_of_unknown_fields_are_nothing() {
        let host = r#""Brandnew":null,"Other":{},"More":"","Zero":0,"No":false,"List":[{}]"#;
        assert!(read(&format!(r#"{{"Image":"a","HostConfig":{{{host}}}}}"#)).is_ok());
    }
}
