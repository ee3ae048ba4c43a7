//! A sandbox as data: what a container or a build step asks for becomes an OCI document. Pure:
//! everything that must be looked up stands in the [`Plan`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use oci::runtime::{
    Linux, LinuxNamespace, LinuxNamespaceType, LinuxResources, Mount, Process as OciProcess, Root,
    Spec, User,
};

use super::capabilities;
use super::defaults::{self, MountChoice};
use super::devices::Devices;
use super::resources;
use super::users::Identity;
use crate::Error;
use crate::spec::{CgroupNamespace, HostOptions, Namespace, NetworkMode};

const OCI_VERSION: &str = "1.2.0";
const UMASK: u32 = 0o022;
/// Where our own binary stands in a container with an init.
pub(crate) const INIT_PATH: &str = "/sbin/docker-init";

/// A process as the sandbox runs it.
#[derive(Debug, Clone)]
pub(crate) struct Task<'a> {
    pub(crate) args: &'a [String],
    /// `KEY=value`, without what the sandbox adds.
    pub(crate) env: &'a [String],
    pub(crate) cwd: &'a str,
    pub(crate) identity: &'a Identity,
    pub(crate) tty: bool,
    pub(crate) console_size: Option<(u16, u16)>,
}

/// Everything that the document is made of.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) id: &'a str,
    pub(crate) task: Task<'a>,
    pub(crate) host: &'a HostOptions,
    pub(crate) hostname: &'a str,
    pub(crate) domainname: &'a str,
    /// Mounts besides the standard ones, by depth of their targets.
    pub(crate) mounts: Vec<Mount>,
    pub(crate) devices: Devices,
    /// First processes of the containers whose namespaces are joined.
    pub(crate) join: Join,
    /// The network namespace comes to the runtime as a descriptor, or is the host's.
    pub(crate) cgroup_v2: bool,
    /// Our own binary, if it is to be process 1.
    pub(crate) init: Option<&'a Path>,
    /// The runtime makes the network namespace: there is nothing but a loopback device in it.
    pub(crate) own_network: bool,
    /// Numbers of the host's processors, whose throttle counters are hidden.
    pub(crate) cpus: usize,
}

/// Process ids whose namespaces are joined.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Join {
    pub(crate) network: Option<u32>,
    pub(crate) ipc: Option<u32>,
    pub(crate) pid: Option<u32>,
}

