//! Starting a container that ends at once.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::peers::busybox_root;
use super::report::Report;
use super::sample::{Contender, compete, wall_time};

/// `run --rm --network none busybox true`, beside dockerd and beside the bare `crun run` of a
/// bundle with the same root.
pub(crate) fn run_true(bench: &Bench, report: &mut Report) -> Result<()> {
    const WORDS: &[&str] = &["run", "--rm", "--network", "none", "busybox", "true"];
    let bundle = bench.work.join("bundle");
    write_bundle(&bench.work, &bundle)?;
    let runtime = bench.work.join("runtime");
    fs::create_dir_all(&runtime)?;
    let mut contenders = vec![Contender::command("corten run", || {
        bench.corten.command(WORDS)
    })];
    if let Some(docker) = &bench.docker {
        contenders.push(Contender::command("docker run", || docker.command(WORDS)));
    }
    let arguments = ["run", "--bundle"];
    let corten = || {
        let mut command = bench.corten.command(&["runtime", "--root"]);
        command
            .arg(&runtime)
            .args(arguments)
            .arg(&bundle)
            .arg("bench-corten");
        command
    };
    contenders.push(Contender::command("corten runtime run", corten));
    for name in ["crun", "runc"] {
        if Command::new(name).arg("--version").output().is_err() {
            report.missing(name);
            continue;
        }
        let command = || without_unified_cgroup(name, &bundle);
        contenders.push(Contender::command(&format!("{name} run"), command));
    }
    report.add(
        "`run --rm --network none busybox true`",
        &compete(contenders, bench.runs)?,
    );
    Ok(())
}

/// crun refuses a hybrid host whose unified tree carries controllers: it gets a mount namespace
/// without that tree. The cost of `unshare` and `umount` counts for it, about 2 ms.
fn without_unified_cgroup(name: &str, bundle: &Path) -> Command {
    let script = format!(
        "umount /sys/fs/cgroup/unified 2>/dev/null; exec {name} run --bundle {} bench-{name}",
        bundle.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "/bin/sh", "-c", &script]);
    command
}

fn write_bundle(work: &Path, bundle: &Path) -> Result<()> {
    let root = busybox_root(work)?;
    fs::create_dir_all(bundle)?;
    wall_time(
        Command::new("cp")
            .arg("-a")
            .arg(root)
            .arg(bundle.join("rootfs")),
    )?;
    let spec = Command::new("crun")
        .arg("spec")
        .current_dir(bundle)
        .output();
    let path = bundle.join("config.json");
    if spec.is_err() || !path.exists() {
        fs::write(&path, include_str!("bundle.json"))?;
    }
    let text = fs::read_to_string(&path)?;
    let mut spec: serde_json::Value = serde_json::from_str(&text)?;
    spec["process"]["args"] = serde_json::json!(["/bin/true"]);
    spec["process"]["terminal"] = serde_json::json!(false);
    fs::write(&path, spec.to_string())?;
    Ok(())
}
