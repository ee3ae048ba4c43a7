//! The steps of one build, as far as events have told.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use api::corten::BuildEvent;

/// How many lines of output are kept of each step, to be shown when it fails.
const TAIL: usize = 20;

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Running { since: Duration },
    Cached,
    Done { took: Duration },
    Failed { took: Duration, error: String },
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) state: State,
    /// Why it was not in the cache.
    pub(super) missed: Option<String>,
    /// Progress of its parts: label, done, of how many.
    pub(super) parts: BTreeMap<String, (u64, Option<u64>)>,
    /// The last complete lines of its output.
    pub(super) tail: VecDeque<String>,
    /// Output after the last line break.
    partial: String,
}

impl Step {
    /// When it began to run; `at` for one that did not.
    fn since(&self, at: Duration) -> Duration {
        match self.state {
            State::Running { since } => since,
            _ => at,
        }
    }

    /// Takes output; the answer are the lines that it completes.
    fn log(&mut self, text: &str) -> Vec<String> {
        self.partial.push_str(text);
        let Some(end) = self.partial.rfind('\n') else {
            return Vec::new();
        };
        let rest = self.partial.split_off(end + 1);
        let complete = std::mem::replace(&mut self.partial, rest);
        let lines: Vec<String> = complete.lines().map(ToOwned::to_owned).collect();
        self.keep(&lines);
        lines
    }

    /// The last line, which no line break ended.
    fn flush(&mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.partial);
        let lines: Vec<String> = (!rest.is_empty()).then_some(rest).into_iter().collect();
        self.keep(&lines);
        lines
    }

    fn keep(&mut self, lines: &[String]) {
        self.tail.extend(lines.iter().cloned());
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }
}

/// All steps by their number.
#[derive(Debug, Default)]
pub(super) struct Steps {
    steps: BTreeMap<usize, Step>,
    outcome: Option<(usize, usize)>,
}

/// What an event means for a display.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing to show.
    None,
    /// The step began to run.
    Started(usize),
    /// The step will run, for this reason.
    Missed(usize),
    /// Lines of output.
    Lines(usize, Vec<String>),
    /// The step's result is there or will never be; with the rest of its output.
    Ended(usize, Vec<String>),
    /// A warning.
    Warning(String),
}

impl Steps {
    /// Takes an event.
    pub(super) fn apply(&mut self, event: &BuildEvent, at: Duration) -> Change {
        match event {
            BuildEvent::Step { id, name, .. } => {
                self.steps.insert(
                    *id,
                    Step {
                        name: name.clone(),
                        state: State::Waiting,
                        missed: None,
                        parts: BTreeMap::new(),
                        tail: VecDeque::new(),
                        partial: String::new(),
                    },
                );
                Change::None
            }
            BuildEvent::Started { id, .. } => self.with(*id, |step| {
                step.state = State::Running { since: at };
                Change::Started(*id)
            }),
            BuildEvent::Missed { id, reason } => self.with(*id, |step| {
                step.missed = Some(reason.clone());
                Change::Missed(*id)
            }),
            BuildEvent::Cached { id } => self.end(*id, |_| State::Cached),
            BuildEvent::Completed { id, .. } => self.end(*id, |step| State::Done {
                took: at.saturating_sub(step.since(at)),
            }),
            BuildEvent::Failed { id, error, .. } => self.end(*id, |step| State::Failed {
                took: at.saturating_sub(step.since(at)),
                error: error.clone(),
            }),
            BuildEvent::Log { id, text, .. } => {
                self.with(*id, |step| Change::Lines(*id, step.log(text)))
            }
            BuildEvent::Status {
                id,
                label,
                current,
                total,
            } => self.with(*id, |step| {
                step.parts.insert(label.clone(), (*current, *total));
                Change::None
            }),
            BuildEvent::Warning { text } => Change::Warning(text.clone()),
            BuildEvent::Error { .. } => Change::None,
            BuildEvent::Result(result) => {
                self.outcome = Some((result.ran, result.cached));
                Change::None
            }
        }
    }

    fn with(&mut self, id: usize, change: impl FnOnce(&mut Step) -> Change) -> Change {
        self.steps.get_mut(&id).map_or(Change::None, change)
    }

    fn end(&mut self, id: usize, state: impl FnOnce(&Step) -> State) -> Change {
        self.with(id, |step| {
            step.state = state(step);
            Change::Ended(id, step.flush())
        })
    }

    pub(super) fn get(&self, id: usize) -> Option<&Step> {
        self.steps.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Step> {
        self.steps.values()
    }

    /// How many steps ran and how many came from the cache; nothing before the build succeeded.
    pub(super) fn outcome(&self) -> Option<(usize, usize)> {
        self.outcome
    }

    /// The steps that run, with the time since when.
    pub(super) fn running(&self) -> impl Iterator<Item = (&Step, Duration)> {
        self.steps.values().filter_map(|step| match step.state {
            State::Running { since } => Some((step, since)),
            _ => None,
        })
    }
}
