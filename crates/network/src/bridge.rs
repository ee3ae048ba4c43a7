//! The default bridge and its way out.

use std::fs;
use std::net::Ipv4Addr;

use crate::endpoint::Mac;
use crate::links::Links;
use crate::{Error, Subnet, ipam, table};

/// Name of the default bridge.
pub const DEFAULT_NAME: &str = "corten0";

/// What an interface has when nothing else is known.
const ETHERNET_MTU: u32 = 1500;

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
    let mut links = Links::here()?;
    let mut addresses = Vec::new();
    if let Some(link) = links.find(name)? {
        addresses = links.addresses(&link)?;
    }
    for (gateway, prefix) in addresses {
        if let Ok(subnet) = Subnet::new(gateway, prefix) {
            return Ok(BridgeConfig {
                name: name.to_owned(),
                subnet,
                gateway,
            });
        }
    }
    let routed = links.routes()?.subnets;
    let free = |pool: &Subnet| !routed.iter().any(|subnet| subnet.overlaps(*pool));
    let subnet = ipam::default_pools()
        .find(free)
        .ok_or(Error::NoFreeSubnet)?;
    Ok(BridgeConfig {
        name: name.to_owned(),
        subnet,
        gateway: subnet.gateway(),
    })
}

/// Makes the bridge, its address, forwarding and address translation so, whatever of it exists.
///
/// Rules of others are left alone. If one of them drops what is forwarded (as another container
/// engine's `FORWARD` policy may), packets of our containers are dropped too: a verdict to accept
/// in one table does not overrule a drop in another.
pub fn ensure(config: &BridgeConfig) -> Result<Bridge, Error> {
    let mut links = Links::here()?;
    let mtu = links.egress_mtu()?.unwrap_or(ETHERNET_MTU);
    let name = &config.name;
    let link = match links.find(name)? {
        Some(link) => link,
        None => {
            // A fixed address: a bridge without one takes its ports' and changes it with them.
            links.add_bridge(name, Mac::of(config.gateway), mtu)?;
            links
                .find(name)?
                .ok_or_else(|| Error::NotABridge(name.clone()))?
        }
    };
    if link.kind.as_deref() != Some("bridge") {
        return Err(Error::NotABridge(name.clone()));
    }
    if link.mtu != mtu {
        links.set_mtu(name, mtu)?;
    }
    let wanted = (config.gateway, config.subnet.prefix());
    if !links.addresses(&link)?.contains(&wanted) {
        links.add_address(&link, config.gateway, config.subnet)?;
    }
    links.set_up(name)?;
    set("net/ipv4/ip_forward", "1")?;
    table::replace(name, config.subnet)?;
    Ok(Bridge {
        index: link.index,
        mtu,
    })
}

/// Removes the bridge and its table; absent is fine.
pub fn remove(name: &str) -> Result<(), Error> {
    table::remove(name)?;
    Links::here()?.remove(name)
}

fn set(name: &str, value: &str) -> Result<(), Error> {
    let path = format!("/proc/sys/{name}");
    let set = || match fs::read_to_string(&path)?.trim() == value {
        true => Ok(()),
        false => fs::write(&path, value),
    };
    set().map_err(|source| Error::Setting {
        name: name.to_owned(),
        source,
    })
}
