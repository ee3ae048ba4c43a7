//! A container's interface on a bridge.

use std::fmt;
use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;

use crate::bridge::Bridge;
use crate::links::{Links, Side};
use crate::{Error, Subnet};

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
    /// Name of the host side: a new [`host_name`].
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
    use std::hash::{BuildHasher, RandomState};
    // The standard library's random keys: the only use of a hash of nothing.
    let random = RandomState::new().hash_one(0_u8);
    format!("{PREFIX}{:012x}", random & 0xffff_ffff_ffff)
}

/// Joins the namespace to the bridge: veth pair, loopback, address, default route; all up.
/// On failure nothing is left.
pub fn connect(
    netns: BorrowedFd<'_>,
    bridge: Bridge,
    config: &EndpointConfig,
) -> Result<(), Error> {
    let subnet = Subnet::new(config.address, config.prefix)?;
    let mut host = Links::here()?;
    let other = Side {
        name: &config.name,
        netns,
        mac: config.mac,
    };
    host.add_pair(&config.host_name, &other, bridge)?;
    bring_up(netns, config, subnet).inspect_err(|_| {
        // The first error is the one to tell; what cannot be removed is in the list for recovery.
        let _ = host.remove(&config.host_name);
    })
}

fn bring_up(netns: BorrowedFd<'_>, config: &EndpointConfig, subnet: Subnet) -> Result<(), Error> {
    // Only the socket is of the namespace; it is used from here.
    let links = sys::netns::enter(netns, Links::here);
    let mut links = links.map_err(|source| Error::Namespace {
        action: "enter it",
        source,
    })??;
    let missing = || Error::Interface {
        name: config.name.clone(),
        action: "find it in the namespace",
        source: std::io::ErrorKind::NotFound.into(),
    };
    let link = links.find(&config.name)?.ok_or_else(missing)?;
    links.bring_up(&link, config.address, subnet, config.gateway)
}

/// Removes the pair by the name of its host side; absent is fine.
pub fn disconnect(host_name: &str) -> Result<(), Error> {
    Links::here()?.remove(host_name)
}

/// The host sides of ours that exist now, for recovery.
pub fn list() -> Result<Vec<String>, Error> {
    let links = Links::here()?.all()?;
    let ours = links.into_iter().filter(|link| {
        link.kind.as_deref() == Some("veth")
            && link.name.strip_prefix(PREFIX).is_some_and(|rest| {
                rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
    });
    Ok(ours.map(|link| link.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_differ() {
        assert_ne!(host_name(), host_name());
        // The kernel's limit, without the end mark.
        assert!(host_name().len() <= 15);
        assert_eq!(
            Mac::of(Ipv4Addr::new(172, 17, 0, 2)).to_string(),
            "02:42:ac:11:00:02"
        );
    }
}
