//! Progress as lines: `#5 [build 2/4] RUN npm ci`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use api::corten::BuildEvent;

use super::steps::{Change, State, Steps};
use super::text;

/// Lines in the order of what happens; each carries the number of its step.
#[derive(Default)]
pub(crate) struct Plain {
    steps: Steps,
    /// Numbers as printed: steps count from one in the order in which they show.
    numbers: BTreeMap<usize, usize>,
    /// The step whose lines were printed last.
    last: Option<usize>,
}

impl Plain {
    /// Lines for one event.
    pub(super) fn event(&mut self, event: &BuildEvent, at: Duration) -> String {
        let mut out = String::new();
        match self.steps.apply(event, at) {
            Change::None => {}
            Change::Started(id) => drop(self.turn(id, &mut out)),
            Change::Missed(id) => self.missed(id, &mut out),
            Change::Lines(id, lines) => self.lines(id, &lines, at, &mut out),
            Change::Ended(id, rest) => {
                self.lines(id, &rest, at, &mut out);
                self.ended(id, &mut out);
            }
            Change::Warning(text) => {
                let gap = if self.last.take().is_some() { "\n" } else { "" };
                let _ = writeln!(out, "{gap}WARNING: {text}\n");
            }
        }
        out
    }

    /// The last lines.
    pub(super) fn finish(&mut self, at: Duration) -> String {
        match self.steps.outcome() {
            None => String::new(),
            Some((ran, cached)) => {
                let time = text::seconds(at);
                format!("Built in {time}: {ran} steps ran, {cached} from the cache\n")
            }
        }
    }

    /// Makes the step the one whose lines are printed: names it at its first line and after lines
    /// of another step.
    fn turn(&mut self, id: usize, out: &mut String) -> usize {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(id).or_insert(next);
        if self.last != Some(id) {
            if self.last.is_some() {
                out.push('\n');
            }
            let name = self.steps.get(id).map_or("", |step| step.name.as_str());
            let _ = writeln!(out, "#{number} {}", first_line(name));
            self.last = Some(id);
        }
        number
    }

    fn missed(&mut self, id: usize, out: &mut String) {
        let number = self.turn(id, out);
        if let Some((step, reason)) = self
            .steps
            .get(id)
            .and_then(|s| Some((s, s.missed.as_ref()?)))
        {
            let _ = writeln!(
                out,
                "#{number} {}: {reason}",
                first_line(text::instruction(&step.name))
            );
        }
    }

    fn lines(&mut self, id: usize, lines: &[String], at: Duration, out: &mut String) {
        if lines.is_empty() {
            return;
        }
        let number = self.turn(id, out);
        let since = match self.steps.get(id).map(|step| &step.state) {
            Some(State::Running { since }) => *since,
            Some(State::Done { took } | State::Failed { took, .. }) => at.saturating_sub(*took),
            _ => at,
        };
        let time = at.saturating_sub(since).as_secs_f64();
        for line in lines {
            let _ = writeln!(out, "#{number} {time:.3} {}", line.trim_end_matches('\r'));
        }
    }

    fn ended(&mut self, id: usize, out: &mut String) {
        let number = self.turn(id, out);
        let Some(step) = self.steps.get(id) else {
            return;
        };
        let _ = match &step.state {
            State::Cached => writeln!(out, "#{number} CACHED\n"),
            State::Done { took } => writeln!(out, "#{number} DONE {}\n", text::seconds(*took)),
            State::Failed { error, .. } => {
                writeln!(out, "#{number} ERROR: {}\n", first_line(error))
            }
            State::Waiting | State::Running { .. } => Ok(()),
        };
        self.last = None;
    }
}

/// A heredoc's instruction shows its first line.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{build, failing};
    use super::*;

    fn play(events: Vec<(u64, BuildEvent)>) -> String {
        let mut plain = Plain::default();
        let mut out = String::new();
        for (at, event) in events {
            out.push_str(&plain.event(&event, Duration::from_millis(at)));
        }
        out + &plain.finish(Duration::from_millis(3210))
    }

    #[test]
    fn a_build() {
        insta::assert_snapshot!(play(build()), @r"
        #1 [internal] load build context
        #1 DONE 0.0s

        #2 [deps 1/2] FROM debian
        #2 CACHED

        #3 [deps 2/2] RUN npm ci
        #3 RUN npm ci: ran again because package-lock.json changed (a1b2… → c3d4…)

        #4 [build 1/2] RUN <<EOF

        #3 [deps 2/2] RUN npm ci
        #3 0.100 added 1 package

        #4 [build 1/2] RUN <<EOF
        #4 0.130 cc -o a very long command line that does not fit

        #3 [deps 2/2] RUN npm ci
        #3 1.100 audited 2 packages

        WARNING: Dockerfile:3: `as` and `FROM` differ in case

        #3 [deps 2/2] RUN npm ci
        #3 DONE 2.0s

        #4 [build 1/2] RUN <<EOF
        #4 3.100 no line break
        #4 DONE 3.1s

        Built in 3.2s: 2 steps ran, 1 from the cache
        ");
    }

    #[test]
    fn a_failure() {
        insta::assert_snapshot!(play(failing()), @r"
        #1 [1/2] FROM debian
        #1 CACHED

        #2 [2/2] RUN make
        #2 0.010 make: *** No targets.
        #2 ERROR: exit code 2
        ");
    }
}
