//! The flags that `create` and `run` share.

use std::path::PathBuf;

use clap::Args;

use crate::app::Later;
use crate::failure::Failure;
use crate::words::{detach, limits, quantity};

/// Flags of a new container, and the image with its arguments.
#[derive(Args, Debug)]
pub(crate) struct Flags {
    #[command(flatten)]
    pub(crate) process: Process,
    #[command(flatten)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) filesystem: Filesystem,
    #[command(flatten)]
    pub(crate) security: Security,
    #[command(flatten)]
    pub(crate) resources: Resources,
    /// The image, then the command in the container and its arguments
    #[arg(value_names = ["IMAGE", "COMMAND"], required = true, num_args = 1.., trailing_var_arg = true, hide = true)]
    pub(crate) words: Vec<String>,
}

/// What runs, and how it is connected.
#[derive(Args, Debug)]
pub(crate) struct Process {
    /// Attach to STDIN, STDOUT or STDERR
    #[arg(short, long, value_name = "list")]
    pub(crate) attach: Vec<String>,
    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long, value_name = "string")]
    pub(crate) entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_name = "list")]
    pub(crate) env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "list")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    pub(crate) init: bool,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "string")]
    pub(crate) user: Option<String>,
    /// Working directory inside the container
    #[arg(short, long, value_name = "string")]
    pub(crate) workdir: Option<String>,
    /// Signal to stop the container
    #[arg(long, value_name = "string")]
    pub(crate) stop_signal: Option<String>,
    /// Timeout (in seconds) to stop a container
    #[arg(long, value_name = "int")]
    pub(crate) stop_timeout: Option<i64>,
}

/// What the container is called and how it is kept.
#[derive(Args, Debug)]
pub(crate) struct Identity {
    /// Assign a name to the container
    #[arg(long, value_name = "string")]
    pub(crate) name: Option<String>,
    /// Write the container ID to the file
    #[arg(long, value_name = "string")]
    pub(crate) cidfile: Option<PathBuf>,
    /// Set meta data on a container
    #[arg(short, long, value_name = "list")]
    pub(crate) label: Vec<String>,
    /// Read in a line delimited file of labels
    #[arg(long, value_name = "list")]
    pub(crate) label_file: Vec<PathBuf>,
    /// Add an annotation to the container (passed through to the OCI runtime)
    #[arg(long, value_name = "map")]
    pub(crate) annotation: Vec<String>,
    /// Automatically remove the container when it exits
    #[arg(long)]
    pub(crate) rm: bool,
    /// Restart policy to apply when a container exits (only "no" yet)
    #[arg(long, value_name = "string")]
    pub(crate) restart: Option<String>,
    /// Pull image before running ("missing" or "never"; images are not pulled yet)
    #[arg(long, value_name = "string", default_value = "missing", value_parser = ["always", "missing", "never"])]
    pub(crate) pull: String,
    /// Set platform of the image
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    /// Suppress the pull output
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Logging driver for the container
    #[arg(long, value_name = "string")]
    pub(crate) log_driver: Option<String>,
    /// Log driver options
    #[arg(long, value_name = "list")]
    pub(crate) log_opt: Vec<String>,
}

/// How the container meets the network.
#[derive(Args, Debug)]
pub(crate) struct Network {
    /// Add a custom host-to-IP mapping (host:ip)
    #[arg(long, value_name = "list")]
    pub(crate) add_host: Vec<String>,
    /// Set custom DNS servers
    #[arg(long, value_name = "list")]
    pub(crate) dns: Vec<String>,
    /// Set DNS options
    #[arg(long, alias = "dns-opt", value_name = "list")]
    pub(crate) dns_option: Vec<String>,
    /// Set custom DNS search domains
    #[arg(long, value_name = "list")]
    pub(crate) dns_search: Vec<String>,
    /// Container NIS domain name
    #[arg(long, value_name = "string")]
    pub(crate) domainname: Option<String>,
    /// Expose a port or a range of ports
    #[arg(long, value_name = "list")]
    pub(crate) expose: Vec<String>,
    /// Container host name
    #[arg(short = 'h', long, value_name = "string")]
    pub(crate) hostname: Option<String>,
    /// Connect a container to a network (bridge, host or none)
    #[arg(long, alias = "net", value_name = "network")]
    pub(crate) network: Option<String>,
}

/// What the container sees as its files.
#[derive(Args, Debug)]
pub(crate) struct Filesystem {
    /// Attach a filesystem mount to the container
    #[arg(long, value_name = "mount")]
    pub(crate) mount: Vec<String>,
    /// Mount the container's root filesystem as read only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Size of /dev/shm
    #[arg(long, value_name = "bytes", value_parser = quantity::bytes)]
    pub(crate) shm_size: Option<i64>,
    /// Mount a tmpfs directory
    #[arg(long, value_name = "list")]
    pub(crate) tmpfs: Vec<String>,
    /// Bind mount a volume
    #[arg(short, long, value_name = "list")]
    pub(crate) volume: Vec<String>,
}

