//! Signals by number: real-time ones have no name that is known at compile time.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Sends a signal to the process that `pidfd` stands for; 0 only checks that it is there.
pub fn send(pidfd: impl AsFd, signal: i32) -> io::Result<()> {
    // SAFETY: the call takes numbers and a null pointer, which stands for an ordinary signal.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A signal that was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub number: i32,
    /// The kernel sent it, for example a terminal to its foreground group, and not a process.
    pub from_kernel: bool,
}

/// Blocks every signal that can be blocked, so that [`wait`] gets them. A program that is executed
/// by `std::process::Command` starts with none blocked all the same.
pub fn block_all() -> io::Result<()> {
    let all = full_set();
    // SAFETY: the set is live; the old one is not asked for.
    match unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Waits for one of the blocked signals.
pub fn wait() -> io::Result<Received> {
    let all = full_set();
    // SAFETY: an all-zero record is valid; the kernel overwrites it.
    let mut facts: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: both are live for the call.
    match unsafe { libc::sigwaitinfo(&raw const all, &raw mut facts) } {
        -1 => Err(io::Error::last_os_error()),
        number => Ok(Received {
            number,
            from_kernel: facts.si_code > 0,
        }),
    }
}

fn full_set() -> libc::sigset_t {
    // SAFETY: an all-zero set is valid.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is live; the call cannot fail.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}
