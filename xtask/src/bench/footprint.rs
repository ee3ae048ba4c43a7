//! Memory, size and start of the engine and the shim.

use std::fs;

use anyhow::{Context, Result};

use super::Bench;
use super::report::Report;
use super::sample::wall_time;

/// Idle engine, one shim, the binary, readiness.
pub(crate) fn footprint(bench: &Bench, report: &mut Report) -> Result<()> {
    let corten = &bench.corten;
    let rss = field(&format!("/proc/{}/status", corten.engine.id()), "VmRSS:")?;
    report.fact("engine, resident", &format!("{:.1} MB", rss / 1000.0));
    wall_time(&mut corten.command(&[
        "run",
        "-d",
        "--name",
        "bench-idle",
        "--network",
        "none",
        "busybox",
        "sleep",
        "60",
    ]))?;
    // A shim gives memory back when nothing has happened for a while.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let shim = shim_pid()?;
    let pss = field(&format!("/proc/{shim}/smaps_rollup"), "Pss:")?;
    report.fact("shim, proportional", &format!("{:.2} MB", pss / 1000.0));
    wall_time(&mut corten.command(&["rm", "-f", "bench-idle"]))?;
    let size = fs::metadata(&corten.binary)?.len();
    report.fact(
        "binary",
        &format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10),
    );
    report.fact(
        "engine ready after",
        &format!("{:.1} ms", corten.ready.as_secs_f64() * 1e3),
    );
    Ok(())
}

/// A value in kB from one of /proc's `Name: value kB` files.
fn field(path: &str, name: &str) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| path.to_owned())?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value
        .with_context(|| format!("{path} has no {name}"))?
        .parse()?)
}

fn shim_pid() -> Result<u32> {
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        if words.get(1).is_some_and(|word| *word == b"shim") {
            return Ok(pid);
        }
    }
    anyhow::bail!("no shim is running")
}
