//! Builds: a cold step, nothing to do, many files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::report::Report;
use super::sample::{Contender, compete, wall_time};

/// How many `RUN true` steps one measured build has: the fixed cost of a build is spread thin.
const STEPS: usize = 10;
const FILES: usize = 50_000;

/// A build of ten `RUN true` steps, without cache. The table gives the whole build.
pub(crate) fn cold_step(bench: &Bench, report: &mut Report) -> Result<()> {
    let context = bench.work.join("steps");
    fs::create_dir_all(&context)?;
    let steps: String = (0..STEPS).map(|n| format!("RUN true {n}\n")).collect();
    fs::write(context.join("Dockerfile"), format!("FROM busybox\n{steps}"))?;
    let mut contenders = builds(bench, &context, &["--no-cache"]);
    let bridged = || {
        let mut command = bench
            .corten
            .command(&["build", "-q", "--no-cache", "-t", "bench"]);
        command.arg(&context);
        command
    };
    contenders.push(Contender::command("corten build, with a network", bridged));
    let samples = compete(contenders, bench.runs.min(9))?;
    report.add(&format!("build of {STEPS} cold `RUN true` steps"), &samples);
    Ok(())
}

/// A build of a small project in which nothing changed.
pub(crate) fn noop_small(bench: &Bench, report: &mut Report) -> Result<()> {
    let context = bench.work.join("small");
    fs::create_dir_all(context.join("src"))?;
    for n in 0..20 {
        fs::write(context.join(format!("src/file{n}")), format!("content {n}"))?;
    }
    let text = "FROM busybox\nWORKDIR /app\nCOPY src ./src\nRUN ls src\nCMD [\"true\"]\n";
    fs::write(context.join("Dockerfile"), text)?;
    report.add(
        "no-op rebuild, 20 files",
        &compete(builds(bench, &context, &[]), bench.runs)?,
    );
    Ok(())
}

/// A build with a context of 50,000 files in which nothing changed.
pub(crate) fn noop_large(bench: &Bench, report: &mut Report) -> Result<()> {
    let context = large_context(bench)?;
    let samples = compete(builds(bench, &context, &[]), bench.runs.min(9))?;
    report.add(&format!("no-op rebuild, {FILES} files"), &samples);
    Ok(())
}

/// `COPY . /data` of 50,000 files into an image, without cache, beside `cp -a`.
pub(crate) fn cold_copy(bench: &Bench, report: &mut Report) -> Result<()> {
    let context = large_context(bench)?;
    let target = bench.work.join("copied");
    let mut contenders = builds(bench, &context, &["--no-cache"]);
    let copy = || {
        let mut command = Command::new("cp");
        command.arg("-a").arg(&context).arg(&target);
        command
    };
    let remove = || match fs::remove_dir_all(&target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    };
    contenders.push(Contender::command("cp -a", copy).prepared(remove));
    let samples = compete(contenders, bench.runs.min(5))?;
    report.add(&format!("cold `COPY` of {FILES} files"), &samples);
    Ok(())
}

/// The same build by each builder. Steps have no network: the private dockerd has none to give.
fn builds<'a>(bench: &'a Bench, context: &'a Path, flags: &'a [&'a str]) -> Vec<Contender<'a>> {
    let corten = move || {
        let mut command =
            bench
                .corten
                .command(&["build", "-q", "--network", "none", "-t", "bench"]);
        command.args(flags).arg(context);
        command
    };
    let mut contenders = vec![Contender::command("corten build", corten)];
    if let Some(docker) = &bench.docker {
        let build = move || {
            let mut command = docker.command(&["build", "-q", "--network", "none", "-t", "bench"]);
            command.args(flags).arg(context);
            command
        };
        contenders.push(Contender::command("docker build (BuildKit)", build));
    }
    contenders
}

/// 50,000 files of 200 to 2,000 bytes in 500 folders.
fn large_context(bench: &Bench) -> Result<PathBuf> {
    let context = bench.work.join("large");
    if context.exists() {
        return Ok(context);
    }
    for folder in 0..500 {
        let path = context.join(format!("d{folder}"));
        fs::create_dir_all(&path)?;
        for file in 0..FILES / 500 {
            let line = format!("folder {folder} file {file}\n");
            fs::write(
                path.join(format!("f{file}")),
                line.repeat(10 + (folder * 7 + file) % 80),
            )?;
        }
    }
    fs::write(context.join("Dockerfile"), "FROM busybox\nCOPY . /data\n")?;
    // What a person builds has been written long ago: do not measure its writeback.
    wall_time(&mut Command::new("sync"))?;
    Ok(context)
}
