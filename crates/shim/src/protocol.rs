//! The words on a shim's socket: one JSON document per SEQPACKET message, descriptors beside it.
//!
//! ```text
//!  client                              shim
//!    │ {"word":"hello","version":1} ────▶│
//!    │◀─────── {"word":"hello", … } ─────│   both keep to the smaller version
//!    │ a Request (+ fds) ───────────────▶│
//!    │◀─────────────────── one answer ───│   in order; events may come between
//!    │ {"word":"subscribe"} ────────────▶│
//!    │◀──────────── done, then events ───│   an exit that was before comes at once
//! ```
//! The connection that a shim inherits from [`crate::spawn`] begins with `launch` in place of
//! `hello`, and is subscribed from the start.
//!
//! Rules that keep two releases apart readable: fields are only added, with a default; a word that
//! the shim does not know is answered by `Failed{unsupported}`; an event that the client does not
//! know is skipped. A document of more than [`INLINE_MAX`] bytes travels as a memory file: the
//! message is a single `F` and the file its last descriptor.

use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// Version that this release speaks.
pub const VERSION: u32 = 1;

/// Oldest version that this release understands.
pub const VERSION_MIN: u32 = 1;

/// Longest document inside a message.
pub const INLINE_MAX: usize = 4096;

/// From the client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub enum Request {
    /// First word of a connection.
    Hello {
        /// The client's version.
        version: u32,
    },
    /// Lets pid 1 run.
    Start,
    /// Joins a client's stream (descriptor 0) to the container.
    Attach(Attach),
    /// Runs another process; descriptor 0, if given, is the client's stream.
    Exec(Box<Exec>),
    /// Sets the size of a terminal.
    Resize {
        /// An exec; none is the container.
        exec: Option<String>,
        /// The size.
        size: Size,
    },
    /// Sends a signal to pid 1 or an exec.
    Signal {
        /// An exec; none is the container.
        exec: Option<String>,
        /// Signal number.
        signal: i32,
    },
    /// Begins the stop sequence; the exit is told by the event.
    Stop {
        /// Instead of the configured signal.
        signal: Option<i32>,
        /// Instead of the configured time, in milliseconds; negative waits forever.
        timeout_ms: Option<i64>,
    },
    /// Freezes all processes.
    Pause,
    /// Thaws them.
    Resume,
    /// Asks for the [`State`].
    State,
    /// Asks for events on this connection from now on.
    Subscribe,
    /// A word of a newer client.
    #[serde(other)]
    Unknown,
}

/// First message on the inherited connection. Its descriptors: network namespace if `netns`,
/// then standard input, output and error if `stdio`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) config: crate::Config,
    pub(crate) netns: bool,
    pub(crate) stdio: bool,
    /// Trees, whose descriptors come last, in this order.
    #[serde(default)]
    pub(crate) trees: Vec<TreePlace>,
}

/// Where a tree that comes as a descriptor appears.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TreePlace {
    pub(crate) destination: std::path::PathBuf,
    pub(crate) read_only: bool,
}

/// To the client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub enum Message {
    /// Answer to `Hello`, and to `Launch`: the container is created and waits.
    Hello {
        /// The shim's version.
        version: u32,
        /// Pid of the container's first process, in the shim's pid namespace.
        pid: u32,
    },
    /// Done as asked.
    Done,
    /// The exec runs.
    Started {
        /// Its pid, in the shim's pid namespace.
        pid: u32,
    },
    /// Answer to `State`.
    State(State),
    /// Not done.
    Failed {
        /// What sort of failure.
        kind: FailureKind,
        /// Why, for people.
        message: String,
    },
    /// Something happened.
    Event(Event),
    /// A word of a newer shim.
    #[serde(other)]
    Unknown,
}

