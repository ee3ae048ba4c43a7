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
