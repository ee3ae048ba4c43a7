//! The default bridge and its way out.

use std::net::Ipv4Addr;

use crate::{Error, Subnet};

/// Name of the default bridge.
pub const DEFAULT_NAME: &str = "corten0";

/// A bridge network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeConfig {
    /// Interface name; also the name of the nftables table.
    pub name: String,
    /// Addresses of the network.
    pub subnet: Subnet,
    /// The bridge's own address, the containers' gateway.
    pub gateway: Ipv4Addr,
}

/// A bridge that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bridge {
    /// Interface index.
    pub index: u32,
    /// MTU, taken from the default route's interface; endpoints use the same.
    pub mtu: u32,
}

/// The config for the bridge `name`: the address that an existing one has, else the first of
/// Docker's default pools which no route of the host overlaps.
pub fn choose(name: &str) -> Result<BridgeConfig, Error> {
    todo!("{name}")
}

/// Makes the bridge, its address, forwarding and address translation so, whatever of it exists.
pub fn ensure(config: &BridgeConfig) -> Result<Bridge, Error> {
    todo!("{config:?}")
}

/// Removes the bridge and its table; absent is fine.
pub fn remove(name: &str) -> Result<(), Error> {
    todo!("{name}")
}
