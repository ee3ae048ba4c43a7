//! The tiny init of `--init`: process 1 of a container, run from our own binary.
//!
//! It starts the container's program, passes signals on to it, reaps whatever is orphaned, and ends
//! with the program's code. The kernel then kills the rest of the process namespace.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, PidfdFlags, WaitOptions, WaitStatus};
use sys::signal::Received;

const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;
/// A shell adds this to the number of the signal that ended a process.
const BY_SIGNAL: i32 = 128;

/// Runs the program `args`, with an optional `--` in front.
pub fn init(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter().skip_while(|arg| arg == "--");
    let Some(program) = args.next() else {
        return ExitCode::from(NOT_FOUND);
    };
    let mut command = Command::new(&program);
    command.args(args);
    match supervise(&mut command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let text = format!("exec {}: {error}\n", program.display());
            // Without a place to say it there is nobody to tell.
            let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
            ExitCode::from(match error.kind() {
                io::ErrorKind::NotFound => NOT_FOUND,
                _ => NOT_EXECUTABLE,
            })
        }
    }
}

fn supervise(command: &mut Command) -> io::Result<u8> {
    // Before the program starts: none of its signals may get lost.
    sys::signal::block_all()?;
    let child = command.spawn()?;
    let number = i32::try_from(child.id()).map_err(io::Error::other)?;
    let pid = Pid::from_raw(number).ok_or(io::ErrorKind::InvalidData)?;
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        match sys::signal::wait() {
            Ok(signal) if signal.number == rustix::process::Signal::CHILD.as_raw() => {
                if let Some(code) = reap(pid)? {
                    return Ok(code);
                }
            }
            Ok(signal) => pass_on(&pidfd, signal),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A terminal sends to the whole group, so the program has that signal already.
fn pass_on(program: &OwnedFd, signal: Received) {
    if !signal.from_kernel {
        // It may just have ended: then its end is the next signal.
        let _ = sys::signal::send(program, signal.number);
    }
}

/// Reaps all that ended; the code, if the program is among them.
fn reap(program: Pid) -> io::Result<Option<u8>> {
    let mut code = None;
    while let Some((pid, status)) = rustix::process::wait(WaitOptions::NOHANG).or_else(none_left)? {
        if pid == program {
            code = exit_code(status);
        }
    }
    Ok(code)
}

fn none_left(error: rustix::io::Errno) -> rustix::io::Result<Option<(Pid, WaitStatus)>> {
    match error {
        rustix::io::Errno::CHILD => Ok(None),
        error => Err(error),
    }
}

fn exit_code(status: WaitStatus) -> Option<u8> {
    let by_signal = status.terminating_signal().map(|signal| BY_SIGNAL + signal);
    let code = status.exit_status().or(by_signal)?;
    Some(u8::try_from(code).unwrap_or(u8::MAX))
}
