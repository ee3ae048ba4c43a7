//! Sending a filter's notification descriptor to the agent that the spec names.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use oci::runtime::{LinuxSeccomp, Spec};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};
use serde::Serialize;

use crate::Error;
use crate::error::{At, During, Failure, Step};
use crate::hooks::State;

/// A connection to the agent.
#[derive(Debug)]
pub(crate) struct Listener<'a> {
    socket: OwnedFd,
    metadata: &'a str,
}

/// What the agent is told, in the words of the OCI specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    oci_version: &'a str,
    fds: [&'a str; 1],
    pid: i32,
    #[serde(skip_serializing_if = "str::is_empty")]
    metadata: &'a str,
    state: &'a State<'a>,
}

impl<'a> Listener<'a> {
    /// Connects to the agent, if the spec names one.
    pub(crate) fn connect(spec: &'a Spec) -> Result<Option<Self>, Error> {
        let profile = spec
            .linux()
            .as_ref()
            .and_then(|linux| linux.seccomp().as_ref());
        let path = profile.and_then(|profile| profile.listener_path().as_deref());
        let (Some(profile), Some(path)) = (profile, path) else {
            return Ok(None);
        };
        let socket = connect(path)?;
        let metadata = LinuxSeccomp::listener_metadata(profile)
            .as_deref()
            .unwrap_or("");
        Ok(Some(Self { socket, metadata }))
    }

    /// Sends `fd`.
    pub(crate) fn send(&self, fd: &OwnedFd, state: &State<'_>) -> Result<(), Failure> {
        let message = Message {
            oci_version: "0.2.0",
            fds: ["seccompFd"],
            pid: state.pid(),
            metadata: self.metadata,
            state,
        };
        let text = serde_json::to_vec(&message)
            .map_err(std::io::Error::from)
            .at(Step::Seccomp, "listener")?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fds = [fd.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        let parts = [IoSlice::new(&text)];
        rustix::net::sendmsg(&self.socket, &parts, &mut ancillary, SendFlags::NOSIGNAL)
            .map(drop)
            .at(Step::Seccomp, "listener")
    }

    /// Moves the connection out of the way of kept descriptors.
    pub(crate) fn move_above(&mut self, first: i32) -> std::io::Result<()> {
        self.socket = rustix::io::fcntl_dupfd_cloexec(&self.socket, first)?;
        Ok(())
    }
}

fn connect(path: &Path) -> Result<OwnedFd, Error> {
    let action = || format!("connect to the seccomp listener {}", path.display());
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .during(action)?;
    let address = SocketAddrUnix::new(path).during(action)?;
    rustix::net::connect(&socket, &address).during(action)?;
    Ok(socket)
}
