//! Reads a log from the oldest file to the newest, and on from there.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{CreateFlags, WatchFlags};
use serde::Deserialize;

use super::backward::BackwardLines;
use super::{Entry, Query, Stream, rotated};
use crate::{Error, clock};

/// Reads a log from the oldest file to the newest, across rotation.
///
/// The driver loops: [`Reader::next_entry`] until it says none; if it follows and the container
/// still runs, [`Reader::wait`], else one more round, then the end.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    filter: Filter,
    /// The file that is read; none before there is any.
    file: Option<BufReader<File>>,
    /// The piece of an entry that has been written so far.
    begun: Vec<u8>,
    watch: OwnedFd,
    finished: bool,
}

impl Reader {
    /// Opens the log whose newest file is `path`. A log that does not exist is empty.
    pub fn open(path: PathBuf, query: Query) -> Result<Self, Error> {
        let failed = |source| Error::File {
            action: "read",
            path: path.clone(),
            source,
        };
        // The watch comes first: what is written from now on is either read or told.
        let watch = watch(&path, query.follow).map_err(failed)?;
        let tail = query.tail;
        let filter = Filter::new(query);
        let file = first(&path, &filter, tail).map_err(failed)?;
        Ok(Self {
            path,
            filter,
            file,
            begun: Vec::new(),
            watch,
            finished: false,
        })
    }

    /// The next entry; none if there is no more now, or none ever (`until` is passed).
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        self.next().map_err(|source| Error::File {
            action: "read",
            path: self.path.clone(),
            source,
        })
    }

    fn next(&mut self) -> io::Result<Option<Entry>> {
        while !self.finished {
            if !self.next_line()? {
                // What came up to now is known by the look that follows; what comes later makes
                // the watch readable again.
                if self.forget_changes() {
                    continue;
                }
                return Ok(None);
            }
            let line = std::mem::take(&mut self.begun);
            match self.filter.judge(&line) {
                Judgement::Entry(entry) => return Ok(Some(entry)),
                Judgement::Skip => {}
                Judgement::Finished => self.finished = true,
            }
        }
        Ok(None)
    }

    /// Completes the line in `begun`. False if there is no more now.
    fn next_line(&mut self) -> io::Result<bool> {
        if self.file.is_none() {
            self.file = first(&self.path, &self.filter, None)?;
        }
        loop {
            let Some(file) = &mut self.file else {
                return Ok(false);
            };
            file.read_until(b'\n', &mut self.begun)?;
            if self.begun.ends_with(b"\n") {
                return Ok(true);
            }
            let Some(next) = successor(&self.path, file.get_ref())? else {
                return Ok(false);
            };
            // Between the look at this file's end and the rotation it may have grown.
            file.read_until(b'\n', &mut self.begun)?;
            if self.begun.ends_with(b"\n") {
                return Ok(true);
            }
            self.begun.clear();
            self.file = Some(BufReader::new(next));
        }
    }

    /// Whether `until` has been passed: nothing will ever come.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Waits until there may be more, at most `timeout`; without [`Query::follow`] all of it.
    pub fn wait(&mut self, timeout: Duration) -> Result<(), Error> {
        let timeout = Timespec::try_from(timeout).ok();
        match poll(
            &mut [PollFd::new(&self.watch, PollFlags::IN)],
            timeout.as_ref(),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Error::File {
                action: "watch",
                path: self.path.clone(),
                source: error.into(),
            }),
        }
    }

    /// What happened does not matter, only whether something did.
    fn forget_changes(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut any = false;
        while rustix::io::read(&self.watch, &mut buffer).is_ok_and(|length| length > 0) {
            any = true;
        }
        any
    }
}

