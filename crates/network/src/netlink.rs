//! A netlink socket: requests that are acknowledged, dumps, and batches.

use std::fmt::Debug;
use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_sys::{Socket, SocketAddr, protocols};

/// A socket of one netlink protocol, in the network namespace of the thread that made it: it may
/// be used from anywhere.
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
}

/// One message and its flags beside "request".
pub(crate) struct Outgoing<T> {
    pub(crate) message: T,
    pub(crate) flags: u16,
    /// Batch marks are not acknowledged.
    pub(crate) acknowledged: bool,
}

impl<T> Outgoing<T> {
    /// A message that is acknowledged.
    pub(crate) fn new(message: T, flags: u16) -> Self {
        Self {
            message,
            flags,
            acknowledged: true,
        }
    }
}

impl Netlink {
    /// Links, addresses and routes.
    pub(crate) fn route() -> io::Result<Self> {
        Self::of(protocols::NETLINK_ROUTE)
    }

    /// Packet filters.
    pub(crate) fn netfilter() -> io::Result<Self> {
        Self::of(protocols::NETLINK_NETFILTER)
    }

    fn of(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Sends one message and waits for its acknowledgement.
    pub(crate) fn request<T>(&mut self, message: T, flags: u16) -> io::Result<()>
    where
        T: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        self.batch(vec![Outgoing::new(message, flags)])
    }

    /// Sends messages at once and waits for all acknowledgements. Gives the first error; whether
    /// the messages after it were done is up to the protocol.
    pub(crate) fn batch<T>(&mut self, messages: Vec<Outgoing<T>>) -> io::Result<()>
    where
        T: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        let mut missing = messages
            .iter()
            .filter(|message| message.acknowledged)
            .count();
        let mut packet = Vec::new();
        for outgoing in messages {
            let acknowledge = if outgoing.acknowledged { NLM_F_ACK } else { 0 };
            let flags = NLM_F_REQUEST | acknowledge | outgoing.flags;
            self.append(&mut packet, outgoing.message, flags);
        }
        self.send(&packet)?;
        let mut outcome = Ok(());
        while missing > 0 {
            self.receive::<T>(|payload| {
                if let NetlinkPayload::Error(error) = payload {
                    missing = missing.saturating_sub(1);
                    if error.code.is_some() && outcome.is_ok() {
                        outcome = Err(error.to_io());
                    }
                }
                missing > 0
            })?;
            // After an error the kernel may not acknowledge the rest.
            if outcome.is_err() {
                break;
            }
        }
        outcome
    }

    /// Asks for all objects of a kind, or for one.
    pub(crate) fn get<T>(&mut self, message: T, all: bool) -> io::Result<Vec<T>>
    where
        T: NetlinkSerializable + NetlinkDeserializable + Debug,
    {
        let mut packet = Vec::new();
        let flags = if all { NLM_F_DUMP } else { 0 };
        self.append(&mut packet, message, NLM_F_REQUEST | flags);
        self.send(&packet)?;
        let mut found = Vec::new();
        let mut outcome = Ok(());
        let mut more = true;
        while more {
            self.receive(|payload| {
                match payload {
                    NetlinkPayload::InnerMessage(message) => {
                        found.push(message);
                        more = all;
                    }
                    NetlinkPayload::Error(error) => {
                        outcome = Err(error.to_io());
                        more = false;
                    }
                    _ => more = false,
                }
                more
            })?;
        }
        outcome.map(|()| found)
    }

    fn append<T: NetlinkSerializable>(&mut self, packet: &mut Vec<u8>, message: T, flags: u16) {
        self.sequence += 1;
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        message.finalize();
        let start = packet.len().next_multiple_of(4);
        packet.resize(start + message.buffer_len(), 0);
        message.serialize(&mut packet[start..]);
    }

    fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.socket.send(packet, 0).map(drop)
    }

    /// Receives one datagram and shows its messages until one is the last of interest.
    fn receive<T>(&self, mut show: impl FnMut(NetlinkPayload<T>) -> bool) -> io::Result<()>
    where
        T: NetlinkDeserializable + Debug,
    {
        let (datagram, _) = self.socket.recv_from_full()?;
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<T>::deserialize(rest).map_err(io::Error::other)?;
            let length = usize::try_from(message.header.length).map_err(io::Error::other)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            if !show(message.payload) {
                break;
            }
        }
        Ok(())
    }
}
