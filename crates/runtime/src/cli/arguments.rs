//! The words of the command line, those of runc and crun.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs containers from OCI bundles.
#[derive(Debug, Parser)]
#[command(
    name = "corten-runtime",
    disable_version_flag = true,
    args_override_self = true
)]
pub(super) struct Arguments {
    /// Folder with the state of containers
    #[arg(long)]
    pub(super) root: Option<PathBuf>,
    /// Where errors are written to, besides standard error: file:PATH or PATH
    #[arg(long)]
    pub(super) log: Option<String>,
    /// How they are written there
    #[arg(long, value_enum, default_value = "text")]
    pub(super) log_format: LogFormat,
    /// The least important kind of message to write
    #[arg(long)]
    pub(super) log_level: Option<String>,
    /// Accepted; there is nothing more to tell
    #[arg(long)]
    pub(super) debug: bool,
    /// Who manages control groups: cgroupfs, systemd (for paths in its form), or disabled
    #[arg(long)]
    pub(super) cgroup_manager: Option<String>,
    /// Accepted: paths in systemd's form are known by their look
    #[arg(long)]
    pub(super) systemd_cgroup: bool,
    /// Accepted: found out without it
    #[arg(long)]
    pub(super) rootless: Option<String>,
    /// Print the version
    #[arg(long, short = 'v')]
    pub(super) version: bool,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a container, whose process waits to be started
    Create(Create),
    /// Start a created container
    Start(Id),
    /// Create, start and wait for a container
    Run(Run),
    /// Print the state of a container
    State(State),
    /// Send a signal to a container
    Kill(Kill),
    /// Remove a container
    Delete(Delete),
    /// Run another process in a container
    Exec(Exec),
    /// Stop all processes of a container for now
    Pause(Id),
    /// Let them go on
    Resume(Id),
    /// List the processes of a container
    Ps(Ps),
    /// List containers
    List(List),
    /// Change the limits of a container
    Update(Box<Update>),
    /// Print what a container uses
    Events(Events),
    /// Write a config.json to start from
    Spec(Spec),
    /// Print what this runtime can do
    Features,
}

#[derive(Debug, Args)]
pub(super) struct Id {
    /// The container
    pub(super) id: String,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The container
    pub(super) id: String,
    /// Folder with the config and, by default, the root
    #[arg(long, short, default_value = ".")]
    pub(super) bundle: PathBuf,
    /// Config to use in place of the bundle's
    #[arg(long, short = 'f')]
    pub(super) config: Option<PathBuf>,
    /// Socket that the terminal is sent to
    #[arg(long)]
    pub(super) console_socket: Option<PathBuf>,
    /// File to write the process id to
    #[arg(long)]
    pub(super) pid_file: Option<PathBuf>,
    /// How many more descriptors the process gets
    #[arg(long, default_value_t = 0)]
    pub(super) preserve_fds: u32,
    /// Enter the root by chroot
    #[arg(long)]
    pub(super) no_pivot: bool,
    /// Keep the session keyring
    #[arg(long)]
    pub(super) no_new_keyring: bool,
    /// Accepted: no reaper is set
    #[arg(long)]
    pub(super) no_subreaper: bool,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) create: Create,
    /// Do not wait for its end
    #[arg(long, short)]
    pub(super) detach: bool,
    /// Keep the container after its end
    #[arg(long)]
    pub(super) keep: bool,
}

#[derive(Debug, Args)]
pub(super) struct State {
    /// The container
    pub(super) id: String,
    /// Accepted: all is printed
    #[arg(long, short)]
    pub(super) all: bool,
    /// Accepted
    #[arg(long, short)]
    pub(super) regex: bool,
}

#[derive(Debug, Args)]
pub(super) struct Kill {
    /// The container
    pub(super) id: String,
    /// Name or number
    #[arg(default_value = "TERM")]
    pub(super) signal: String,
    /// To all processes
    #[arg(long, short)]
    pub(super) all: bool,
    /// The container's name is a pattern
    #[arg(long, short)]
    pub(super) regex: bool,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The container
    pub(super) id: String,
    /// Kill it if it runs
    #[arg(long, short)]
    pub(super) force: bool,
    /// The container's name is a pattern
    #[arg(long)]
    pub(super) regex: bool,
}

