//! What can go wrong, with the object in the name.

use std::io;
use std::net::Ipv4Addr;

use crate::ipam;

/// A failure of a network operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A network namespace could not be made or entered.
    #[error("network namespace: {action}")]
    Namespace {
        /// What was tried.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The netlink socket failed.
    #[error("netlink: {action}")]
    Netlink {
        /// What was tried.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel refused a change of an interface.
    #[error("interface {name}: {action}")]
    Interface {
        /// The interface.
        name: String,
        /// What was tried.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The nftables rules were refused.
    #[error("address translation table {table}")]
    Table {
        /// The table.
        table: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A kernel switch could not be set.
    #[error("kernel setting {name}")]
    Setting {
        /// Path below `/proc/sys`.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// An interface of the bridge's name is something else.
    #[error("interface {0} exists and is no bridge")]
    NotABridge(String),
    /// Every pool overlaps a route of the host.
    #[error("no free subnet: every default pool overlaps a route of this host")]
    NoFreeSubnet,
    /// The subnet has no free address.
    #[error("subnet {0} has no free address left")]
    SubnetFull(ipam::Subnet),
    /// The address is not in the subnet or reserved.
    #[error("address {address} is no host address of subnet {subnet}")]
    AddressOutside {
        /// The address asked for.
        address: Ipv4Addr,
        /// The subnet.
        subnet: ipam::Subnet,
    },
    /// The address is in use.
    #[error("address {0} is already in use")]
    AddressInUse(Ipv4Addr),
    /// Text that is no subnet.
    #[error("`{0}` is no IPv4 subnet like 172.17.0.0/16")]
    BadSubnet(String),
}

impl From<io::Error> for Error {
    /// From making a namespace, which is all that fails without a name.
    fn from(source: io::Error) -> Self {
        Self::Namespace {
            action: "make it",
            source,
        }
    }
}
