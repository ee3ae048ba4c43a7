//! Network namespaces. A namespace belongs to a thread, so both making and entering one happen on
//! a thread of its own that ends afterwards: no thread of the caller ever changes sides.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::thread;

use rustix::thread::{LinkNameSpaceType, UnshareFlags};

/// Makes a network namespace. It lives as long as the descriptor or a process in it.
pub fn create() -> io::Result<OwnedFd> {
    create_with(|| Ok(()))
}

/// Makes a network namespace and runs `work` in it, on the same throw-away thread.
pub fn create_with<E: From<io::Error> + Send>(
    work: impl FnOnce() -> Result<(), E> + Send,
) -> Result<OwnedFd, E> {
    on_thread(move || {
        // SAFETY: only this thread's network namespace changes, and the thread ends with this
        // closure; it holds no descriptor whose meaning depends on the namespace.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }.map_err(io::Error::from)?;
        let namespace = File::open("/proc/thread-self/ns/net")?;
        work()?;
        Ok(namespace.into())
    })?
}

/// Runs `work` on a thread inside the namespace.
pub fn enter<T: Send>(namespace: impl AsFd, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let namespace = namespace.as_fd();
    on_thread(move || -> io::Result<T> {
        rustix::thread::move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
        Ok(work())
    })?
}

/// Brings the loopback interface of the calling thread's namespace up.
pub fn bring_loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket_with(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    // SAFETY: an all-zero request is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING)
        .map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the request is live and of the type that this call reads.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("netns".into())
            .spawn_scoped(scope, work)?;
        match thread.join() {
            Ok(value) => Ok(value),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> std::path::PathBuf {
        std::fs::read_link("/proc/thread-self/ns/net").unwrap()
    }

    #[test]
    fn the_caller_stays_where_it_is() {
        let before = here();
        let namespace = create().unwrap();
        let inside = enter(&namespace, here).unwrap();
        assert_ne!(inside, before);
        assert_eq!(here(), before);
        assert_eq!(enter(&namespace, here).unwrap(), inside);
    }
}