#[derive(Debug, Args)]
#[command(trailing_var_arg = true)]
pub(super) struct Exec {
    /// The container
    pub(super) id: String,
    /// Program and its arguments
    #[arg(allow_hyphen_values = true)]
    pub(super) command: Vec<String>,
    /// File with the whole process
    #[arg(long, short)]
    pub(super) process: Option<PathBuf>,
    /// Variable to add, NAME=VALUE
    #[arg(long, short)]
    pub(super) env: Vec<String>,
    /// Working directory
    #[arg(long)]
    pub(super) cwd: Option<PathBuf>,
    /// UID[:GID]
    #[arg(long, short)]
    pub(super) user: Option<String>,
    /// Groups to add
    #[arg(long, short = 'g')]
    pub(super) additional_gids: Vec<u32>,
    /// Give it a terminal
    #[arg(long, short, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) tty: Option<bool>,
    /// Do not wait for its end
    #[arg(long, short)]
    pub(super) detach: bool,
    /// Socket that the terminal is sent to
    #[arg(long)]
    pub(super) console_socket: Option<PathBuf>,
    /// File to write the process id to
    #[arg(long)]
    pub(super) pid_file: Option<PathBuf>,
    /// How many more descriptors the process gets
    #[arg(long, default_value_t = 0)]
    pub(super) preserve_fds: u32,
    /// Capability to add
    #[arg(long, short)]
    pub(super) cap: Vec<String>,
    /// Never gain privileges
    #[arg(long)]
    pub(super) no_new_privs: bool,
    /// AppArmor profile
    #[arg(long)]
    pub(super) apparmor: Option<String>,
    /// SELinux label
    #[arg(long)]
    pub(super) process_label: Option<String>,
    /// Control group below the container's
    #[arg(long)]
    pub(super) cgroup: Option<String>,
    /// Accepted
    #[arg(long)]
    pub(super) ignore_paused: bool,
}

#[derive(Debug, Args)]
pub(super) struct Ps {
    /// The container
    pub(super) id: String,
    /// table or json
    #[arg(long, short, default_value = "table")]
    pub(super) format: String,
    /// Accepted: options of ps
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) options: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// table or json
    #[arg(long, short, default_value = "table")]
    pub(super) format: String,
    /// Only the names
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Events {
    /// The container
    pub(super) id: String,
    /// Print once and end
    #[arg(long)]
    pub(super) stats: bool,
    /// Seconds between two lines
    #[arg(long, default_value_t = 5)]
    pub(super) interval: u64,
}

#[derive(Debug, Args)]
pub(super) struct Spec {
    /// Folder to write it to
    #[arg(long, short, default_value = ".")]
    pub(super) bundle: PathBuf,
    /// For users without privileges
    #[arg(long)]
    pub(super) rootless: bool,
    /// The file
    #[arg(long, short = 'f')]
    pub(super) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    /// The container
    pub(super) id: String,
    /// File with linux.resources, - for standard input
    #[arg(long, short)]
    pub(super) resources: Option<PathBuf>,
    #[arg(long)]
    pub(super) memory: Option<String>,
    #[arg(long)]
    pub(super) memory_swap: Option<String>,
    #[arg(long)]
    pub(super) memory_reservation: Option<String>,
    #[arg(long)]
    pub(super) kernel_memory: Option<String>,
    #[arg(long)]
    pub(super) kernel_memory_tcp: Option<String>,
    #[arg(long, visible_alias = "cpu-shares")]
    pub(super) cpu_share: Option<u64>,
    #[arg(long, allow_hyphen_values = true)]
    pub(super) cpu_quota: Option<i64>,
    #[arg(long)]
    pub(super) cpu_period: Option<u64>,
    #[arg(long)]
    pub(super) cpu_burst: Option<u64>,
    #[arg(long)]
    pub(super) cpu_idle: Option<i64>,
    #[arg(long)]
    pub(super) cpu_rt_period: Option<u64>,
    #[arg(long, allow_hyphen_values = true)]
    pub(super) cpu_rt_runtime: Option<i64>,
    #[arg(long)]
    pub(super) cpuset_cpus: Option<String>,
    #[arg(long)]
    pub(super) cpuset_mems: Option<String>,
    #[arg(long)]
    pub(super) blkio_weight: Option<u16>,
    #[arg(long, allow_hyphen_values = true)]
    pub(super) pids_limit: Option<i64>,
}