/// Sorts of failure, as far as the engine tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The program does not exist (exit code 127 for `run`).
    NotFound,
    /// The program cannot be run (exit code 126 for `run`).
    NotExecutable,
    /// The container's state forbids it.
    Conflict,
    /// The request makes no sense.
    Invalid,
    /// This shim does not know the word.
    Unsupported,
    /// The kernel refused, or anything else.
    #[serde(other)]
    Internal,
}

/// A client's stream to the container's stdio. Raw bytes with a terminal, else Docker's frames
/// (8 bytes head: stream, 0, 0, 0, length big-endian).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// Which streams.
    pub streams: Streams,
    /// Keys that detach the client from a terminal's input; empty for none.
    #[serde(default)]
    pub detach_keys: Vec<u8>,
    /// Bytes of the client that were read together with its request.
    #[serde(default)]
    pub early_input: Vec<u8>,
}

/// A set of stdio streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Streams {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// Another process in the container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exec {
    /// Its id, chosen by the engine.
    pub id: String,
    /// What to run, in OCI's words; `terminal` and `consoleSize` count.
    pub process: oci::runtime::Process,
    /// The client's stream; streams that are not asked for are `/dev/null`.
    pub attach: Attach,
}

/// Size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Where the container is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Status {
    /// Pid 1 waits for `Start`.
    Created,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It has ended.
    Exited(Exit),
}

/// What a shim knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where the container is in its life.
    pub status: Status,
    /// Pid of the first process.
    pub pid: u32,
    /// Pid of the shim.
    pub shim_pid: u32,
    /// When it was started, RFC 3339 with nanoseconds, UTC.
    pub started_at: Option<String>,
    /// Execs that run, and the last ones that ended.
    #[serde(default)]
    pub execs: Vec<ExecState>,
}

/// An exec as the shim knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecState {
    /// Its id.
    pub id: String,
    /// Its pid.
    pub pid: u32,
    /// How it ended; none while it runs.
    pub code: Option<i32>,
}

/// Something that happened, pushed to subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The container has ended; the last event.
    Exited(Exit),
    /// An exec has ended.
    ExecExited {
        /// Its id.
        id: String,
        /// Its exit code.
        code: i32,
    },
    /// The kernel killed a process for want of memory.
    Oom,
    /// A client left by its detach keys.
    Detached {
        /// From an exec; none is the container.
        exec: Option<String>,
    },
    /// An event of a newer shim.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> String {
        let text = serde_json::to_string(value).unwrap();
        let again: T = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        text
    }

    #[test]
    fn words_are_stable() {
        assert_eq!(both(&Request::Start), r#"{"word":"start"}"#);
        assert_eq!(
            both(&Request::Stop {
                signal: Some(15),
                timeout_ms: None
            }),
            r#"{"word":"stop","signal":15,"timeout_ms":null}"#
        );
        assert_eq!(
            both(&Message::Event(Event::ExecExited {
                id: "e".into(),
                code: 3
            })),
            r#"{"word":"event","event":"exec-exited","id":"e","code":3}"#
        );
        let exit = Exit {
            version: 1,
            code: 137,
            signal: Some(9),
            oom: false,
            finished_at: "t".into(),
        };
        assert_eq!(
            both(&Status::Exited(exit)),
            r#"{"is":"exited","version":1,"code":137,"signal":9,"oom":false,"finished_at":"t"}"#
        );
    }

    #[test]
    fn words_of_a_newer_release_are_understood_as_such() {
        let request = serde_json::from_str(r#"{"word":"teleport","to":[1,2]}"#).unwrap();
        assert!(matches!(request, Request::Unknown));
        let message = serde_json::from_str(r#"{"word":"event","event":"bored","by":"x"}"#).unwrap();
        assert!(matches!(message, Message::Event(Event::Unknown)));
        let kind: FailureKind = serde_json::from_str(r#""too-lazy""#).unwrap();
        assert_eq!(kind, FailureKind::Internal);
        let start = serde_json::from_str(r#"{"word":"start","gently":true}"#).unwrap();
        assert!(matches!(start, Request::Start));
    }
}
