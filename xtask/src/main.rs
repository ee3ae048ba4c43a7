//! Development tasks: `cargo xtask <task>`.
//!
//! - `deps`: fails where a crate imports another that the table below does not allow. The table
//!   is the one in ARCHITECTURE.md.
//! - `bench`: measures us beside our peers, see bench/README.md.

mod bench;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// Crate → the crates of ours that it may import.
const EDGES: &[(&str, &[&str])] = &[
    ("oci", &[]),
    ("sys", &[]),
    ("api", &["oci"]),
    ("dockerfile", &["oci"]),
    ("solver", &["oci"]),
    ("store", &["oci", "sys"]),
    ("runtime", &["oci", "sys"]),
    ("network", &["sys"]),
    ("shim", &["oci", "sys", "runtime"]),
    ("build", &["oci", "sys", "dockerfile", "solver", "store"]),
    (
        "engine",
        &["oci", "sys", "store", "build", "network", "runtime", "shim"],
    ),
    ("server", &["api", "engine", "oci", "sys"]),
    ("cli", &["api", "dockerfile", "oci"]),
    ("corten", &["cli", "server", "engine", "shim", "runtime"]),
];

/// Crates for development only: they may import any, and be imported for tests.
const DEVELOPMENT: &[&str] = &["testkit", "xtask"];

#[expect(clippy::print_stderr, reason = "a tool for the terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = arguments
        .split_first()
        .map_or(("", &[][..]), |(t, r)| (t.as_str(), r));
    let result = match task {
        "deps" => deps(),
        "bench" => bench::main(rest),
        other => Err(anyhow::anyhow!(
            "unknown task `{other}`: expected deps or bench"
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn deps() -> Result<()> {
    let metadata = metadata()?;
    let packages = metadata["packages"]
        .as_array()
        .context("metadata without packages")?;
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let ours: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if DEVELOPMENT.contains(&name) {
            continue;
        }
        let Some(edges) = allowed.get(name) else {
            faults.push(format!("crate `{name}` is not in the table"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for dependency in dependencies.filter(|d| d["kind"] != "dev") {
            let import = dependency["name"].as_str().unwrap_or_default();
            if ours.contains(&import) && !edges.contains(&import) {
                faults.push(format!("`{name}` must not import `{import}`"));
            }
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => bail!("{}", faults.join("\n")),
    }
}

fn metadata() -> Result<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .context("cargo metadata did not start")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}
