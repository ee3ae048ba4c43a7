//! Progress on a terminal: finished steps scroll away above a small live part.
//!
//! The live part is a line for each running step with the last lines of its output, and a
//! summary. It is redrawn in place in one write: the cursor goes up to its first line, each line
//! is overwritten and its rest cleared, so nothing flickers. Lines are cut at the terminal's width
//! and the part at its height, because a wrapped or scrolled line could not be reached again.

use std::fmt::Write as _;
use std::time::Duration;

use api::corten::BuildEvent;

use super::steps::{Change, State, Step, Steps};
use super::text;

/// Columns and rows of the terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// Lines of output shown below a running step.
const TAIL: usize = 4;

/// Internal steps that took less are not worth a line.
const SHORT: Duration = Duration::from_millis(100);

/// The live view.
pub(crate) struct Tty {
    steps: Steps,
    colour: bool,
    size: Size,
    /// Lines of the live part that are on the screen.
    drawn: usize,
}

impl Tty {
    /// A view on a terminal of this size.
    pub(crate) fn new(size: Size, colour: bool) -> Self {
        Self {
            steps: Steps::default(),
            colour,
            size,
            drawn: 0,
        }
    }

    /// Text for one event: lines that stay. The live part follows with the next [`Tty::draw`].
    pub(super) fn event(&mut self, event: &BuildEvent, at: Duration) -> String {
        let lines = match self.steps.apply(event, at) {
            Change::Ended(id, _) => self.ended(id),
            Change::Warning(text) => vec![self.paint("33", &format!(" WARNING  {text}"))],
            _ => return String::new(),
        };
        if lines.is_empty() {
            return String::new();
        }
        let mut out = self.erase();
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
        out + &self.draw(self.size, at)
    }

    /// Redraws the live part.
    pub(super) fn draw(&mut self, size: Size, at: Duration) -> String {
        self.size = size;
        let live = self.live(at);
        // Synchronized output: terminals that know it show the frame at once, others ignore it.
        let mut out = "\x1b[?2026h".to_owned();
        if self.drawn > 0 {
            let _ = write!(out, "\x1b[{}A", self.drawn);
        }
        for line in &live {
            let _ = write!(out, "\r{line}\x1b[K\n");
        }
        out.push_str("\x1b[J\x1b[?2026l");
        self.drawn = live.len();
        out
    }

    /// Removes the live part; what stays is a summary, or the output of the step that failed.
    pub(super) fn finish(&mut self, at: Duration) -> String {
        let mut out = self.erase();
        if let Some(step) = self
            .steps
            .iter()
            .find(|step| matches!(step.state, State::Failed { .. }))
        {
            for line in &step.tail {
                let _ = writeln!(out, "          {}", self.paint("2", &text::printable(line)));
            }
            return out;
        }
        if let Some((ran, cached)) = self.steps.outcome() {
            let time = text::seconds(at);
            let summary = format!("Built in {time}: {ran} steps ran, {cached} from the cache");
            let _ = writeln!(out, "{}", self.paint("32", &summary));
        }
        out
    }

    fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    /// The lines of a step that ended.
    fn ended(&self, id: usize) -> Vec<String> {
        let Some(step) = self.steps.get(id) else {
            return Vec::new();
        };
        let (label, code) = match &step.state {
            State::Cached => ("CACHED".to_owned(), "2"),
            State::Done { took } if text::is_internal(&step.name) && *took < SHORT => {
                return Vec::new();
            }
            State::Done { took } => (text::seconds(*took), "0"),
            State::Failed { .. } => ("FAILED".to_owned(), "31"),
            State::Waiting | State::Running { .. } => return Vec::new(),
        };
        let mut lines = vec![self.paint(code, &self.headline(&label, step))];
        lines.extend(self.reason(step));
        lines
    }

    fn headline(&self, label: &str, step: &Step) -> String {
        let name = step.name.lines().next().unwrap_or_default();
        text::cut(
            &format!("{label:>8}  {}", text::printable(name)),
            self.size.columns,
        )
    }

    /// Why the step ran again; never cut, it is what the user looks for.
    fn reason(&self, step: &Step) -> Option<String> {
        let reason = step.missed.as_ref()?;
        let instruction = step.name.lines().next().map_or("", text::instruction);
        Some(self.paint("33", &format!("          {instruction}: {reason}")))
    }

