//! Programs that the spec wants to be run at points of a container's life. Each gets the
//! container's state on its standard input and must succeed, if need be within a time.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use oci::runtime::{Hook, Spec};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::Serialize;

use crate::Error;

/// A container's state as the OCI specification writes it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State<'a> {
    oci_version: &'a str,
    id: &'a str,
    status: &'a str,
    pid: i32,
    bundle: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a std::collections::HashMap<String, String>>,
}

impl<'a> State<'a> {
    pub(crate) fn new(spec: &'a Spec, id: &'a str, bundle: &'a Path, pid: i32) -> Self {
        Self {
            oci_version: spec.version(),
            id,
            status: "creating",
            pid,
            bundle,
            annotations: spec.annotations().as_ref(),
        }
    }

    pub(crate) fn with_status(mut self, status: &'a str) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Runs the hooks of one kind in order; the first failure ends it.
pub(crate) fn run(
    kind: &'static str,
    hooks: Option<&Vec<Hook>>,
    state: &State<'_>,
) -> Result<(), Error> {
    let hooks = hooks.map_or(&[][..], Vec::as_slice);
    if hooks.is_empty() {
        return Ok(());
    }
    let state = state.json();
    for hook in hooks {
        run_one(hook, &state).map_err(|reason| Error::Hook {
            kind,
            path: hook.path().display().to_string(),
            reason,
        })?;
    }
    Ok(())
}

fn run_one(hook: &Hook, state: &[u8]) -> Result<(), String> {
    let mut command = Command::new(hook.path());
    let mut arguments = hook.args().iter().flatten();
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).stdin(Stdio::piped());
    if let Some(variables) = hook.env() {
        command.env_clear();
        for variable in variables {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            command.env(name, value);
        }
    }
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook need not read it.
        let _ = stdin.write_all(state);
    }
    let status = wait(&mut child, hook.timeout())?;
    match status.success() {
        true => Ok(()),
        false => Err(status.to_string()),
    }
}

fn wait(child: &mut Child, timeout: Option<i64>) -> Result<ExitStatus, String> {
    let text = |error: std::io::Error| error.to_string();
    let timeout = timeout
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0);
    if let Some(seconds) = timeout {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| "no process id".to_owned())?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| error.to_string())?;
        let limit = Timespec::try_from(Duration::from_secs(seconds)).ok();
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        if poll(&mut fds, limit.as_ref()).is_ok_and(|ready| ready == 0) {
            child.kill().map_err(text)?;
            child.wait().map_err(text)?;
            return Err(format!("it took longer than {seconds} s"));
        }
    }
    child.wait().map_err(text)
}
