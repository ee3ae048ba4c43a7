//! Unix sockets: message sockets, descriptors sent along, and who is on the other side.
//!
//! Socket files are named relative to an open folder, because the kernel takes no path of more than
//! 107 bytes and the run folder's is not ours to choose.

use std::io;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

/// Most descriptors that one message carries here.
pub const MAX_FDS: usize = 128;

/// A connected pair of message sockets, closed on exec.
pub fn message_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// A message socket that listens as `name` in `folder`. A file of that name is replaced.
pub fn message_listener(folder: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    let socket = message_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    match rustix::fs::unlinkat(&folder, name, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::net::bind(&socket, &address_at(folder.as_fd(), name)?)?;
    rustix::net::listen(&socket, 16)?;
    Ok(socket)
}

/// Connects to the message socket `name` in `folder`.
pub fn message_connect(folder: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    let socket = message_socket(SocketFlags::CLOEXEC)?;
    rustix::net::connect(&socket, &address_at(folder.as_fd(), name)?)?;
    Ok(socket)
}

fn message_socket(flags: SocketFlags) -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        flags,
        None,
    )?)
}

fn address_at(folder: BorrowedFd<'_>, name: &str) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new(format!(
        "/proc/self/fd/{}/{name}",
        folder.as_raw_fd()
    ))?)
}

/// Sends bytes with descriptors. On a message socket all of it goes or nothing; on a stream
/// socket the number of bytes sent is given, and the descriptors go with the first.
pub fn send(
    socket: impl AsFd,
    bytes: &[u8],
    fds: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let flags = flags | SendFlags::NOSIGNAL;
    let sent = rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(&socket, &[IoSlice::new(bytes)], &mut control, flags)
    })?;
    Ok(sent)
}

/// What was received.
#[derive(Debug, Default)]
pub struct Received {
    /// Number of bytes; 0 is the end of the connection.
    pub length: usize,
    /// The descriptors that came along, closed on exec.
    pub fds: Vec<OwnedFd>,
    /// Bytes or descriptors were lost for want of room.
    pub truncated: bool,
}

/// Receives bytes and at most [`MAX_FDS`] descriptors.
pub fn receive(socket: impl AsFd, buffer: &mut [u8], flags: RecvFlags) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let message = rustix::io::retry_on_intr(|| {
        let mut slices = [IoSliceMut::new(&mut *buffer)];
        rustix::net::recvmsg(&socket, &mut slices, &mut control, flags)
    })?;
    let mut received = Received {
        length: message.bytes,
        fds: Vec::new(),
        truncated: message
            .flags
            .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC),
    };
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = part {
            received.fds.extend(fds);
        }
    }
    Ok(received)
}

/// Who made a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Process id at the time of the connection.
    pub pid: u32,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// The process on the other side of a connected unix socket, as it was when it connected.
pub fn peer(socket: impl AsFd) -> io::Result<Peer> {
    let credentials = rustix::net::sockopt::socket_peercred(&socket)?;
    Ok(Peer {
        pid: credentials.pid.as_raw_pid().cast_unsigned(),
        uid: credentials.uid.as_raw(),
        gid: credentials.gid.as_raw(),
        groups: peer_groups(socket.as_fd())?,
    })
}

fn peer_groups(socket: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; 64];
    loop {
        let size = groups.len() * size_of::<u32>();
        let mut length = libc::socklen_t::try_from(size).map_err(io::Error::other)?;
        // SAFETY: the buffer is `length` bytes long and writable, and the kernel writes no more
        // than that; `u32` has no invalid values.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = usize::try_from(length).map_err(io::Error::other)? / size_of::<u32>();
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // Too small: the kernel has said in `length` how much there is.
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn descriptors_travel() {
        let (one, two) = message_pair().unwrap();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        send(&one, b"hello", &[writer.as_fd()], SendFlags::empty()).unwrap();
        drop(writer);
        let mut buffer = [0; 16];
        let received = receive(&two, &mut buffer, RecvFlags::empty()).unwrap();
        assert_eq!(&buffer[..received.length], b"hello");
        assert_eq!(received.fds.len(), 1);
        rustix::io::write(&received.fds[0], b"x").unwrap();
        assert_eq!(rustix::io::read(&reader, &mut buffer).unwrap(), 1);
        drop(one);
        assert_eq!(
            receive(&two, &mut buffer, RecvFlags::empty())
                .unwrap()
                .length,
            0
        );
    }

    #[test]
    fn long_paths_can_be_listened_on() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(200));
        std::fs::create_dir(&deep).unwrap();
        let deep = std::fs::File::open(deep).unwrap();
        let _listener = message_listener(&deep, "name.sock").unwrap();
        message_connect(&deep, "name.sock").unwrap();
        // A second listener takes the name over.
        let _other = message_listener(&deep, "name.sock").unwrap();
    }

    #[test]
    fn peer_is_told() {
        let (one, _two) = UnixStream::pair().unwrap();
        let peer = peer(&one).unwrap();
        assert_eq!(peer.pid, std::process::id());
        assert_eq!(peer.uid, rustix::process::getuid().as_raw());
    }
}