impl Plan<'_> {
    /// The document for the runtime.
    pub(crate) fn spec(&self) -> Result<Spec, Error> {
        let mut root = Root::default();
        root.set_path("rootfs".into())
            .set_readonly(Some(self.host.read_only));
        let own_uts = self.host.uts != Namespace::Host;
        let text = |text: &str| (own_uts && !text.is_empty()).then(|| text.to_owned());
        let mut spec = Spec::default();
        spec.set_version(OCI_VERSION.to_owned())
            .set_root(Some(root))
            .set_process(Some(self.process()?))
            .set_hostname(text(self.hostname))
            .set_domainname(text(self.domainname))
            .set_mounts(Some(self.all_mounts()))
            .set_linux(Some(self.linux()?));
        if !self.host.annotations.is_empty() {
            let annotations = self.host.annotations.clone();
            spec.set_annotations(Some(annotations.into_iter().collect()));
        }
        Ok(spec)
    }

    fn process(&self) -> Result<OciProcess, Error> {
        let mut args = self.task.args.to_vec();
        if self.init.is_some() {
            args.splice(0..0, [INIT_PATH.to_owned(), "--".to_owned()]);
        }
        let mut process = process(&self.task, self.host, self.hostname)?;
        process.set_args(Some(args));
        Ok(process)
    }

    fn all_mounts(&self) -> Vec<Mount> {
        let choice = MountChoice {
            privileged: self.host.privileged,
            own_ipc: matches!(self.host.ipc, Namespace::Private | Namespace::Shareable),
            cgroup: true,
            shm_size: self.host.shm_size.unwrap_or(defaults::SHM_SIZE),
        };
        let mut list = defaults::mounts(choice);
        match (&self.host.ipc, self.join.ipc) {
            (Namespace::Host, _) => {
                list.push(bind(Path::new("/dev/shm"), "/dev/shm", true));
                list.push(bind(Path::new("/dev/mqueue"), "/dev/mqueue", true));
            }
            (_, Some(pid)) => {
                let shared = PathBuf::from(format!("/proc/{pid}/root/dev/shm"));
                list.push(bind(&shared, "/dev/shm", true));
                list.push(defaults::mount(
                    "/dev/mqueue",
                    "mqueue",
                    "mqueue",
                    &["nosuid", "noexec", "nodev"],
                ));
            }
            _ => {}
        }
        if let Some(init) = self.init {
            list.push(bind(init, INIT_PATH, false));
        }
        // What the user mounts over a standard target replaces it.
        list.retain(|standard| {
            self.mounts
                .iter()
                .all(|own| own.destination() != standard.destination())
        });
        list.extend(self.mounts.iter().cloned());
        list
    }

    fn linux(&self) -> Result<Linux, Error> {
        let mut linux = Linux::default();
        linux
            .set_namespaces(Some(self.namespaces()))
            .set_resources(Some(self.resources()))
            .set_cgroups_path(Some(self.cgroup_path()))
            .set_sysctl(Some(self.sysctls()?))
            .set_masked_paths(Some(self.masked_paths()))
            .set_readonly_paths(Some(self.readonly_paths()))
            .set_devices((!self.devices.nodes.is_empty()).then(|| self.devices.nodes.clone()))
            .set_rootfs_propagation(self.rootfs_propagation());
        Ok(linux)
    }

    fn namespaces(&self) -> Vec<LinuxNamespace> {
        let mut list = vec![namespace(LinuxNamespaceType::Mount, None)];
        let mut add = |kind, choice: &Namespace, joined: Option<u32>, name: &str| match choice {
            Namespace::Host => {}
            Namespace::Private | Namespace::Shareable => list.push(namespace(kind, None)),
            Namespace::Container(_) => {
                let path = joined.map(|pid| PathBuf::from(format!("/proc/{pid}/ns/{name}")));
                list.push(namespace(kind, path));
            }
        };
        add(
            LinuxNamespaceType::Pid,
            &self.host.pid,
            self.join.pid,
            "pid",
        );
        add(LinuxNamespaceType::Uts, &self.host.uts, None, "uts");
        add(
            LinuxNamespaceType::Ipc,
            &self.host.ipc,
            self.join.ipc,
            "ipc",
        );
        if let Some(pid) = self.join.network {
            let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
            list.push(namespace(LinuxNamespaceType::Network, Some(path)));
        } else if self.own_network {
            list.push(namespace(LinuxNamespaceType::Network, None));
        }
        let own_cgroup = match self.host.cgroup {
            CgroupNamespace::Default => self.cgroup_v2 && !self.host.privileged,
            CgroupNamespace::Private => true,
            CgroupNamespace::Host => false,
        };
        if own_cgroup {
            list.push(namespace(LinuxNamespaceType::Cgroup, None));
        }
        list
    }

    fn resources(&self) -> LinuxResources {
        let mut limits = resources::limits(&self.host.resources);
        let mut rules = match self.host.privileged {
            true => Vec::new(),
            false => defaults::device_rules(),
        };
        rules.extend(self.devices.rules.iter().cloned());
        limits.set_devices(Some(rules));
        limits
    }

    /// `/corten/<id>` in every hierarchy, or below the parent that was asked for.
    fn cgroup_path(&self) -> PathBuf {
        cgroup_path(&self.host.cgroup_parent, self.id)
    }

    fn sysctls(&self) -> Result<HashMap<String, String>, Error> {
        let mut all = HashMap::new();
        if self.host.network != NetworkMode::Host && self.join.network.is_none() {
            // An own network has nobody to protect low ports from.
            all.insert(
                "net.ipv4.ip_unprivileged_port_start".to_owned(),
                "0".to_owned(),
            );
            all.insert(
                "net.ipv4.ping_group_range".to_owned(),
                "0 2147483647".to_owned(),
            );
        }
        for (name, value) in &self.host.sysctls {
            self.check_sysctl(name)?;
            all.insert(name.clone(), value.clone());
        }
        Ok(all)
    }

    /// Only what belongs to a namespace of the container may be set.
    fn check_sysctl(&self, name: &str) -> Result<(), Error> {
        const IPC: [&str; 8] = [
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced",
        ];
        let refuse = |reason| Err(Error::invalid("sysctl", name, reason));
        if name.starts_with("net.") {
            return match self.host.network == NetworkMode::Host {
                true => refuse("not allowed in the host's network namespace"),
                false => Ok(()),
            };
        }
        if name.starts_with("fs.mqueue.") || IPC.contains(&name) {
            return match self.host.ipc == Namespace::Host {
                true => refuse("not allowed in the host's IPC namespace"),
                false => Ok(()),
            };
        }
        refuse("it is not of a namespace, so it would change the host")
    }

    fn masked_paths(&self) -> Vec<String> {
        let own = |path: &&&str| !(self.host.pid == Namespace::Host && **path == "/proc/keys");
        match &self.host.masked_paths {
            _ if self.open_system_paths() => Vec::new(),
            Some(said) => said.clone(),
            None => {
                let fixed = defaults::MASKED_PATHS
                    .iter()
                    .filter(own)
                    .map(|&path| path.to_owned());
                let throttle = (0..self.cpus)
                    .map(|cpu| format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle"));
                fixed.chain(throttle).collect()
            }
        }
    }

    fn readonly_paths(&self) -> Vec<String> {
        match &self.host.readonly_paths {
            _ if self.open_system_paths() => Vec::new(),
            Some(said) => said.clone(),
            None => defaults::READONLY_PATHS.map(str::to_owned).to_vec(),
        }
    }

    fn open_system_paths(&self) -> bool {
        self.host.privileged || self.host.security.unconfined_system_paths
    }

    /// A mount that is shared with the host needs a root that takes part.
    fn rootfs_propagation(&self) -> Option<String> {
        let any = |words: [&str; 2]| {
            self.mounts.iter().any(|mount| {
                let options = mount.options().as_deref().unwrap_or_default();
                options
                    .iter()
                    .any(|option| words.contains(&option.as_str()))
            })
        };
        match (any(["shared", "rshared"]), any(["slave", "rslave"])) {
            (true, _) => Some("shared".to_owned()),
            (false, true) => Some("slave".to_owned()),
            (false, false) => None,
        }
    }
}

