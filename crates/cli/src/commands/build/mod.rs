//! `build`: an image from a Dockerfile.

mod flags;
mod input;
mod output;
mod secret;

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use api::client::JsonLines;
use api::corten::{BuildEvent, BuildRequest, BuildResult};

use crate::app::{Later, Verb};
use crate::console;
use crate::failure::{self, Failure};
use crate::progress::{Display, Plain, Size, Tty};
use crate::settings::Session;
use crate::terminal;
use crate::words::pairs;

pub(crate) use flags::Build;

/// How often a live view is redrawn.
const FRAME: Duration = Duration::from_millis(100);

/// Files that go beside a request, by their number.
#[derive(Debug, Default)]
pub(super) struct Files(Vec<OwnedFd>);

impl Files {
    /// Adds a file; the answer is its number.
    fn add(&mut self, file: impl Into<OwnedFd>) -> usize {
        self.0.push(file.into());
        self.0.len() - 1
    }
}

impl Verb for Build {
    const LATER: &'static [Later] = flags::LATER;

    async fn run(self, session: &Session) -> anyhow::Result<()> {
        self.check()?;
        let display = self.display(session)?;
        let mut files = Files::default();
        let request = self.request(session, &mut files)?;
        let client = session.client().await?;
        let events = client.build(&request, files.0).await.map_err(|error| {
            Failure::exit(1, format!("ERROR: {}", failure::describe(&error.into())))
        })?;
        let result = follow(events, display).await?;
        self.report(&result)
    }
}

impl Build {
    fn display(&self, session: &Session) -> anyhow::Result<Display> {
        let wish = self
            .progress
            .as_deref()
            .or(session.environment.set("BUILDKIT_PROGRESS"));
        let size = stderr_size();
        Ok(match wish.unwrap_or("auto") {
            _ if self.quiet => Display::Quiet,
            "auto" if session.console.stderr_terminal => {
                Display::Tty(Tty::new(size, session.console.colour))
            }
            "auto" | "plain" => Display::Plain(Plain::default()),
            "tty" if session.console.stderr_terminal => {
                Display::Tty(Tty::new(size, session.console.colour))
            }
            "tty" => {
                return Err(Failure::exit(
                    1,
                    "--progress=tty: standard error is not a terminal",
                ));
            }
            "json" | "rawjson" => Display::Json,
            "quiet" | "none" => Display::Quiet,
            other => {
                let known = "auto, plain, tty, json, quiet";
                return Err(Failure::exit(
                    1,
                    format!("invalid progress mode {other}: expected {known}"),
                ));
            }
        })
    }

    fn request(&self, session: &Session, files: &mut Files) -> anyhow::Result<BuildRequest> {
        let own = &session.environment;
        let (context, dockerfile) = input::read(&self.context, self.file.as_deref(), files)?;
        let arguments = pairs::environment(&self.build_arg, own).map_err(anyhow::Error::msg)?;
        let mut tags = self.tag.clone();
        let outputs = output::open(&self.output, session.console, files, &mut tags)?;
        let epoch = own.set("SOURCE_DATE_EPOCH").map(|text| {
            text.parse()
                .with_context(|| format!("SOURCE_DATE_EPOCH is no number of seconds: {text}"))
        });
        Ok(BuildRequest {
            context,
            dockerfile,
            target: self.target.clone().filter(|target| !target.is_empty()),
            tags,
            build_args: pairs::map(&arguments),
            labels: pairs::map(&self.label),
            secrets: secret::read(&self.secret, own)?,
            no_cache: self.no_cache,
            no_cache_filter: self.stages_without_cache(),
            network: self.network.clone().unwrap_or_default(),
            outputs,
            platform: self.platform(session),
            source_date_epoch: epoch.transpose()?,
            add_hosts: self.add_host.clone(),
            shm_size: self
                .shm_size
                .map(u64::try_from)
                .transpose()
                .context("--shm-size is negative")?,
            ulimits: self.ulimit.clone(),
            pull: self.pull,
            ..BuildRequest::default()
        })
    }

    fn stages_without_cache(&self) -> Vec<String> {
        let stages = self.no_cache_filter.iter().flat_map(|list| list.split(','));
        stages
            .filter(|stage| !stage.is_empty())
            .map(ToOwned::to_owned)
            .collect()
    }

    fn platform(&self, session: &Session) -> Option<String> {
        let default = || {
            session
                .environment
                .set("DOCKER_DEFAULT_PLATFORM")
                .map(ToOwned::to_owned)
        };
        self.platform.clone().or_else(default)
    }

    /// Writes the files that name the result, and says what was built.
    fn report(&self, result: &BuildResult) -> anyhow::Result<()> {
        let write = |path: &std::path::Path, text: &str| {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        if let Some(path) = &self.iidfile {
            write(path, result.image_id.as_deref().unwrap_or_default())?;
        }
        if let Some(path) = &self.metadata_file {
            write(path, &serde_json::to_string_pretty(&result.metadata)?)?;
        }
        match &result.image_id {
            Some(id) if self.quiet => console::line(id),
            Some(id) => {
                let names: String = result.tags.iter().map(|tag| format!("  {tag}")).collect();
                console::note(format!("Image {id}{names}"));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Shows the events as they come; the answer is the result.
async fn follow(
    mut events: JsonLines<BuildEvent>,
    mut display: Display,
) -> anyhow::Result<BuildResult> {
    let start = Instant::now();
    let mut frames = tokio::time::interval(FRAME);
    let mut result = None;
    let live = display.is_live();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let outcome = loop {
        tokio::select! {
            biased;
            event = events.next() => match event {
                Err(error) => break Err(anyhow::Error::from(error)),
                Ok(None) => break result.context("the engine ended before the build did"),
                Ok(Some(event)) => {
                    write(&display.event(&event, start.elapsed()));
                    match event {
                        BuildEvent::Error { message } => break Err(Failure::exit(1, message)),
                        BuildEvent::Result(built) => result = Some(built),
                        _ => {}
                    }
                }
            },
            // Leaving closes the connection, which cancels the build.
            _ = &mut interrupted => break Err(Failure::exit(130, "the build was cancelled")),
            _ = frames.tick(), if live => write(&display.tick(stderr_size(), start.elapsed())),
        }
    };
    write(&display.finish(start.elapsed()));
    outcome
}

/// Writes progress. Nobody to see it is no reason to stop a build.
fn write(text: &str) {
    if !text.is_empty() {
        drop(std::io::stderr().lock().write_all(text.as_bytes()));
    }
}

fn stderr_size() -> Size {
    let (rows, columns) = terminal::size_of(std::io::stderr()).unwrap_or((24, 80));
    Size {
        columns: columns.into(),
        rows: rows.into(),
    }
}
