//! `cargo xtask bench [case …] [--runs N]`: us beside what a user would pick instead.
//!
//! A case is a list of contenders that do the same work. They take turns in one run, so that
//! whatever else the machine does hits all of them, and the report gives medians and ratios to
//! ours. A peer that is not on the machine is left out and named in the report. Everything
//! happens in a work folder of its own with engines of its own, which end with the run.

mod build;
mod footprint;
mod peers;
mod report;
mod run;
mod sample;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use peers::{Corten, Docker};
use report::Report;

/// What every case may use.
struct Bench {
    work: PathBuf,
    runs: usize,
    corten: Corten,
    docker: Option<Docker>,
}

type Case = (&'static str, fn(&Bench, &mut Report) -> Result<()>);

const CASES: &[Case] = &[
    ("run", run::run_true),
    ("step", build::cold_step),
    ("noop", build::noop_small),
    ("context", build::noop_large),
    ("copy", build::cold_copy),
    ("footprint", footprint::footprint),
];

/// Runs the named cases, or all of them, and writes the table to `bench/README.md`.
pub(crate) fn main(arguments: &[String]) -> Result<()> {
    let (names, runs) = parse(arguments)?;
    let work = tempfile::Builder::new().prefix("corten-bench-").tempdir()?;
    let bench = Bench {
        work: work.path().to_owned(),
        runs,
        corten: Corten::start(&work.path().join("corten"))?,
        docker: Docker::start(&work.path().join("docker"))?,
    };
    bench.corten.import_busybox(work.path())?;
    if let Some(docker) = &bench.docker {
        docker.import_busybox(work.path())?;
    }
    let mut report = Report::new(bench.docker.as_ref().map(Docker::version));
    for (name, case) in CASES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            case(&bench, &mut report).with_context(|| format!("case {name}"))?;
        }
    }
    let complete = names.is_empty();
    report.finish(complete.then(|| Path::new("bench/README.md")))
}

fn parse(arguments: &[String]) -> Result<(Vec<String>, usize)> {
    let (mut names, mut runs) = (Vec::new(), 21);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--runs" => runs = rest.next().context("--runs needs a number")?.parse()?,
            name if CASES.iter().any(|(case, _)| *case == name) => names.push(name.to_owned()),
            other => bail!(
                "unknown case `{other}`: expected run, step, noop, context, copy or footprint"
            ),
        }
    }
    Ok((names, runs))
}
