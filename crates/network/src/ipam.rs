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

    /// The mask of the prefix.
    pub fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask(self.prefix))
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
    let (first, end) = (subnet.address.to_bits() + 1, subnet.broadcast().to_bits());
    let next = last
        .filter(|last| is_host(subnet, *last))
        .map_or(first, |last| last.to_bits() + 1);
    (next..end)
        .chain(first..next)
        .map(Ipv4Addr::from_bits)
        .find(|address| !used.contains(address))
        .ok_or(Error::SubnetFull(subnet))
}

/// Checks an address that the user asked for.
pub fn reserve(subnet: Subnet, used: &BTreeSet<Ipv4Addr>, address: Ipv4Addr) -> Result<(), Error> {
    if !is_host(subnet, address) {
        return Err(Error::AddressOutside { address, subnet });
    }
    match used.contains(&address) {
        true => Err(Error::AddressInUse(address)),
        false => Ok(()),
    }
}

fn is_host(subnet: Subnet, address: Ipv4Addr) -> bool {
    subnet.contains(address) && address != subnet.address && address != subnet.broadcast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    fn set(texts: &[&str]) -> BTreeSet<Ipv4Addr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn subnets_are_parsed_and_compared() {
        assert_eq!(subnet("172.17.3.4/16").to_string(), "172.17.0.0/16");
        assert_eq!(
            subnet("172.17.0.0/16").broadcast(),
            Ipv4Addr::new(172, 17, 255, 255)
        );
        assert_eq!(subnet("0.0.0.0/0").mask(), Ipv4Addr::UNSPECIFIED);
        assert!(subnet("10.0.0.0/8").overlaps(subnet("10.9.0.0/16")));
        assert!(subnet("10.9.0.0/16").overlaps(subnet("10.0.0.0/8")));
        assert!(!subnet("10.9.0.0/16").overlaps(subnet("10.8.0.0/16")));
        for bad in ["", "10.0.0.0", "10.0.0.0/31", "10.0.0/8", "x/8", "::/64"] {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn pools_do_not_overlap() {
        let pools: Vec<_> = default_pools().collect();
        assert_eq!(pools.len(), 31);
        assert_eq!(pools[15].to_string(), "192.168.0.0/20");
        for (at, pool) in pools.iter().enumerate() {
            assert!(
                !pools[at + 1..].iter().any(|other| other.overlaps(*pool)),
                "{pool}"
            );
        }
    }

    #[test]
    fn addresses_rest_before_they_are_used_again() {
        let net = subnet("10.0.0.0/29");
        let used = set(&["10.0.0.1", "10.0.0.3"]);
        let after = |last: &str| allocate(net, &used, last.parse().ok()).unwrap().to_string();
        assert_eq!(after(""), "10.0.0.2");
        assert_eq!(after("10.0.0.2"), "10.0.0.4");
        assert_eq!(after("10.0.0.6"), "10.0.0.2");
        assert_eq!(after("192.168.0.1"), "10.0.0.2");
    }

    #[test]
    fn a_full_subnet_says_so() {
        let net = subnet("10.0.0.0/30");
        let used = set(&["10.0.0.1", "10.0.0.2"]);
        assert!(matches!(
            allocate(net, &used, None),
            Err(Error::SubnetFull(_))
        ));
        let last = Some(Ipv4Addr::new(10, 0, 0, 2));
        assert!(matches!(
            allocate(net, &used, last),
            Err(Error::SubnetFull(_))
        ));
    }

    #[test]
    fn asked_for_addresses_are_checked() {
        let net = subnet("10.0.0.0/24");
        let used = set(&["10.0.0.1"]);
        let ask = |text: &str| reserve(net, &used, text.parse().unwrap());
        assert!(ask("10.0.0.9").is_ok());
        assert!(matches!(ask("10.0.0.1"), Err(Error::AddressInUse(_))));
        for outside in ["10.0.0.0", "10.0.0.255", "10.0.1.1"] {
            assert!(
                matches!(ask(outside), Err(Error::AddressOutside { .. })),
                "{outside}"
            );
        }
    }
}
