//! A container's interface on a bridge.

use std::fmt;
use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;

use crate::Error;
use crate::bridge::Bridge;

/// Every host side of ours is named by this and hex digits.
pub const PREFIX: &str = "cv";

/// A hardware address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address that belongs to an IPv4 address: locally administered, `02:42:` and the address.
    pub fn of(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x02, 0x42, a, b, c, d])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// How to join a namespace to a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Name of the host side: [`host_name`] of the container's id.
    pub host_name: String,
    /// Name inside, `eth0`.
    pub name: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix: u8,
    /// Where the default route goes.
    pub gateway: Ipv4Addr,
    /// Hardware address inside: [`Mac::of`] the address if nothing else was asked for.
    pub mac: Mac,
}

/// A host interface name for one start of a container: never used twice, because the kernel tears
/// a namespace down later than its last process (a name of the last start may still be taken).
pub fn host_name() -> String {
    todo!()
}

/// Joins the namespace to the bridge: veth pair, loopback, address, default route; all up.
/// On failure nothing is left.
pub fn connect(
    netns: BorrowedFd<'_>,
    bridge: Bridge,
    config: &EndpointConfig,
) -> Result<(), Error> {
    todo!("{netns:?}{bridge:?}{config:?}")
}

/// Removes the pair by the name of its host side; absent is fine.
pub fn disconnect(host_name: &str) -> Result<(), Error> {
    todo!("{host_name}")
}

/// The host sides of ours that exist now, for recovery.
pub fn list() -> Result<Vec<String>, Error> {
    todo!()
}