    fn live(&self, at: Duration) -> Vec<String> {
        let running = self.steps.running().count();
        let ended = self
            .steps
            .iter()
            .filter(|step| !matches!(step.state, State::Waiting | State::Running { .. }));
        let (ended, all) = (ended.count(), self.steps.iter().count());
        let summary = format!(
            "Building {}  {ended}/{all} steps, {running} running",
            text::seconds(at)
        );
        let mut lines = Vec::new();
        for (step, since) in self.steps.running() {
            let label = text::seconds(at.saturating_sub(since));
            lines.push(self.paint("36", &self.headline(&label, step)));
            lines.extend(self.details(step));
        }
        let room = self.size.rows.saturating_sub(2);
        lines.truncate(room);
        lines.push(text::cut(&summary, self.size.columns));
        lines
    }

    fn details(&self, step: &Step) -> Vec<String> {
        let width = self.size.columns.saturating_sub(10);
        let parts = step
            .parts
            .iter()
            .map(|(label, (current, total))| match total {
                Some(total) => format!("{label} {current}/{total}"),
                None => format!("{label} {current}"),
            });
        let skip = step.tail.len().saturating_sub(TAIL);
        let lines = step
            .tail
            .iter()
            .skip(skip)
            .map(|line| text::printable(line));
        parts
            .chain(lines)
            .map(|line| format!("          {}", self.paint("2", &text::cut(&line, width))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{build, failing};
    use super::*;

    const SIZE: Size = Size {
        columns: 40,
        rows: 10,
    };

    /// Shows what a terminal would show after each frame that has one.
    fn play(events: Vec<(u64, BuildEvent)>, frames: &[u64]) -> String {
        let mut tty = Tty::new(SIZE, false);
        let mut screen = Screen::default();
        let mut out = String::new();
        let mut frames = frames.iter().peekable();
        for (at, event) in events {
            while let Some(frame) = frames.next_if(|frame| **frame <= at) {
                screen.write(&tty.draw(SIZE, Duration::from_millis(*frame)));
                let _ = writeln!(out, "--- {frame} ms\n{}", screen.text());
            }
            screen.write(&tty.event(&event, Duration::from_millis(at)));
        }
        screen.write(&tty.finish(Duration::from_millis(3210)));
        let _ = write!(out, "--- end\n{}", screen.text());
        out
    }

    /// As much of a terminal as the view uses.
    #[derive(Default)]
    struct Screen {
        lines: Vec<String>,
        row: usize,
    }

    impl Screen {
        fn write(&mut self, text: &str) {
            let mut rest = text;
            while let Some(c) = rest.chars().next() {
                rest = &rest[c.len_utf8()..];
                if self.lines.len() <= self.row {
                    self.lines.resize(self.row + 1, String::new());
                }
                match c {
                    '\x1b' => {
                        let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                        let (number, command) = (&rest[1..end], &rest[end..=end]);
                        match command {
                            "A" => self.row -= number.parse::<usize>().unwrap(),
                            "J" => self.lines.truncate(self.row),
                            _ => {}
                        }
                        rest = &rest[end + 1..];
                    }
                    '\n' => self.row += 1,
                    '\r' => self.lines[self.row].clear(),
                    c => self.lines[self.row].push(c),
                }
            }
        }

        fn text(&self) -> String {
            self.lines.join("\n")
        }
    }

    #[test]
    fn a_build() {
        insta::assert_snapshot!(play(build(), &[500, 1500]), @r"
        --- 500 ms
          CACHED  [deps 1/2] FROM debian
            0.4s  [deps 2/2] RUN npm ci
                  added 1 package
            0.4s  [build 1/2] RUN <<EOF
                  cc -o a very long command lin…
        Building 0.5s  2/4 steps, 2 running

        --- 1500 ms
          CACHED  [deps 1/2] FROM debian
         WARNING  Dockerfile:3: `as` and `FROM` differ in case
            1.4s  [deps 2/2] RUN npm ci
                  added 1 package
                  audited 2 packages
            1.4s  [build 1/2] RUN <<EOF
                  cc -o a very long command lin…
        Building 1.5s  2/4 steps, 2 running

        --- end
          CACHED  [deps 1/2] FROM debian
         WARNING  Dockerfile:3: `as` and `FROM` differ in case
            2.0s  [deps 2/2] RUN npm ci
                  RUN npm ci: ran again because package-lock.json changed (a1b2… → c3d4…)
            3.1s  [build 1/2] RUN <<EOF
        Built in 3.2s: 2 steps ran, 1 from the cache
        ");
    }

    #[test]
    fn a_failure() {
        insta::assert_snapshot!(play(failing(), &[500]), @r"
        --- 500 ms
          CACHED  [1/2] FROM debian
            0.5s  [2/2] RUN make
                  make: *** No targets.
        Building 0.5s  1/2 steps, 1 running

        --- end
          CACHED  [1/2] FROM debian
          FAILED  [2/2] RUN make
                  make: *** No targets.
        ");
    }
}