/// A process of the sandbox: the first one, or a further one.
pub(crate) fn process(
    task: &Task<'_>,
    host: &HostOptions,
    hostname: &str,
) -> Result<OciProcess, Error> {
    let bounding = capabilities::bounding(host)?;
    let mut user = User::default();
    user.set_uid(task.identity.uid)
        .set_gid(task.identity.gid)
        .set_umask(Some(UMASK))
        .set_additional_gids(Some(task.identity.groups.clone()));
    let mut process = OciProcess::default();
    process
        .set_terminal(Some(task.tty))
        .set_console_size(task.console_size.and_then(console_size))
        .set_user(user)
        .set_args(Some(task.args.to_vec()))
        .set_env(Some(environment(task, hostname)))
        .set_cwd(task.cwd.into())
        .set_capabilities(Some(capabilities::process(&bounding, task.identity.uid)))
        .set_rlimits(Some(resources::rlimits(&host.ulimits)?))
        .set_oom_score_adj((host.oom_score_adj != 0).then_some(host.oom_score_adj))
        .set_no_new_privileges(host.security.no_new_privileges.then_some(true));
    Ok(process)
}

fn console_size((rows, columns): (u16, u16)) -> Option<oci::runtime::Box> {
    let size = oci::runtime::BoxBuilder::default();
    size.height(u64::from(rows))
        .width(u64::from(columns))
        .build()
        .ok()
}

/// What every process finds, unless the image or the user said otherwise.
fn environment(task: &Task<'_>, hostname: &str) -> Vec<String> {
    let mut list = task.env.to_vec();
    let mut default = |key: &str, value: &str| {
        let has = |line: &String| line.split_once('=').is_some_and(|(name, _)| name == key);
        if !list.iter().any(has) {
            list.push(format!("{key}={value}"));
        }
    };
    if !hostname.is_empty() {
        default("HOSTNAME", hostname);
    }
    if task.tty {
        default("TERM", "xterm");
    }
    default("HOME", &task.identity.home);
    list
}

/// Where the control groups of a container are, below the root of each hierarchy.
pub(crate) fn cgroup_path(parent: &str, id: &str) -> PathBuf {
    let parent = match parent.trim_matches('/') {
        "" => "corten",
        parent => parent,
    };
    Path::new("/").join(parent).join(id)
}

fn namespace(kind: LinuxNamespaceType, path: Option<PathBuf>) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(kind).set_path(path);
    namespace
}

