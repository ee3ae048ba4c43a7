//! Further processes in running containers: `/containers/{id}/exec`, `/exec/…`.

use serde::{Deserialize, Serialize};

use crate::go;

/// Body of `POST /containers/{id}/exec`. The answer is an [`crate::IdResponse`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct CreateRequest {
    /// `user[:group]`.
    pub user: String,
    /// Every capability.
    pub privileged: bool,
    /// A terminal.
    pub tty: bool,
    /// Its size: rows, columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
    /// Attach to standard input.
    pub attach_stdin: bool,
    /// Attach to standard error.
    pub attach_stderr: bool,
    /// Attach to standard output.
    pub attach_stdout: bool,
    /// Keys that end the attachment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detach_keys: String,
    /// `KEY=value`.
    #[serde(deserialize_with = "go::null_as_default")]
    pub env: Vec<String>,
    /// Where it starts.
    pub working_dir: String,
    /// Program and arguments.
    #[serde(deserialize_with = "go::null_as_default")]
    pub cmd: Vec<String>,
    /// Old clients send it here; the start decides.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
}

/// Body of `POST /exec/{id}/start`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StartRequest {
    /// Without streams.
    pub detach: bool,
    /// A terminal.
    pub tty: bool,
    /// Its size: rows, columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
}

/// Answer to `GET /exec/{id}/json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inspect {
    /// Identifier.
    #[serde(rename = "ID")]
    pub id: String,
    /// It runs.
    #[serde(rename = "Running")]
    pub running: bool,
    /// Exit code; none while it runs.
    #[serde(rename = "ExitCode")]
    pub exit_code: Option<i64>,
    /// What runs.
    #[serde(rename = "ProcessConfig")]
    pub process_config: ProcessConfig,
    /// Standard input is open.
    #[serde(rename = "OpenStdin")]
    pub open_stdin: bool,
    /// Standard error is attached.
    #[serde(rename = "OpenStderr")]
    pub open_stderr: bool,
    /// Standard output is attached.
    #[serde(rename = "OpenStdout")]
    pub open_stdout: bool,
    /// Nothing waits for it.
    #[serde(rename = "CanRemove")]
    pub can_remove: bool,
    /// Where it runs.
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// Keys that end the attachment, one code each; here as the text that was said.
    #[serde(rename = "DetachKeys")]
    pub detach_keys: String,
    /// Process id on the host; 0 for none.
    #[serde(rename = "Pid")]
    pub pid: i64,
}

/// What an exec runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessConfig {
    /// A terminal.
    pub tty: bool,
    /// Program.
    pub entrypoint: String,
    /// Its arguments.
    #[serde(deserialize_with = "go::null_as_default")]
    pub arguments: Vec<String>,
    /// Every capability.
    pub privileged: bool,
    /// `user[:group]`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
}
