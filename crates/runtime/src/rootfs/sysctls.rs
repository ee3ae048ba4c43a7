//! Kernel parameters of the container's namespaces.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::mount::MountAttrFlags;
use sys::mount::Filesystem;
use sys::process::Namespaces;

use crate::error::{At, Failure, Step};

/// Writes `sysctls` beneath `proc`, the container's own proc filesystem, or beneath one that is
/// mounted nowhere. No link is followed and no other mount entered on the way.
pub(crate) fn set(
    proc: Option<&OwnedFd>,
    sysctls: &HashMap<String, String>,
) -> Result<(), Failure> {
    if sysctls.is_empty() {
        return Ok(());
    }
    let own;
    let proc = match proc {
        Some(proc) => proc,
        None => {
            own = Filesystem::open("proc")
                .and_then(|proc| proc.mount(MountAttrFlags::empty()))
                .at(Step::Sysctl, "proc")?;
            &own
        }
    };
    let mut names: Vec<_> = sysctls.iter().collect();
    names.sort();
    for (name, value) in names {
        write(proc, name, value).at(Step::Sysctl, name)?;
    }
    Ok(())
}

/// The namespace that a parameter belongs to.
pub(crate) fn owner(name: &str) -> Option<Namespaces> {
    const IPC: [&str; 9] = [
        "auto_msgmni",
        "msgmax",
        "msgmnb",
        "msgmni",
        "sem",
        "shmall",
        "shmmax",
        "shmmni",
        "shm_rmid_forced",
    ];
    let path = file_name(name);
    let (first, rest) = path.split_once('/')?;
    match first {
        "net" => Some(Namespaces::NETWORK),
        "kernel" if IPC.contains(&rest) => Some(Namespaces::IPC),
        "kernel" if rest == "domainname" => Some(Namespaces::UTS),
        "kernel" if matches!(rest, "msg_next_id" | "sem_next_id" | "shm_next_id") => {
            Some(Namespaces::IPC)
        }
        "fs" if rest.starts_with("mqueue/") => Some(Namespaces::IPC),
        "user" => Some(Namespaces::USER),
        _ => None,
    }
}

fn write(proc: &OwnedFd, name: &str, value: &str) -> io::Result<()> {
    let path = format!("sys/{}", file_name(name));
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(proc, path, flags, Mode::empty(), resolve)?;
    rustix::io::write(&file, value.as_bytes())?;
    Ok(())
}

/// `a.b.c` is `a/b/c`. In names that are written with slashes, dots stay (`net/ipv4/conf/eth0.1`).
fn file_name(name: &str) -> String {
    let slash = name.find('/').unwrap_or(usize::MAX);
    let dot = name.find('.').unwrap_or(usize::MAX);
    match slash < dot {
        true => name.to_owned(),
        false => name
            .chars()
            .map(|letter| match letter {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        assert_eq!(owner("net.ipv4.ip_forward"), Some(Namespaces::NETWORK));
        assert_eq!(owner("fs.mqueue.msg_max"), Some(Namespaces::IPC));
        assert_eq!(owner("kernel.shmmax"), Some(Namespaces::IPC));
        assert_eq!(owner("kernel.core_pattern"), None);
        assert_eq!(owner("vm.swappiness"), None);
    }

    #[test]
    fn both_separators() {
        assert_eq!(file_name("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
        assert_eq!(
            file_name("net/ipv4/conf/eth0.1/x"),
            "net/ipv4/conf/eth0.1/x"
        );
        assert_eq!(
            file_name("net.ipv4.conf.eth0/1.x"),
            "net/ipv4/conf/eth0.1/x"
        );
    }
}
