//! What a build shows while it runs.
//!
//! The engine sends typed events; each display turns them into text for standard error. Displays
//! are pure: time comes in as the length since the build's start, text goes out as strings, so
//! that their output is tested without a build or a terminal.

mod plain;
mod steps;
mod text;
mod tty;

use std::time::Duration;

use api::corten::BuildEvent;

pub(crate) use plain::Plain;
pub(crate) use tty::{Size, Tty};

/// The way that `--progress` chose.
pub(crate) enum Display {
    /// Lines, for logs and pipes.
    Plain(Plain),
    /// A live view of running steps.
    Tty(Tty),
    /// The events, one JSON document per line.
    Json,
    /// Nothing.
    Quiet,
}

impl Display {
    /// Text to write after an event.
    pub(crate) fn event(&mut self, event: &BuildEvent, at: Duration) -> String {
        match self {
            Self::Plain(plain) => plain.event(event, at),
            Self::Tty(tty) => tty.event(event, at),
            Self::Json => serde_json::to_string(event).map_or(String::new(), |line| line + "\n"),
            Self::Quiet => String::new(),
        }
    }

    /// Text to write when time has passed; only a live view has some.
    pub(crate) fn tick(&mut self, size: Size, at: Duration) -> String {
        match self {
            Self::Tty(tty) => tty.draw(size, at),
            _ => String::new(),
        }
    }

    /// Text to write when no more events come.
    pub(crate) fn finish(&mut self, at: Duration) -> String {
        match self {
            Self::Plain(plain) => plain.finish(at),
            Self::Tty(tty) => tty.finish(at),
            Self::Json | Self::Quiet => String::new(),
        }
    }

    /// Whether [`Display::tick`] is worth calling.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Tty(_))
    }
}

#[cfg(test)]
mod tests {
    //! Builds that the displays' tests play.

    use api::corten::{BuildEvent as E, BuildResult, LogStream};

    fn step(id: usize, name: &str) -> (u64, E) {
        (
            0,
            E::Step {
                id,
                name: name.to_owned(),
                inputs: Vec::new(),
            },
        )
    }

    fn log(id: usize, text: &str) -> E {
        E::Log {
            id,
            stream: LogStream::Stdout,
            text: text.to_owned(),
        }
    }

    /// Two steps at once, one from the cache, one with a reason.
    pub(super) fn build() -> Vec<(u64, E)> {
        vec![
            step(0, "[internal] load build context"),
            step(1, "[deps 1/2] FROM debian"),
            step(2, "[deps 2/2] RUN npm ci"),
            step(3, "[build 1/2] RUN <<EOF\nmake\nEOF"),
            (1, E::Started { id: 0, at: 0 }),
            (40, E::Completed { id: 0, at: 0 }),
            (50, E::Cached { id: 1 }),
            (
                60,
                E::Missed {
                    id: 2,
                    reason: "ran again because package-lock.json changed (a1b2… → c3d4…)"
                        .to_owned(),
                },
            ),
            (60, E::Started { id: 2, at: 0 }),
            (70, E::Started { id: 3, at: 0 }),
            (160, log(2, "added 1 package\nau")),
            (
                200,
                log(3, "cc -o a very long command line that does not fit\n"),
            ),
            (1160, log(2, "dited 2 packages\n")),
            (
                1200,
                E::Warning {
                    text: "Dockerfile:3: `as` and `FROM` differ in case".to_owned(),
                },
            ),
            (2060, E::Completed { id: 2, at: 0 }),
            (3170, log(3, "no line break")),
            (3170, E::Completed { id: 3, at: 0 }),
            (
                3170,
                E::Result(BuildResult {
                    ran: 2,
                    cached: 1,
                    ..BuildResult::default()
                }),
            ),
        ]
    }

    /// A step that fails.
    pub(super) fn failing() -> Vec<(u64, E)> {
        vec![
            step(0, "[1/2] FROM debian"),
            step(1, "[2/2] RUN make"),
            (5, E::Cached { id: 0 }),
            (10, E::Started { id: 1, at: 0 }),
            (20, log(1, "make: *** No targets.\n")),
            (
                1010,
                E::Failed {
                    id: 1,
                    at: 0,
                    error: "exit code 2".to_owned(),
                },
            ),
        ]
    }
}