impl AsFd for Reader {
    /// Becomes readable when there may be more; reading on to the end resets it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}

fn watch(path: &Path, follow: bool) -> io::Result<OwnedFd> {
    let watch = rustix::fs::inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    if follow {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        rustix::fs::inotify::add_watch(&watch, folder, flags)?;
    }
    Ok(watch)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file to begin with, at the place to begin at.
fn first(path: &Path, filter: &Filter, tail: Option<u64>) -> io::Result<Option<BufReader<File>>> {
    let mut found = None;
    let mut missing = tail.unwrap_or(u64::MAX);
    for age in 0.. {
        let Some(mut file) = open(&rotated(path, age))? else {
            break;
        };
        if tail.is_some() {
            let start = start_of_tail(&file, filter, &mut missing)?;
            file.seek(SeekFrom::Start(start))?;
        }
        found = Some(BufReader::new(file));
        if missing == 0 {
            break;
        }
    }
    Ok(found)
}

/// Where the last `missing` entries of the file begin; counts them off.
fn start_of_tail(file: &File, filter: &Filter, missing: &mut u64) -> io::Result<u64> {
    let mut start = file.metadata()?.len();
    let mut lines = BackwardLines::new(file)?;
    // An entry that is being written now comes after all that are counted.
    let mut complete = false;
    while *missing > 0 {
        let Some((at, line)) = lines.next_line()? else {
            return Ok(0);
        };
        start = at;
        complete = true;
        if matches!(filter.judge(&line), Judgement::Entry(_)) {
            *missing -= 1;
        }
    }
    if !complete && let Some((at, line)) = lines.next_line()? {
        start = at + line.len() as u64;
    }
    Ok(start)
}

/// The file that follows on this one, which the writer has rotated away; none if it is the newest.
fn successor(path: &Path, current: &File) -> io::Result<Option<File>> {
    let current = current.metadata()?;
    let mut newer = None;
    for age in 0.. {
        let Some(file) = open(&rotated(path, age))? else {
            break;
        };
        let metadata = file.metadata()?;
        if (metadata.dev(), metadata.ino()) == (current.dev(), current.ino()) {
            return Ok(newer);
        }
        newer = Some(file);
    }
    // It has been removed: go on with the oldest that is left. (None: nothing is there just now.)
    Ok(newer)
}

/// Which entries are wanted.
#[derive(Debug)]
struct Filter {
    stdout: bool,
    stderr: bool,
    since: Option<String>,
    until: Option<String>,
}

enum Judgement {
    Entry(Entry),
    Skip,
    Finished,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

impl Filter {
    fn new(query: Query) -> Self {
        Self {
            stdout: query.stdout,
            stderr: query.stderr,
            since: query.since.map(clock::format),
            until: query.until.map(clock::format),
        }
    }

    /// Times of our own writing order like their texts.
    fn judge(&self, line: &[u8]) -> Judgement {
        // A line that a full disk cut short is no entry.
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else {
            return Judgement::Skip;
        };
        let (stream, wanted) = match line.stream.as_ref() {
            "stderr" => (Stream::Stderr, self.stderr),
            _ => (Stream::Stdout, self.stdout),
        };
        if self
            .until
            .as_deref()
            .is_some_and(|until| *line.time > *until)
        {
            return Judgement::Finished;
        }
        if !wanted
            || self
                .since
                .as_deref()
                .is_some_and(|since| *line.time < *since)
        {
            return Judgement::Skip;
        }
        Judgement::Entry(Entry {
            stream,
            time: line.time.into_owned(),
            line: line.log.into_owned().into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;
    use crate::LogOptions;
    use crate::log::Writer;

    struct Log {
        dir: tempfile::TempDir,
        writer: Writer,
    }

    impl Log {
        fn new(max_size: u64) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("log.json");
            let writer = Writer::open(LogOptions {
                path,
                max_size,
                max_files: 4,
            })
            .unwrap();
            Self { dir, writer }
        }

        fn say(&mut self, numbers: std::ops::Range<u32>) {
            for number in numbers {
                let stream = if number % 2 == 0 {
                    Stream::Stdout
                } else {
                    Stream::Stderr
                };
                self.writer.write(stream, format!("{number}\n").as_bytes());
            }
        }

        fn reader(&self, query: Query) -> Reader {
            Reader::open(self.dir.path().join("log.json"), query).unwrap()
        }
    }

    const NONE: [u32; 0] = [];

    fn rest(reader: &mut Reader) -> Vec<u32> {
        let mut all = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            all.push(
                String::from_utf8(entry.line)
                    .unwrap()
                    .trim()
                    .parse()
                    .unwrap(),
            );
        }
        all
    }

    #[test]
    fn everything_across_files() {
        let mut log = Log::new(1000);
        assert_eq!(rest(&mut log.reader(Query::default())), NONE);
        log.say(0..30);
        let all = rest(&mut log.reader(Query::default()));
        assert_eq!(all, (0..30).collect::<Vec<_>>());
        let errors = Query {
            stdout: false,
            ..Query::default()
        };
        assert_eq!(rest(&mut log.reader(errors)).len(), 15);
    }

    #[test]
    fn tail_counts_what_matches() {
        let mut log = Log::new(1000);
        log.say(0..30);
        let tail = |count| Query {
            tail: Some(count),
            ..Query::default()
        };
        assert_eq!(rest(&mut log.reader(tail(0))), NONE);
        assert_eq!(rest(&mut log.reader(tail(3))), [27, 28, 29]);
        assert_eq!(rest(&mut log.reader(tail(25))), (5..30).collect::<Vec<_>>());
        assert_eq!(rest(&mut log.reader(tail(99))).len(), 30);
        let errors = Query {
            stdout: false,
            ..tail(3)
        };
        assert_eq!(rest(&mut log.reader(errors)), [25, 27, 29]);
    }

    #[test]
    fn followed_across_rotations() {
        let mut log = Log::new(1000);
        log.say(0..5);
        let mut reader = log.reader(Query {
            follow: true,
            tail: Some(2),
            ..Query::default()
        });
        assert_eq!(rest(&mut reader), [3, 4]);
        // Two rotations between two looks.
        log.say(5..27);
        reader.wait(Duration::from_secs(5)).unwrap();
        assert_eq!(rest(&mut reader), (5..27).collect::<Vec<_>>());
        let start = std::time::Instant::now();
        reader.wait(Duration::from_millis(50)).unwrap();
        assert!(
            start.elapsed() >= Duration::from_millis(50),
            "nothing is new"
        );
        log.say(27..28);
        reader.wait(Duration::from_secs(5)).unwrap();
        assert_eq!(rest(&mut reader), [27]);
    }

    #[test]
    fn a_reader_that_was_overtaken_goes_on() {
        let mut log = Log::new(1000);
        log.say(0..3);
        let mut reader = log.reader(Query {
            follow: true,
            ..Query::default()
        });
        assert_eq!(rest(&mut reader), [0, 1, 2]);
        log.say(3..200);
        let all = rest(&mut reader);
        assert_eq!(all.last(), Some(&199));
        assert!(all.is_sorted());
    }

    #[test]
    fn between_two_times() {
        let mut log = Log::new(0);
        log.say(0..3);
        let soon = SystemTime::now() + Duration::from_secs(60);
        let since = |time| Query {
            since: Some(time),
            ..Query::default()
        };
        let until = |time| Query {
            until: Some(time),
            ..Query::default()
        };
        assert_eq!(rest(&mut log.reader(since(soon))), NONE);
        assert_eq!(rest(&mut log.reader(since(UNIX_EPOCH))).len(), 3);
        assert_eq!(rest(&mut log.reader(until(soon))).len(), 3);
        let mut reader = log.reader(until(UNIX_EPOCH));
        assert_eq!(rest(&mut reader), NONE);
        assert!(reader.is_finished());
    }

    #[test]
    fn torn_lines_are_no_entries() {
        let mut log = Log::new(0);
        log.say(0..1);
        let path = log.dir.path().join("log.json");
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"log\":\"half\n");
        let again = text.clone();
        text.extend_from_slice(&again[..again.len() - 13]);
        std::fs::write(&path, text).unwrap();
        assert_eq!(rest(&mut log.reader(Query::default())), [0, 0]);
    }
}
