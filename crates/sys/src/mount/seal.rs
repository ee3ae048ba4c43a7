//! A program that cannot be written to through the processes that run it.
//!
//! A process in a container can open the program of another through `/proc/<pid>/exe`, and what it
//! opens is the host's file: a runtime that shows itself there could be overwritten by a container's
//! root. Run from a detached read-only mount, the file behind that link is on a mount that nobody
//! can make writable again, because it is attached nowhere.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;
use rustix::mount::MountAttrFlags;

use super::{Attributes, clone_tree, set_attributes};

/// `program` on a read-only mount of its own. It is executed by the path
/// `/proc/self/fd/<number>` as long as the descriptor is open.
pub fn sealed_program(program: &Path) -> io::Result<OwnedFd> {
    let mount = clone_tree(rustix::fs::CWD, program, false)?;
    let change = Attributes {
        set: Some(MountAttrFlags::MOUNT_ATTR_RDONLY | MountAttrFlags::MOUNT_ATTR_NOSUID),
        ..Attributes::default()
    };
    set_attributes(&mount, &change)?;
    Ok(mount)
}

/// Is this process running from a read-only mount?
pub fn is_sealed() -> bool {
    let stat = rustix::fs::statvfs("/proc/self/exe");
    stat.is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn the_file_behind_it_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sleep");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let sealed = sealed_program(&program).unwrap();
        let mut child = Command::new(format!("/proc/self/fd/{}", sealed.as_raw_fd()))
            .arg("60")
            .spawn()
            .unwrap();
        drop(sealed);
        // Held until the program is not running any more, which alone would forbid it.
        let held = std::fs::File::open(format!("/proc/{}/exe", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let again = format!("/proc/self/fd/{}", held.as_raw_fd());
        let refused = std::fs::OpenOptions::new().write(true).open(again);
        assert_eq!(
            refused.unwrap_err().kind(),
            io::ErrorKind::ReadOnlyFilesystem
        );
    }
}
