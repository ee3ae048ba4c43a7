//! What a build tells while it runs. Typed: the edge turns it into text.

use serde::Serialize;

use crate::Stream;

/// Number of a step within one build.
pub type StepId = usize;

/// One thing that happened. All of a step's events follow its [`Event::Step`].
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A step is part of this build.
    Step {
        /// Its number.
        id: StepId,
        /// As shown: `[build 2/5] RUN npm ci` or `[internal] load build context`.
        name: String,
        /// Steps whose results it needs.
        inputs: Vec<StepId>,
    },
    /// The step began to run (it was not in the cache).
    Started {
        /// Its number.
        id: StepId,
    },
    /// Why the step was not in the cache. Not sent for the first build of a step.
    Missed {
        /// Its number.
        id: StepId,
        /// For example `ran again because package-lock.json changed (a1b2… → c3d4…)`.
        reason: String,
    },
    /// The step's result came from the cache.
    Cached {
        /// Its number.
        id: StepId,
    },
    /// The step ran to its end.
    Completed {
        /// Its number.
        id: StepId,
    },
    /// The step failed or was cancelled.
    Failed {
        /// Its number.
        id: StepId,
        /// What went wrong, one line.
        error: String,
    },
    /// Output of the step's process.
    Log {
        /// Its number.
        id: StepId,
        /// Which stream.
        stream: Stream,
        /// As written, not cut at lines.
        bytes: Vec<u8>,
    },
    /// How far a part of the step is.
    Status {
        /// Its number.
        id: StepId,
        /// What is counted: `hashing context`, `writing archive`.
        label: String,
        /// Done so far.
        current: u64,
        /// Of how many, where known.
        total: Option<u64>,
    },
    /// Something in the Dockerfile is legal but dubious.
    Warning {
        /// With the Dockerfile's line.
        text: String,
    },
}
