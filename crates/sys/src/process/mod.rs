//! Making processes and changing what they are: `clone3`, `execve`, namespaces, scheduling.
//!
//! [`spawn`] runs Rust code in the new process. That is sound only if the caller is the sole
//! thread of its process, for another thread might have held a lock (the allocator's, say) that
//! nobody in the copy will ever release; it is checked, not assumed.

mod scheduling;

pub use scheduling::{Scheduler, set_io_priority, set_scheduler};

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;

/// A process made by [`spawn`].
#[derive(Debug)]
pub struct Child {
    /// Its id in the caller's namespace.
    pub pid: Pid,
    /// A descriptor that stays with it even if the id is used again.
    pub pidfd: OwnedFd,
}

/// New namespaces for [`spawn`] and [`unshare`]: the kernel's `CLONE_NEW*` bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Namespaces(u64);

impl Namespaces {
    /// Mount points.
    pub const MOUNT: Self = Self(0x0002_0000);
    /// Control groups.
    pub const CGROUP: Self = Self(0x0200_0000);
    /// Host and domain name.
    pub const UTS: Self = Self(0x0400_0000);
    /// System V IPC and POSIX message queues.
    pub const IPC: Self = Self(0x0800_0000);
    /// Users and capabilities.
    pub const USER: Self = Self(0x1000_0000);
    /// Process ids.
    pub const PID: Self = Self(0x2000_0000);
    /// Network.
    pub const NETWORK: Self = Self(0x4000_0000);
    /// Boot and monotonic clocks.
    pub const TIME: Self = Self(0x0000_0080);

    /// None.
    pub const fn empty() -> Self {
        Self(0)
    }

    /// Are all of `other` in here?
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Is there none?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Whose child a new process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// The caller's.
    Caller,
    /// The caller's parent's: the caller only lends the namespaces it is in.
    CallersParent,
}

/// Runs `child` in a new process in `namespaces`; what it returns is the exit code. The time
/// namespace cannot be made this way, because its offsets must be written before it is entered.
///
/// Fails with `EBUSY` if the caller has other threads.
pub fn spawn(
    namespaces: Namespaces,
    parent: Parent,
    child: impl FnOnce() -> i32,
) -> io::Result<Child> {
    spawn_in(None, namespaces, parent, child)
}

/// Like [`spawn`], and the new process is born in the control group (of the unified hierarchy)
/// that `group` is the folder of. That is much cheaper than to be moved there.
pub fn spawn_in(
    group: Option<BorrowedFd<'_>>,
    namespaces: Namespaces,
    parent: Parent,
    child: impl FnOnce() -> i32,
) -> io::Result<Child> {
    if !is_single_threaded()? {
        return Err(io::Error::from(io::ErrorKind::ResourceBusy));
    }
    let mut pidfd: RawFd = -1;
    let mut flags = namespaces.0 | libc::CLONE_PIDFD.cast_unsigned() as u64;
    let mut exit_signal = libc::SIGCHLD.cast_unsigned().into();
    if parent == Parent::CallersParent {
        // The kernel takes the caller's own exit signal, and wants none to be given.
        flags |= u64::from(libc::CLONE_PARENT.cast_unsigned());
        exit_signal = 0;
    }
    let mut cgroup = 0;
    if let Some(group) = group {
        flags |= CLONE_INTO_CGROUP;
        cgroup = u64::from(group.as_raw_fd().cast_unsigned());
    }
    let arguments = libc::clone_args {
        flags,
        pidfd: (&raw mut pidfd).expose_provenance() as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup,
    };
    // SAFETY: without `CLONE_VM` the child is a copy with its own memory, like after `fork`; there
    // is no other thread whose locks it could miss. The arguments are live and of the size given.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw const arguments,
            size_of::<libc::clone_args>(),
        )
    };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => exit(child()),
        pid => {
            // SAFETY: the kernel stored a new descriptor there, which nobody else knows.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
            Ok(Child { pid, pidfd })
        }
    }
}

/// Ends the process at once: no destructors, no flushing of buffers inherited from the parent.
pub fn exit(code: i32) -> ! {
    // SAFETY: `_exit` takes any number and does not return.
    unsafe { libc::_exit(code) }
}

/// The C library's headers have it, but not as a 64-bit number.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

fn is_single_threaded() -> io::Result<bool> {
    unsafe extern "C" {
        static __libc_single_threaded: libc::c_char;
    }
    // SAFETY: the C library defines it as a `char` that lives as long as the program. A stale
    // non-zero value is impossible: only a thread that this one starts could change it.
    if unsafe { __libc_single_threaded } != 0 {
        return Ok(true);
    }
    // A zero only says that there have been threads.
    Ok(std::fs::read_dir("/proc/self/task")?.count() == 1)
}

/// Replaces the program. Returns only if that failed.
pub fn execve(path: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let list = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings
            .iter()
            .map(|string| string.as_ptr())
            .chain([std::ptr::null()])
            .collect()
    };
    let (arguments, environment) = (list(arguments), list(environment));
    // SAFETY: both lists end with a null pointer and hold pointers to live C strings.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Leaves the caller's namespaces for new ones.