/// A path of the host at `target`.
pub(crate) fn bind(source: &Path, target: &str, writable: bool) -> Mount {
    let access = if writable { "rw" } else { "ro" };
    let mut mount = defaults::mount(target, "bind", "", &["rbind", "rprivate", access]);
    mount.set_source(Some(source.to_owned()));
    mount
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::devices;
    use crate::spec::Mount as Asked;

    fn identity() -> Identity {
        Identity {
            uid: 0,
            gid: 0,
            groups: vec![0],
            home: "/root".into(),
        }
    }

    fn spec_of(host: &HostOptions, mounts: Vec<Mount>) -> Result<Spec, Error> {
        let identity = identity();
        let args = ["true".to_owned()];
        let plan = Plan {
            id: "abc",
            task: Task {
                args: &args,
                env: &["A=1".to_owned()],
                cwd: "/",
                identity: &identity,
                tty: false,
                console_size: None,
            },
            host,
            hostname: "abc",
            domainname: "",
            mounts,
            devices: devices::collect(host)?,
            join: Join::default(),
            cgroup_v2: false,
            init: host.init.then_some(Path::new("/usr/bin/corten")),
            own_network: host.network == NetworkMode::None,
            cpus: 1,
        };
        plan.spec()
    }

    fn kinds(spec: &Spec) -> Vec<LinuxNamespaceType> {
        let linux = spec.linux().as_ref().unwrap();
        let list = linux.namespaces().as_ref().unwrap();
        list.iter().map(LinuxNamespace::typ).collect()
    }

    #[test]
    fn a_plain_container() {
        let spec = spec_of(&HostOptions::default(), Vec::new()).unwrap();
        let process = spec.process().as_ref().unwrap();
        assert_eq!(
            process.env().as_ref().unwrap().join(" "),
            "A=1 HOSTNAME=abc HOME=/root"
        );
        let linux = spec.linux().as_ref().unwrap();
        assert_eq!(
            linux.cgroups_path().as_deref(),
            Some(Path::new("/corten/abc"))
        );
        assert_eq!(linux.masked_paths().as_ref().unwrap().len(), 13);
        assert!(!kinds(&spec).contains(&LinuxNamespaceType::Network));
    }

    #[test]
    fn privileged_opens_everything() {
        let host = HostOptions {
            privileged: true,
            ..HostOptions::default()
        };
        let spec = spec_of(&host, Vec::new()).unwrap();
        let linux = spec.linux().as_ref().unwrap();
        assert!(linux.masked_paths().as_ref().unwrap().is_empty());
        let rules = linux
            .resources()
            .as_ref()
            .unwrap()
            .devices()
            .as_ref()
            .unwrap();
        assert!(rules.iter().all(oci::runtime::LinuxDeviceCgroup::allow));
        assert!(!linux.devices().as_ref().unwrap().is_empty());
    }

    #[test]
    fn the_users_mount_replaces_a_standard_one() {
        let own = bind(Path::new("/tmp"), "/dev/shm", true);
        let spec = spec_of(&HostOptions::default(), vec![own]).unwrap();
        let mounts = spec.mounts().as_ref().unwrap();
        let shm: Vec<_> = mounts
            .iter()
            .filter(|mount| mount.destination() == Path::new("/dev/shm"))
            .collect();
        assert_eq!(shm.len(), 1);
        assert_eq!(shm[0].typ().as_deref(), Some("bind"));
    }

    #[test]
    fn an_init_goes_in_front() {
        let host = HostOptions {
            init: true,
            ..HostOptions::default()
        };
        let spec = spec_of(&host, Vec::new()).unwrap();
        let args = spec.process().as_ref().unwrap().args().clone().unwrap();
        assert_eq!(args, [INIT_PATH, "--", "true"]);
    }

    #[test]
    fn namespaces_of_the_host() {
        let host = HostOptions {
            pid: Namespace::Host,
            ipc: Namespace::Host,
            uts: Namespace::Host,
            network: NetworkMode::None,
            cgroup: CgroupNamespace::Private,
            ..HostOptions::default()
        };
        let spec = spec_of(&host, Vec::new()).unwrap();
        assert_eq!(
            kinds(&spec),
            [
                LinuxNamespaceType::Mount,
                LinuxNamespaceType::Network,
                LinuxNamespaceType::Cgroup
            ]
        );
        assert!(spec.hostname().is_none());
    }

    #[test]
    fn only_sysctls_of_own_namespaces() {
        let with = |name: &str, network: NetworkMode| {
            let host = HostOptions {
                sysctls: [(name.to_owned(), "1".to_owned())].into(),
                network,
                ..HostOptions::default()
            };
            spec_of(&host, Vec::new())
        };
        assert!(with("net.ipv4.ip_forward", NetworkMode::Bridge).is_ok());
        assert!(with("net.ipv4.ip_forward", NetworkMode::Host).is_err());
        assert!(with("kernel.shmmax", NetworkMode::Bridge).is_ok());
        assert!(with("kernel.panic", NetworkMode::Bridge).is_err());
    }

    #[test]
    fn propagation_reaches_the_root() {
        let asked = Asked::parse_bind("/tmp:/x:rslave").unwrap();
        let mounts = super::super::mounts::user_mount(&asked, Path::new("/tmp"));
        let spec = spec_of(&HostOptions::default(), vec![mounts]).unwrap();
        let linux = spec.linux().as_ref().unwrap();
        assert_eq!(linux.rootfs_propagation().as_deref(), Some("slave"));
    }
}
