//! Lines of a file from its end: what `tail` needs, without reading the whole log.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const BLOCK: u64 = 32 << 10;

/// Complete lines, the last one first.
pub(super) struct BackwardLines<'a> {
    file: &'a File,
    /// Where `held` begins in the file.
    from: u64,
    held: Vec<u8>,
}

impl<'a> BackwardLines<'a> {
    pub(super) fn new(file: &'a File) -> io::Result<Self> {
        let from = file.metadata()?.len();
        let mut lines = Self {
            file,
            from,
            held: Vec::new(),
        };
        // What is after the last line end is not complete.
        while lines.start_of_last().is_none() && lines.read_block()? {}
        let end = lines
            .held
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        lines.held.truncate(end);
        Ok(lines)
    }

    /// The line before the last one given, and the offset that it begins at.
    pub(super) fn next_line(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        loop {
            if let Some(start) = self.start_of_last() {
                let line = self.held.split_off(start);
                return Ok(Some((self.from + start as u64, line)));
            }
            if !self.read_block()? {
                let line = std::mem::take(&mut self.held);
                return Ok((!line.is_empty()).then_some((0, line)));
            }
        }
    }

    /// Where the last line of `held` begins, if its beginning is known to be there.
    fn start_of_last(&self) -> Option<usize> {
        let before = self.held.len().checked_sub(1)?;
        self.held[..before]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map(|at| at + 1)
    }

    fn read_block(&mut self) -> io::Result<bool> {
        let length = self.from.min(BLOCK);
        if length == 0 {
            return Ok(false);
        }
        self.from -= length;
        let mut block = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut block, self.from)?;
        block.append(&mut self.held);
        self.held = block;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backward(text: &str) -> Vec<(u64, String)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, text).unwrap();
        let file = File::open(path).unwrap();
        let mut lines = BackwardLines::new(&file).unwrap();
        let mut all = Vec::new();
        while let Some((at, line)) = lines.next_line().unwrap() {
            all.push((at, String::from_utf8(line).unwrap()));
        }
        all
    }

    #[test]
    fn lines_come_last_first() {
        assert_eq!(backward(""), []);
        assert_eq!(backward("torn"), []);
        assert_eq!(
            backward("a\nbc\ntorn"),
            [(2, "bc\n".into()), (0, "a\n".into())]
        );
        assert_eq!(backward("\n\n"), [(1, "\n".into()), (0, "\n".into())]);
    }

    #[test]
    fn lines_longer_than_a_block() {
        let long = "x".repeat(100_000) + "\n";
        let text = format!("first\n{long}last\n{}", "y".repeat(70_000));
        let lines = backward(&text);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], (6, long));
        assert_eq!(lines[2], (0, "first\n".into()));
    }
}