pub fn unshare(namespaces: Namespaces) -> io::Result<()> {
    let flags = i32::try_from(namespaces.0).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the bits are namespaces only, which cannot affect memory or descriptors.
    check(unsafe { libc::unshare(flags) })
}

/// Enters the namespace that `namespace` is a descriptor of.
pub fn enter(namespace: impl AsFd) -> io::Result<()> {
    // SAFETY: entering namespaces affects neither memory nor descriptors.
    check(unsafe { libc::setns(namespace.as_fd().as_raw_fd(), 0) })
}

/// Enters `namespaces` of the process that `pidfd` stands for, all or none.
pub fn enter_process(pidfd: impl AsFd, namespaces: Namespaces) -> io::Result<()> {
    let flags = i32::try_from(namespaces.0).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: as above.
    check(unsafe { libc::setns(pidfd.as_fd().as_raw_fd(), flags) })
}

/// Gives signals back their first meaning: none blocked and none ignored, neither `SIGPIPE`, which
/// Rust ignores, nor what whoever started us did not want. Handlers go away by themselves when a
/// program is executed.
pub fn reset_signals() -> io::Result<()> {
    for signal in 1..=libc::SIGRTMAX() {
        // It fails for those that cannot be ignored, and for those that the C library keeps.
        // SAFETY: the default action is no function of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: an all-zero set is a valid, empty one.
    let none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is live; the old one is not asked for.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) })
}

/// Makes every descriptor from `first` on close when a program is executed.
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    // SAFETY: no descriptor is closed before this process image ends.
    let result = unsafe { libc::close_range(first, u32::MAX, flags) };
    check(result)
}

/// Puts copies of `fds` to the numbers 3, 4, … where they stay open across `execve`. What was
/// open there is closed, so the caller may use none of its own descriptors below `3 + fds.len()`
/// afterwards: it is called just before `execve`.
pub fn place_from_three(fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let above = RawFd::try_from(fds.len()).map_err(|_| io::ErrorKind::InvalidInput)? + 3;
    let mut copies = Vec::with_capacity(fds.len());
    for fd in fds {
        copies.push(rustix::io::fcntl_dupfd_cloexec(fd, above)?);
    }
    for (target, copy) in (3..).zip(&copies) {
        // SAFETY: the caller gave up the numbers below `above`; the copies lie above.
        check(unsafe { libc::dup2(copy.as_raw_fd(), target) })?;
    }
    Ok(())
}

/// A copy of the descriptor that this process inherited as `number`.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call makes a new descriptor and leaves the old one as it is, whoever owns it.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    check(copy.min(0))?;
    // SAFETY: it is new: nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Blocks all signals that can be blocked and gives a descriptor to read them from, one number a
/// [`next_signal`].
pub fn signal_descriptor() -> io::Result<OwnedFd> {
    // SAFETY: an all-zero set is valid; it is filled below.
    let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is live.
    check(unsafe { libc::sigfillset(&raw mut all) })?;
    // SAFETY: the set is live; the old one is not asked for.
    check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut()) })?;
    // SAFETY: the set is live.
    let fd = unsafe { libc::signalfd(-1, &raw const all, libc::SFD_CLOEXEC) };
    check(fd)?;
    // SAFETY: a new descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Reads the number of the next signal from a [`signal_descriptor`].
pub fn next_signal(descriptor: impl AsFd) -> io::Result<i32> {
    let mut record = [0_u8; size_of::<libc::signalfd_siginfo>()];
    let length = rustix::io::read(descriptor, &mut record)?;
    match record.first_chunk() {
        Some(number) if length == record.len() => Ok(i32::from_ne_bytes(*number)),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Sets the execution domain.
pub fn set_personality(persona: u64) -> io::Result<()> {
    // SAFETY: the call takes a number and changes how later system calls of this process behave,
    // none of which are made unsound by it.
    check(unsafe { libc::personality(persona) }.min(0))
}

/// Joins a new session keyring named `name`, so that keys are not shared with the caller's.
pub fn new_session_keyring(name: &CStr) -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: the name is a live C string, which the kernel only reads.
    let result =
        unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Sets the policy by which the calling thread's memory is placed on NUMA nodes.
pub fn set_memory_policy(mode: i32, nodes: &[u64]) -> io::Result<()> {
    let bits = nodes.len() * 64;
    let mask = match nodes {
        [] => std::ptr::null(),
        nodes => nodes.as_ptr(),
    };
    // SAFETY: the mask is live and `bits` long (the kernel reads one bit less than it is told).
    let result =
        unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, mask, bits.saturating_add(1)) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn check(result: i32) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_to_copy_a_threaded_process() {
        let (stop, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        let error = spawn(Namespaces::empty(), Parent::Caller, || 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        drop(stop);
        let _ = other.join();
    }
}
