//! Archives between files and the engine, with a bar where it takes long.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use api::client::{Body, Response};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::io::{AsyncRead, ReadBuf};

/// Shorter work shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears only when the work takes long, and only on a terminal.
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    done: u64,
    start: Instant,
    shown: bool,
}

impl Meter {
    /// A meter for so many bytes. A quiet one never shows.
    pub(crate) fn new(total: Option<u64>, quiet: bool) -> Self {
        let shown = !quiet && io::stderr().is_terminal();
        Self {
            bar: None,
            total,
            done: 0,
            start: Instant::now(),
            shown,
        }
    }

    /// So many bytes more are done.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if self.shown && self.bar.is_none() && self.start.elapsed() > PATIENCE {
            self.bar = Some(bar(self.total));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
        None => "{spinner} {decimal_bytes} {decimal_bytes_per_sec}",
    };
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A reader whose bytes are counted.
struct Counted<R> {
    inner: R,
    meter: Meter,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        self.meter.add(bytes as u64);
        Poll::Ready(Ok(()))
    }
}

/// Standard input as a file: reads happen on threads that do not hold the process at its end.
pub(crate) fn stdin() -> io::Result<tokio::fs::File> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(tokio::fs::File::from_std(File::from(input)))
}

/// The bytes of a file, or of standard input without one.
pub(crate) fn input(path: Option<&Path>, quiet: bool) -> anyhow::Result<Body> {
    let Some(path) = path else {
        let meter = Meter::new(None, quiet);
        return Ok(Body::reader(Counted {
            inner: stdin()?,
            meter,
        }));
    };
    let failed = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(failed)?;
    let facts = file.metadata().with_context(failed)?;
    anyhow::ensure!(!facts.is_dir(), "{}: it is a folder", failed());
    let meter = Meter::new(facts.is_file().then_some(facts.len()), quiet);
    Ok(Body::reader(Counted {
        inner: tokio::fs::File::from_std(file),
        meter,
    }))
}

/// Where an archive goes.
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A file that appears under its name when it is complete.
    File(PathBuf),
}

impl Destination {
    /// Standard output without a path; never a terminal, which archives put into disorder.
    pub(crate) fn new(path: Option<PathBuf>, is_terminal: bool) -> anyhow::Result<Self> {
        match path {
            Some(path) if path.is_dir() => {
                anyhow::bail!("invalid output path: {} is a folder", path.display())
            }
            Some(path) => Ok(Self::File(path)),
            None if is_terminal => anyhow::bail!(
                "cowardly refusing to save to a terminal. Use the -o flag or redirect"
            ),
            None => Ok(Self::Stdout),
        }
    }

    /// Writes the archive.
    pub(crate) async fn write(&self, mut archive: Response<'_>) -> anyhow::Result<()> {
        let mut meter = Meter::new(None, false);
        let Self::File(path) = self else {
            let mut output = io::stdout().lock();
            while let Some(chunk) = archive.chunk().await? {
                output.write_all(&chunk)?;
                meter.add(chunk.len() as u64);
            }
            return Ok(output.flush()?);
        };
        let failed = || format!("cannot write {}", path.display());
        // A device or a pipe is written to; a file is replaced at the end.
        let special = path.metadata().is_ok_and(|facts| !facts.is_file());
        let partial = if special { path.clone() } else { partial(path) };
        let mut file = File::create(&partial).with_context(failed)?;
        let written = async {
            while let Some(chunk) = archive.chunk().await? {
                file.write_all(&chunk)?;
                meter.add(chunk.len() as u64);
            }
            anyhow::Ok(())
        };
        match written.await {
            Ok(()) if special => Ok(()),
            Ok(()) => std::fs::rename(&partial, path).with_context(failed),
            Err(error) => {
                if !special {
                    drop(std::fs::remove_file(&partial));
                }
                Err(error).with_context(failed)
            }
        }
    }
}

/// The name of a file that is not complete yet, beside its later name.
fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
