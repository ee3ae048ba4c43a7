//! IPv4 subnets and the choice of addresses in them. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::Error;

/// An IPv4 network: address with its host bits zero, and the prefix length (0 to 30).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    address: Ipv4Addr,
    prefix: u8,
}

impl Subnet {
    /// The network that `address` lies in.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Result<Self, Error> {
        if prefix > 30 {
            return Err(Error::BadSubnet(format!("{address}/{prefix}")));
        }
        Ok(Self {
            address: Ipv4Addr::from_bits(address.to_bits() & mask(prefix)),
            prefix,
        })
    }

    /// The first address.
    pub fn address(self) -> Ipv4Addr {
        self.address
    }

    /// Length of the prefix.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The first host address, by custom the gateway.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() + 1)
    }

    /// The last address.
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() | !mask(self.prefix))
    }

    /// Whether the address lies in the network.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.address.to_bits()
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadSubnet(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        Self::new(
            address.parse().map_err(|_| bad())?,
            prefix.parse().map_err(|_| bad())?,
        )
    }
}

impl TryFrom<String> for Subnet {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

/// The pools that default networks are taken from, Docker's: 172.17 to 172.31 as /16 each, then
/// 192.168.0.0/16 in pieces of /20.
pub fn default_pools() -> impl Iterator<Item = Subnet> {
    let large = (17..=31).map(|second| Subnet {
        address: Ipv4Addr::new(172, second, 0, 0),
        prefix: 16,
    });
    let small = (0..16).map(|piece| Subnet {
        address: Ipv4Addr::new(192, 168, piece * 16, 0),
        prefix: 20,
    });
    large.chain(small)
}

/// Chooses a free host address. `used` holds every address in use, the gateway included. The one
/// after `last` is tried first, so that an address rests for as long as possible before it is
/// given away again.
pub fn allocate(
    subnet: Subnet,
    used: &BTreeSet<Ipv4Addr>,
    last: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, Error> {
    todo!("{subnet}{used:?}{last:?}")
}

/// Checks an address that the user asked for.
pub fn reserve(subnet: Subnet, used: &BTreeSet<Ipv4Addr>, address: Ipv4Addr) -> Result<(), Error> {
    todo!("{subnet}{used:?}{address}")
}
