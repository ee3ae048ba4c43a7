//! The flags of `build`.

use std::path::PathBuf;

use api::container::Ulimit;
use clap::Args;

use crate::app::Later;
use crate::failure::Failure;
use crate::words::{csv, limits, quantity};

/// Start a build
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "a list of flags")]
pub(crate) struct Build {
    /// Add a custom host-to-IP mapping (format: "host:ip")
    #[arg(long, value_name = "strings")]
    pub(super) add_host: Vec<String>,
    /// Set build-time variables
    #[arg(long, value_name = "stringArray")]
    pub(super) build_arg: Vec<String>,
    /// External cache sources (not available yet)
    #[arg(long, value_name = "stringArray")]
    cache_from: Vec<String>,
    /// Cache export destinations (not available yet)
    #[arg(long, value_name = "stringArray")]
    cache_to: Vec<String>,
    /// Name of the Dockerfile (default: "PATH/Dockerfile"), "-" for standard input
    #[arg(short, long, value_name = "string")]
    pub(super) file: Option<String>,
    /// Write the image ID to a file
    #[arg(long, value_name = "string")]
    pub(super) iidfile: Option<PathBuf>,
    /// Set metadata for an image
    #[arg(long, value_name = "stringArray")]
    pub(super) label: Vec<String>,
    /// Shorthand for "--output=type=docker": images are always loaded
    #[arg(long)]
    load: bool,
    /// Write build result metadata to a file
    #[arg(long, value_name = "string")]
    pub(super) metadata_file: Option<PathBuf>,
    /// Set the networking mode for the RUN instructions during build
    #[arg(long, value_name = "string", value_parser = ["default", "none", "host"])]
    pub(super) network: Option<String>,
    /// Do not use cache when building the image
    #[arg(long)]
    pub(super) no_cache: bool,
    /// Do not cache specified stages
    #[arg(long, value_name = "stringArray")]
    pub(super) no_cache_filter: Vec<String>,
    /// Output destination (format: "type=local,dest=path"); types: image, local, tar, oci, docker
    #[arg(short, long, value_name = "stringArray")]
    pub(super) output: Vec<String>,
    /// Set target platform for build
    #[arg(long, value_name = "string")]
    pub(super) platform: Option<String>,
    /// Set type of progress output (auto, plain, tty, json, quiet)
    #[arg(long, value_name = "string")]
    pub(super) progress: Option<String>,
    /// Always attempt to pull all referenced images (not available yet)
    #[arg(long)]
    pub(super) pull: bool,
    /// Push the image to a registry (not available yet)
    #[arg(long)]
    push: bool,
    /// Suppress the build output and print image ID on success
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")
    #[arg(long, value_name = "stringArray")]
    pub(super) secret: Vec<String>,
    /// Shared memory size for build containers
    #[arg(long, value_name = "bytes", value_parser = quantity::bytes)]
    pub(super) shm_size: Option<i64>,
    /// SSH agent socket or keys to expose to the build (not available yet)
    #[arg(long, value_name = "stringArray")]
    ssh: Vec<String>,
    /// Image identifier (format: "[registry/]repository[:tag]")
    #[arg(short, long, value_name = "stringArray")]
    pub(super) tag: Vec<String>,
    /// Set the target build stage to build
    #[arg(long, value_name = "string")]
    pub(super) target: Option<String>,
    /// Ulimit options
    #[arg(long, value_name = "ulimit", value_parser = limits::ulimit)]
    pub(super) ulimit: Vec<Ulimit>,
    /// Provenance attestation: only "false" yet
    #[arg(long, value_name = "string", hide = true)]
    provenance: Option<String>,
    /// SBOM attestation: only "false" yet
    #[arg(long, value_name = "string", hide = true)]
    sbom: Option<String>,
    /// Of the old builder: intermediate containers are always removed
    #[arg(long, hide = true)]
    rm: bool,
    /// Of the old builder: intermediate containers are always removed
    #[arg(long, hide = true)]
    force_rm: bool,
    #[arg(value_name = "PATH", hide = true)]
    pub(super) context: String,
}

/// Flags of Docker's builders that are not served yet.
pub(super) const LATER: &[Later] = &[
    Later::value("allow"),
    Later::value("annotation"),
    Later::value("attest"),
    Later::value("build-context"),
    Later::value("builder"),
    Later::value("call"),
    Later::value("cgroup-parent"),
    Later::switch("check"),
    Later::switch("compress"),
    Later::value("cpu-period"),
    Later::value("cpu-quota"),
    Later::value("cpu-shares").short('c'),
    Later::value("cpuset-cpus"),
    Later::value("cpuset-mems"),
    Later::value("isolation"),
    Later::value("memory").short('m'),
    Later::value("memory-swap"),
    Later::value("policy"),
    Later::value("resource"),
    Later::value("security-opt"),
    Later::switch("squash"),
];

impl Build {
    /// Refuses what would otherwise be ignored.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let off = |value: &Option<String>| {
            value
                .as_deref()
                .is_none_or(|value| csv::go_bool(value) == Ok(false))
        };
        let used = [
            ("--cache-from", !self.cache_from.is_empty()),
            ("--cache-to", !self.cache_to.is_empty()),
            ("--ssh", !self.ssh.is_empty()),
            ("--push", self.push),
            ("--pull", self.pull),
            ("--provenance", !off(&self.provenance)),
            ("--sbom", !off(&self.sbom)),
        ];
        match used.iter().find(|(_, used)| *used) {
            Some((flag, _)) => Err(Failure::exit(1, format!("{flag}: not available yet"))),
            None => Ok(()),
        }
    }
}
