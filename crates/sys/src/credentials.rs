//! Reading files as somebody else: run a closure on a thread that has a caller's file credentials.
//!
//! The kernel checks file access with the calling thread's *file system* ids. They, and the
//! supplementary groups, belong to a thread and not to the process as long as the raw system calls
//! are used (libc's wrappers would change all threads). So a throw-away thread takes them on, runs
//! the closure and ends: nothing has to be put back, and a panic cannot leak them.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fd::BorrowedFd;

/// Whose permissions apply, as the kernel reports the peer of a unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary group ids.
    pub groups: Vec<u32>,
}

impl Caller {
    /// The superuser: closures run as they are.
    pub fn root() -> Self {
        Self {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        }
    }

    /// Runs `work` with this caller's file permissions. For root it runs on the calling thread.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        if self.uid == 0 {
            return Ok(work());
        }
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("caller".to_owned())
                .spawn_scoped(scope, || self.assume().map(|()| work()))?;
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Changes the calling thread, for good. The file capabilities go with the user id.
    fn assume(&self) -> io::Result<()> {
        set_groups(&self.groups)?;
        set_fs_id(libc::SYS_setfsgid, self.gid)?;
        set_fs_id(libc::SYS_setfsuid, self.uid)
    }
}

fn set_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: the pointer and the length are of one live slice; the kernel only reads it.
    let result = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// These calls return the old id and never fail loudly: a second call tells what holds now.
fn set_fs_id(call: libc::c_long, id: u32) -> io::Result<()> {
    // SAFETY: takes a number, changes only the calling thread's credentials.
    unsafe { libc::syscall(call, id) };
    // SAFETY: the same; (uid_t)-1 is refused by definition, so this only reads.
    let now = unsafe { libc::syscall(call, u32::MAX) };
    match now == libc::c_long::from(id) {
        true => Ok(()),
        false => Err(io::Error::from_raw_os_error(libc::EPERM)),
    }
}

/// The path that an open folder has now, for showing and for telling folders apart.
pub fn path_of(fd: BorrowedFd<'_>) -> io::Result<std::path::PathBuf> {
    std::fs::read_link(Path::new("/proc/self/fd").join(fd.as_raw_fd().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_caller_reads_only_what_it_may() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "x").unwrap();
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o640)).unwrap();
        std::os::unix::fs::chown(&secret, Some(0), Some(4711)).unwrap();
        let read = |uid, gid, groups: &[u32]| {
            let groups = groups.to_vec();
            let caller = Caller { uid, gid, groups };
            caller.run(|| std::fs::read(&secret).is_ok()).unwrap()
        };
        assert!(read(0, 0, &[]));
        assert!(!read(1234, 1234, &[]));
        assert!(read(1234, 4711, &[]));
        assert!(read(1234, 1234, &[4711]));
        assert!(
            std::fs::read(&secret).is_ok(),
            "the calling thread is unchanged"
        );
    }
}
