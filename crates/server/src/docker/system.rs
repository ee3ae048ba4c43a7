//! `/_ping`, `/version`, `/info`, `/system/df`, `/auth`.

use std::collections::BTreeMap;

use api::ApiVersion;
use api::image::Summary;
use api::system::{
    AuthResponse, Commit, Component, DiskUsage, FirewallInfo, Info, Platform, Plugins, RuntimeInfo,
    Swarm, Version,
};
use api::volume::UsageData;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use axum::http::{HeaderName, Method};
use axum::response::{IntoResponse, Response};
use engine::{Networks, System};
use jiff::Timestamp;

use super::builds::cache_record;
use super::volumes::volume;
use crate::http::{Call, Failure, json};
use crate::quirks::{self, BUILDER_VERSION, CORTEN_VERSION, DOCKER_VERSION};
use crate::wire::{self, NetworkIds};

/// The engine is there. Never versioned, so that a client can ask which versions there are.
pub(crate) async fn ping(method: Method) -> Response {
    let body = if method == Method::HEAD { "" } else { "OK" };
    let head = [
        (HeaderName::from_static("builder-version"), BUILDER_VERSION),
        (HeaderName::from_static("swarm"), "inactive"),
        (CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (PRAGMA, "no-cache"),
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
    ];
    (head, body).into_response()
}

pub(crate) async fn version(State(system): State<System>) -> Response {
    let platform = oci::Platform::host();
    let kernel_version = system.kernel_version();
    let details = [
        ("ApiVersion", ApiVersion::MAX.to_string()),
        ("Arch", platform.architecture.clone()),
        ("BuildTime", String::new()),
        ("Experimental", "false".to_owned()),
        ("GitCommit", String::new()),
        ("GoVersion", String::new()),
        ("KernelVersion", kernel_version.clone()),
        ("MinAPIVersion", ApiVersion::MIN.to_string()),
        ("Os", platform.os.clone()),
    ];
    let component = |name: &str, version: &str| Component {
        name: name.to_owned(),
        version: version.to_owned(),
        details: BTreeMap::new(),
    };
    let engine = Component {
        details: details
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
        ..component("Engine", DOCKER_VERSION)
    };
    json(&Version {
        platform: Platform {
            name: format!("Corten {CORTEN_VERSION}"),
        },
        components: vec![engine, component("corten", CORTEN_VERSION)],
        version: DOCKER_VERSION.to_owned(),
        api_version: ApiVersion::MAX.to_string(),
        min_api_version: ApiVersion::MIN.to_string(),
        os: platform.os,
        arch: platform.architecture,
        kernel_version,
        ..Version::default()
    })
}

pub(crate) async fn info(State(system): State<System>) -> Result<Response, Failure> {
    let facts = system.info().await?;
    Ok(json(&wire_info(facts)))
}

fn wire_info(facts: engine::Info) -> Info {
    let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let limits = facts.limits;
    let mut security_options = Vec::new();
    if facts.apparmor {
        security_options.push("name=apparmor".to_owned());
    }
    if facts.seccomp {
        security_options.push("name=seccomp,profile=builtin".to_owned());
    }
    let backing = ["Backing Filesystem".to_owned(), facts.backing_filesystem];
    Info {
        id: facts.id,
        containers: facts.containers.total,
        containers_running: facts.containers.running,
        containers_paused: facts.containers.paused,
        containers_stopped: facts.containers.stopped,
        images: facts.images,
        driver: wire::STORAGE_DRIVER.to_owned(),
        driver_status: vec![backing],
        plugins: Plugins {
            volume: texts(&["local"]),
            network: texts(&["bridge", "host", "null"]),
            authorization: None,
            log: texts(&["json-file", "none"]),
        },
        memory_limit: limits.memory,
        swap_limit: limits.swap,
        cpu_cfs_period: limits.cpu_cfs,
        cpu_cfs_quota: limits.cpu_cfs,
        cpu_shares: limits.cpu_shares,
        cpu_set: limits.cpuset,
        pids_limit: limits.pids,
        oom_kill_disable: limits.oom_kill_disable,
        ipv4_forwarding: facts.ip_forward,
        n_fd: facts.file_descriptors,
        n_events_listener: facts.event_listeners,
        system_time: Timestamp::now().to_string(),
        logging_driver: "json-file".to_owned(),
        cgroup_driver: "cgroupfs".to_owned(),
        cgroup_version: facts.cgroup_version.to_string(),
        kernel_version: facts.kernel_version,
        operating_system: facts.operating_system,
        os_version: facts.os_version,
        os_type: "linux".to_owned(),
        architecture: facts.architecture,
        n_cpu: facts.cpus,
        mem_total: facts.memory,
        docker_root_dir: facts.root.display().to_string(),
        name: facts.hostname,
        server_version: DOCKER_VERSION.to_owned(),
        security_options,
        warnings: Some(facts.warnings).filter(|list| !list.is_empty()),
        ..constant_info()
    }
}

/// What is the same on every host.
fn constant_info() -> Info {
    let commit = |id: &str| Commit { id: id.to_owned() };
    let runtime = RuntimeInfo {
        path: "corten".to_owned(),
    };
    Info {
        runtimes: BTreeMap::from([("corten".to_owned(), runtime)]),
        default_runtime: "corten".to_owned(),
        swarm: Swarm {
            local_node_state: "inactive".to_owned(),
            ..Swarm::default()
        },
        live_restore_enabled: true,
        init_binary: "corten".to_owned(),
        runc_commit: commit(CORTEN_VERSION),
        init_commit: commit(CORTEN_VERSION),
        containerd_commit: commit(CORTEN_VERSION),
        firewall_backend: Some(FirewallInfo {
            driver: "nftables".to_owned(),
        }),
        ..Info::default()
    }
}

pub(crate) async fn disk_usage(
    State(system): State<System>,
    State(networks): State<Networks>,
    call: Call,
) -> Result<Response, Failure> {
    let usage = system.disk_usage().await?;
    let networks = NetworkIds::of(&networks.list(engine::Filters::default()).await?);
    let now = Timestamp::now();
    // `type` may be given several times; none stands for all.
    let kinds: Vec<&str> = call.query.all("type").collect();
    let wants = |kind: &str| kinds.is_empty() || kinds.contains(&kind);
    let volumes = usage.volumes.iter().map(|found| {
        let mut wire = volume(found);
        wire.usage_data = Some(UsageData {
            ref_count: wire::counted(found.users),
            size: found.size.map_or(-1, wire::signed),
        });
        wire
    });
    let containers = usage.containers.iter();
    let images = usage.images.iter().map(|(image, shared)| Summary {
        shared_size: wire::signed(*shared),
        ..wire::image_summary(image)
    });
    let document = DiskUsage {
        layers_size: wire::signed(usage.layers_size),
        images: wants("image").then(|| images.collect()),
        containers: wants("container").then(|| {
            containers
                .map(|container| wire::summary(container, &networks, now))
                .collect()
        }),
        volumes: wants("volume").then(|| volumes.collect()),
        build_cache: wants("build-cache").then(|| usage.cache.iter().map(cache_record).collect()),
        builder_size: None,
    };
    Ok(json(&quirks::disk_usage(call.version, document)))
}

/// There is no registry to ask yet. Credentials are kept by the client in any case; the first pull
/// or push will tell whether they are right.
pub(crate) async fn auth() -> Response {
    json(&AuthResponse {
        status: "Credentials are not checked before the first pull or push".to_owned(),
        identity_token: String::new(),
    })
}
