//! Reading a container's log, also while it grows.

use std::time::SystemTime;

use shim::log::{Entry, Query, Reader, Stream};
use tokio::sync::mpsc;

use super::{Containers, LogLine, LogsOptions, Output};
use crate::Error;
use crate::blocking::blocking;
use crate::handles::Watch;
use crate::readiness::Readiness;
use crate::spec::LogDriver;

/// Entries that are read at a time.
const BATCH: usize = 256;

/// Lines of the log, as they come.
#[derive(Debug)]
pub struct LogStream {
    /// Does the container have a terminal? Then its log is not framed.
    pub tty: bool,
    lines: mpsc::Receiver<Result<LogLine, Error>>,
}

impl LogStream {
    /// The next line, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<LogLine, Error>> {
        self.lines.recv().await
    }
}

/// A log that is being read.
struct Follower {
    id: String,
    watch: Watch,
    lines: mpsc::Sender<Result<LogLine, Error>>,
}

impl Containers {
    /// What it wrote.
    pub async fn logs(&self, name: &str, options: LogsOptions) -> Result<LogStream, Error> {
        if !options.stdout && !options.stderr {
            return Err(Error::BadRequest(
                "Bad parameters: you must choose at least one stream",
            ));
        }
        let row = self.find(name).await?;
        if row.document.options.host.log.driver == LogDriver::None {
            return Err(Error::Unsupported {
                option: "reading the log of a container with the log driver none".to_owned(),
                way_out: "use the driver json-file",
            });
        }
        let watch = self.0.handles.of(row.id()).progress();
        let follow = options.follow && self.find(row.id()).await?.document.state.run().is_some();
        let query = Query {
            stdout: options.stdout,
            stderr: options.stderr,
            since: options.since.map(SystemTime::from),
            until: options.until.map(SystemTime::from),
            tail: options.tail.map(|lines| lines as u64),
            follow,
        };
        let path = self.0.layout.log(row.id());
        let id = row.id().to_owned();
        let reader = blocking(move || {
            Reader::open(path, query).map_err(|source| Error::Shim { id, source })
        })
        .await?;
        let (sender, lines) = mpsc::channel(BATCH);
        let follower = Follower {
            id: row.id().to_owned(),
            watch,
            lines: sender,
        };
        tokio::spawn(follower.run(reader, follow));
        Ok(LogStream {
            tty: row.document.options.process.tty,
            lines,
        })
    }
}

impl Follower {
    async fn run(mut self, reader: Reader, follow: bool) {
        if let Err(error) = self.read(reader, follow).await {
            // The receiver may have gone, then nobody wants to know.
            let _ = self.lines.send(Err(error)).await;
        }
    }

    async fn read(&mut self, mut reader: Reader, follow: bool) -> Result<(), Error> {
        loop {
            // Looked at before the read: what was written before the end is then read for sure.
            let over = !follow || self.watch.is_over();
            let (next, entries) = self.batch(reader).await?;
            reader = next;
            let drained = entries.len() < BATCH;
            for entry in entries {
                if self.lines.send(line(entry)).await.is_err() {
                    return Ok(());
                }
            }
            if drained && (over || reader.is_finished()) {
                return Ok(());
            }
            if drained {
                self.wait(&reader).await;
            }
        }
    }

    async fn batch(&self, mut reader: Reader) -> Result<(Reader, Vec<Entry>), Error> {
        let id = self.id.clone();
        blocking(move || {
            let mut entries = Vec::new();
            while entries.len() < BATCH {
                let entry = reader.next_entry();
                match entry.map_err(|source| Error::Shim {
                    id: id.clone(),
                    source,
                })? {
                    Some(entry) => entries.push(entry),
                    None => break,
                }
            }
            Ok((reader, entries))
        })
        .await
    }

    /// Until there may be more, the run ends, or the reader of the lines goes.
    async fn wait(&mut self, reader: &Reader) {
        const FALLBACK: std::time::Duration = std::time::Duration::from_secs(1);
        // The watch is opened anew each time: a log may rotate under it.
        let file = Readiness::of(reader);
        let readable = async {
            match &file {
                Ok(file) => drop(file.wait().await),
                Err(_) => tokio::time::sleep(FALLBACK).await,
            }
        };
        tokio::select! {
            () = readable => {}
            _ = self.watch.ended() => {}
            () = self.lines.closed() => {}
            () = tokio::time::sleep(FALLBACK) => {}
        }
    }
}

fn line(entry: Entry) -> Result<LogLine, Error> {
    let time = entry.time.parse();
    Ok(LogLine {
        output: match entry.stream {
            Stream::Stdout => Output::Stdout,
            Stream::Stderr => Output::Stderr,
        },
        time: time.map_err(|_| Error::invalid("time in a log", &entry.time, "not RFC 3339"))?,
        text: entry.line,
    })
}
