//! Timing: contenders take turns, medians decide.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// One way to do the work of a case.
pub(crate) struct Contender<'a> {
    /// What the table calls it.
    pub(crate) name: String,
    /// Undone work before each measured run, not measured.
    pub(crate) prepare: Box<dyn FnMut() -> Result<()> + 'a>,
    /// The measured run.
    pub(crate) measure: Box<dyn FnMut() -> Result<Duration> + 'a>,
}

impl<'a> Contender<'a> {
    /// Measures the wall time of a command.
    pub(crate) fn command(name: &str, command: impl Fn() -> Command + 'a) -> Self {
        Self {
            name: name.to_owned(),
            prepare: Box::new(|| Ok(())),
            measure: Box::new(move || wall_time(&mut command())),
        }
    }

    /// The same with something to do before each run.
    pub(crate) fn prepared(self, prepare: impl FnMut() -> Result<()> + 'a) -> Self {
        Self {
            prepare: Box::new(prepare),
            ..self
        }
    }
}

/// Times of one contender, sorted.
pub(crate) struct Sample {
    pub(crate) name: String,
    times: Vec<Duration>,
}

impl Sample {
    /// The value that `share` (0 to 100) percent of the runs stay below.
    pub(crate) fn percentile(&self, share: usize) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times
            .get(last * share / 100)
            .copied()
            .unwrap_or_default()
    }

    /// The middle.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

/// Lets the contenders take turns `runs` times, after one turn each that does not count.
pub(crate) fn compete(mut contenders: Vec<Contender<'_>>, runs: usize) -> Result<Vec<Sample>> {
    let empty = |contender: &Contender<'_>| Sample {
        name: contender.name.clone(),
        times: Vec::new(),
    };
    let mut samples: Vec<Sample> = contenders.iter().map(empty).collect();
    for turn in 0..=runs {
        for (contender, sample) in contenders.iter_mut().zip(&mut samples) {
            (contender.prepare)().with_context(|| format!("preparing {}", contender.name))?;
            let time = (contender.measure)().with_context(|| contender.name.clone())?;
            if turn > 0 {
                sample.times.push(time);
            }
        }
    }
    for sample in &mut samples {
        sample.times.sort_unstable();
    }
    Ok(samples)
}

/// How long a command takes from start to exit. It must succeed.
pub(crate) fn wall_time(command: &mut Command) -> Result<Duration> {
    let begin = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} does not start", command.get_program().display()))?;
    let time = begin.elapsed();
    if !output.status.success() {
        bail!("{:?}: {}", command, String::from_utf8_lossy(&output.stderr));
    }
    Ok(time)
}
