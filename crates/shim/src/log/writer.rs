//! Cuts output into entries and keeps the files bounded.

use std::fs::{self, File};
use std::io::{self, Write};

use super::{Stream, rotated};
use crate::{LogOptions, clock};

/// Longest text of one entry.
pub(crate) const ENTRY_MAX: usize = 16 << 10;

/// Writes a container's log. A disk that is full loses entries but never stops the container.
#[derive(Debug)]
pub(crate) struct Writer {
    options: LogOptions,
    file: File,
    size: u64,
    /// The beginnings of lines whose end has not come yet.
    begun: [Vec<u8>; 2],
    /// The last write was cut short: the next one begins on a new line.
    torn: bool,
    /// Entries of one call, written at once.
    out: Vec<u8>,
}

impl Writer {
    /// Opens the log and goes on after what is there.
    pub(crate) fn open(options: LogOptions) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(&options.path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            options,
            file,
            size,
            begun: Default::default(),
            torn: false,
            out: Vec::new(),
        })
    }

    /// Takes a piece of output.
    pub(crate) fn write(&mut self, stream: Stream, mut bytes: &[u8]) {
        let time = clock::now();
        let mut begun = std::mem::take(&mut self.begun[stream as usize]);
        while !bytes.is_empty() {
            let room = ENTRY_MAX - begun.len();
            let end = bytes
                .iter()
                .take(room)
                .position(|&byte| byte == b'\n')
                .map(|at| at + 1);
            let (piece, rest) = bytes.split_at(end.unwrap_or(room.min(bytes.len())));
            bytes = rest;
            if end.is_none() && begun.len() + piece.len() < ENTRY_MAX {
                begun.extend_from_slice(piece);
            } else if begun.is_empty() {
                self.entry(stream, piece, &time);
            } else {
                begun.extend_from_slice(piece);
                self.entry(stream, &begun, &time);
                begun = Vec::new();
            }
        }
        self.begun[stream as usize] = begun;
        self.flush();
    }

    /// Writes the lines that never got an end.
    pub(crate) fn finish(&mut self) {
        let time = clock::now();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let begun = std::mem::take(&mut self.begun[stream as usize]);
            if !begun.is_empty() {
                self.entry(stream, &begun, &time);
            }
        }
        self.flush();
    }

    fn entry(&mut self, stream: Stream, text: &[u8], time: &str) {
        let before = self.out.len();
        self.out.extend_from_slice(b"{\"log\":\"");
        for chunk in text.utf8_chunks() {
            escape(chunk.valid(), &mut self.out);
            if !chunk.invalid().is_empty() {
                self.out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        self.out.extend_from_slice(b"\",\"stream\":\"");
        self.out.extend_from_slice(stream.name().as_bytes());
        self.out.extend_from_slice(b"\",\"time\":\"");
        self.out.extend_from_slice(time.as_bytes());
        self.out.extend_from_slice(b"\"}\n");
        let (max, length) = (self.options.max_size, self.out.len() as u64);
        if max > 0 && self.size + length > max && self.size + before as u64 > 0 {
            // This entry is the first of the next file.
            let entry = self.out.split_off(before);
            self.flush();
            self.rotate();
            self.out = entry;
        }
    }

    fn flush(&mut self) {
        if self.out.is_empty() {
            return;
        }
        if self.torn {
            self.out.insert(0, b'\n');
        }
        match self.file.write(&self.out) {
            Ok(written) => {
                self.size += written as u64;
                self.torn = written < self.out.len();
            }
            Err(_) => self.torn = self.size > 0,
        }
        // Nothing is kept: an idle shim is small.
        self.out = Vec::new();
    }

    fn rotate(&mut self) {
        let path = &self.options.path;
        let make_room = || -> io::Result<File> {
            for age in (1..self.options.max_files).rev() {
                match fs::rename(rotated(path, age - 1), rotated(path, age)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            if self.options.max_files <= 1 {
                fs::remove_file(path)?;
            }
            File::options().create(true).append(true).open(path)
        };
        // If that fails the file grows on: better than to lose what is said.
        if let Ok(file) = make_room() {
            self.file = file;
            self.size = 0;
            self.torn = false;
        }
    }
}

/// As Docker's own writer escapes, which keeps the text safe inside HTML too.
fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find(is_escaped) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut characters = special.chars();
        characters
            .next()
            .into_iter()
            .for_each(|character| escape_one(character, out));
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

fn is_escaped(character: char) -> bool {
    matches!(
        character,
        '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}'
    )
}

fn escape_one(character: char, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        other => {
            let code = u32::from(other);
            let digit = |shift: u32| DIGITS[(code >> shift & 15) as usize];
            out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let line = |line: &str| -> String {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["log"].as_str().unwrap().to_owned()
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn lines_and_pieces_of_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.json");
        let mut writer = Writer::open(LogOptions::new(path.clone())).unwrap();
        writer.write(Stream::Stdout, b"one\ntw");
        writer.write(Stream::Stderr, b"<error> \xff\"\\\x01\n");
        writer.write(Stream::Stdout, b"o\nlast");
        writer.finish();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            texts(&text),
            ["one\n", "<error> \u{fffd}\"\\\u{1}\n", "two\n", "last"]
        );
        assert!(text.contains(r#"{"log":"\u003cerror\u003e"#), "{text}");
        assert!(text.contains(r#"","stream":"stderr","time":"20"#), "{text}");
    }

    #[test]
    fn long_lines_are_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.json");
        let mut writer = Writer::open(LogOptions::new(path.clone())).unwrap();
        let long = "x".repeat(ENTRY_MAX + 10);
        writer.write(Stream::Stdout, &long.as_bytes()[..100]);
        writer.write(Stream::Stdout, &long.as_bytes()[100..]);
        writer.write(Stream::Stdout, b"\n");
        let entries = texts(&fs::read_to_string(&path).unwrap());
        assert_eq!(
            entries.iter().map(String::len).collect::<Vec<_>>(),
            [ENTRY_MAX, 11]
        );
        assert_eq!(entries.concat(), format!("{long}\n"));
    }

    #[test]
    fn files_are_bounded_in_size_and_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.json");
        let options = LogOptions {
            path: path.clone(),
            max_size: 1000,
            max_files: 3,
        };
        let mut writer = Writer::open(options).unwrap();
        for number in 0..100 {
            writer.write(Stream::Stdout, format!("line {number}\n").as_bytes());
        }
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["log.json", "log.json.1", "log.json.2"]);
        let all: String = [2, 1, 0]
            .iter()
            .map(|&age| fs::read_to_string(rotated(&path, age)).unwrap())
            .collect();
        assert!(fs::metadata(rotated(&path, 1)).unwrap().len() <= 1000);
        let lines = texts(&all);
        assert_eq!(lines.last().unwrap(), "line 99\n");
        let first: usize = lines[0].trim()[5..].parse().unwrap();
        assert_eq!(lines.len(), 100 - first);
    }
}