/// What the container may do.
#[derive(Args, Debug)]
pub(crate) struct Security {
    /// Add Linux capabilities
    #[arg(long, value_name = "list")]
    pub(crate) cap_add: Vec<String>,
    /// Drop Linux capabilities
    #[arg(long, value_name = "list")]
    pub(crate) cap_drop: Vec<String>,
    /// Cgroup namespace to use (host|private)
    #[arg(long, value_name = "string")]
    pub(crate) cgroupns: Option<String>,
    /// Add a host device to the container
    #[arg(long, value_name = "list")]
    pub(crate) device: Vec<String>,
    /// Add a rule to the cgroup allowed devices list
    #[arg(long, value_name = "list")]
    pub(crate) device_cgroup_rule: Vec<String>,
    /// Add additional groups to join
    #[arg(long, value_name = "list")]
    pub(crate) group_add: Vec<String>,
    /// IPC mode to use
    #[arg(long, value_name = "string")]
    pub(crate) ipc: Option<String>,
    /// PID namespace to use
    #[arg(long, value_name = "string")]
    pub(crate) pid: Option<String>,
    /// Give extended privileges to this container
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Security Options
    #[arg(long, value_name = "list")]
    pub(crate) security_opt: Vec<String>,
    /// Sysctl options
    #[arg(long, value_name = "map")]
    pub(crate) sysctl: Vec<String>,
    /// User namespace to use
    #[arg(long, value_name = "string")]
    pub(crate) userns: Option<String>,
    /// UTS namespace to use
    #[arg(long, value_name = "string")]
    pub(crate) uts: Option<String>,
}

/// What the container may use up.
#[derive(Args, Debug)]
pub(crate) struct Resources {
    /// Optional parent cgroup for the container
    #[arg(long, value_name = "string")]
    pub(crate) cgroup_parent: Option<String>,
    /// Limit CPU CFS (Completely Fair Scheduler) period
    #[arg(long, value_name = "int")]
    pub(crate) cpu_period: Option<i64>,
    /// Limit CPU CFS (Completely Fair Scheduler) quota
    #[arg(long, value_name = "int")]
    pub(crate) cpu_quota: Option<i64>,
    /// CPU shares (relative weight)
    #[arg(short, long, value_name = "int")]
    pub(crate) cpu_shares: Option<i64>,
    /// Number of CPUs
    #[arg(long, value_name = "decimal", value_parser = quantity::nano_cpus)]
    pub(crate) cpus: Option<i64>,
    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "string")]
    pub(crate) cpuset_cpus: Option<String>,
    /// MEMs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "string")]
    pub(crate) cpuset_mems: Option<String>,
    /// Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = quantity::bytes)]
    pub(crate) memory: Option<i64>,
    /// Memory soft limit
    #[arg(long, value_name = "bytes", value_parser = quantity::bytes)]
    pub(crate) memory_reservation: Option<i64>,
    /// Swap limit equal to memory plus swap: '-1' to enable unlimited swap
    #[arg(long, value_name = "bytes", value_parser = quantity::bytes_or_unlimited)]
    pub(crate) memory_swap: Option<i64>,
    /// Tune container memory swappiness (0 to 100)
    #[arg(long, value_name = "int")]
    pub(crate) memory_swappiness: Option<i64>,
    /// Disable OOM Killer
    #[arg(long)]
    pub(crate) oom_kill_disable: bool,
    /// Tune host's OOM preferences (-1000 to 1000)
    #[arg(long, value_name = "int")]
    pub(crate) oom_score_adj: Option<i64>,
    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long, value_name = "int")]
    pub(crate) pids_limit: Option<i64>,
    /// Ulimit options
    #[arg(long, value_name = "ulimit", value_parser = limits::ulimit)]
    pub(crate) ulimit: Vec<api::container::Ulimit>,
}

/// Flags of Docker that are not served yet.
pub(crate) const LATER: &[Later] = &[
    Later::value("blkio-weight"),
    Later::value("blkio-weight-device"),
    Later::value("cpu-rt-period"),
    Later::value("cpu-rt-runtime"),
    Later::value("device-read-bps"),
    Later::value("device-read-iops"),
    Later::value("device-write-bps"),
    Later::value("device-write-iops"),
    Later::value("gpus"),
    Later::value("health-cmd"),
    Later::value("health-interval"),
    Later::value("health-retries"),
    Later::value("health-start-interval"),
    Later::value("health-start-period"),
    Later::value("health-timeout"),
    Later::value("ip"),
    Later::value("ip6"),
    Later::value("isolation"),
    Later::value("link"),
    Later::value("link-local-ip"),
    Later::value("mac-address"),
    Later::value("network-alias"),
    Later::value("net-alias"),
    Later::switch("no-healthcheck"),
    Later::value("publish").short('p'),
    Later::switch("publish-all").short('P'),
    Later::value("runtime"),
    Later::value("storage-opt"),
    Later::switch("use-api-socket"),
    Later::value("volume-driver"),
    Later::value("volumes-from"),
];

impl Flags {
    /// The image of the command line.
    pub(crate) fn image(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The detach keys and the restart policy are refused here when the engine would not honour
    /// them.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if let Some(restart) = self
            .identity
            .restart
            .as_deref()
            .filter(|r| !matches!(*r, "" | "no"))
        {
            return Err(Failure::exit(
                125,
                format!("--restart {restart}: not available yet, only no"),
            ));
        }
        if self.identity.pull == "always" {
            return Err(Failure::exit(125, "--pull always: not available yet"));
        }
        Ok(())
    }
}

/// `--detach-keys`, shared by the commands that attach.
#[derive(Args, Debug)]
pub(crate) struct DetachKeys {
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "string", value_parser = detach::check)]
    pub(crate) detach_keys: Option<String>,
}
