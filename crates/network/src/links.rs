//! Interfaces, addresses and routes of a network namespace.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::endpoint::Mac;
use crate::netlink::{Netlink, Outgoing};
use crate::{Error, Subnet};

/// What the kernel's errors are called here.
const ENODEV: i32 = 19;

/// The routing socket of one namespace.
pub(crate) struct Links(Netlink);

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) mtu: u32,
    /// The driver's word, like `veth`; none for hardware.
    pub(crate) kind: Option<String>,
}

/// One side of a pair of interfaces.
pub(crate) struct Side<'a> {
    pub(crate) name: &'a str,
    /// The namespace that it is made in.
    pub(crate) netns: BorrowedFd<'a>,
    pub(crate) mac: Mac,
}

impl Links {
    /// Of the calling thread's namespace.
    pub(crate) fn here() -> Result<Self, Error> {
        Netlink::route().map(Self).map_err(|source| Error::Netlink {
            action: "open the routing socket",
            source,
        })
    }

    /// The interface of that name.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Link>, Error> {
        let message = RouteNetlinkMessage::GetLink(named(name));
        match self.0.get(message, false) {
            Ok(found) => Ok(found.into_iter().find_map(link)),
            Err(error) if error.raw_os_error() == Some(ENODEV) => Ok(None),
            Err(source) => Err(interface(name, "look it up")(source)),
        }
    }

    /// The interface of that number.
    fn at(&mut self, index: u32) -> Result<Option<Link>, Error> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        let found = self.0.get(RouteNetlinkMessage::GetLink(message), false);
        let found = found.map_err(interface(&format!("#{index}"), "look it up"))?;
        Ok(found.into_iter().find_map(link))
    }

    /// All interfaces.
    pub(crate) fn all(&mut self) -> Result<Vec<Link>, Error> {
        let message = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let found = self.0.get(message, true);
        let found = found.map_err(|source| Error::Netlink {
            action: "list interfaces",
            source,
        })?;
        Ok(found.into_iter().filter_map(link).collect())
    }

    /// Makes a bridge.
    pub(crate) fn add_bridge(&mut self, name: &str, mac: Mac, mtu: u32) -> Result<(), Error> {
        let mut message = named(name);
        message.attributes.extend([
            LinkAttribute::Mtu(mtu),
            LinkAttribute::Address(mac.0.to_vec()),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]),
        ]);
        self.add_link(message)
            .map_err(interface(name, "make the bridge"))
    }

    /// Makes a pair: `name` here, up and a port of `bridge`; the other side where it says, down.
    pub(crate) fn add_pair(
        &mut self,
        name: &str,
        other: &Side<'_>,
        bridge: crate::bridge::Bridge,
    ) -> Result<(), Error> {
        let mut peer = named(other.name);
        peer.attributes.extend([
            LinkAttribute::NetNsFd(other.netns.as_raw_fd()),
            LinkAttribute::Address(other.mac.0.to_vec()),
            LinkAttribute::Mtu(bridge.mtu),
        ]);
        let mut message = named(name);
        up(&mut message);
        message.attributes.extend([
            LinkAttribute::Mtu(bridge.mtu),
            LinkAttribute::Controller(bridge.index),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ]);
        self.add_link(message)
            .map_err(interface(name, "make the pair"))
    }

    fn add_link(&mut self, message: LinkMessage) -> io::Result<()> {
        self.0.request(
            RouteNetlinkMessage::NewLink(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Sets the MTU.
    pub(crate) fn set_mtu(&mut self, name: &str, mtu: u32) -> Result<(), Error> {
        let mut message = named(name);
        message.attributes.push(LinkAttribute::Mtu(mtu));
        self.0
            .request(RouteNetlinkMessage::SetLink(message), 0)
            .map_err(interface(name, "set the MTU"))
    }

    /// Brings an interface up.
    pub(crate) fn set_up(&mut self, name: &str) -> Result<(), Error> {
        let mut message = named(name);
        up(&mut message);
        self.0
            .request(RouteNetlinkMessage::SetLink(message), 0)
            .map_err(interface(name, "bring it up"))
    }

    /// Removes an interface; absent is fine.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), Error> {
        match self.0.request(RouteNetlinkMessage::DelLink(named(name)), 0) {
            Err(error) if error.raw_os_error() != Some(ENODEV) => {
                Err(interface(name, "remove it")(error))
            }
            _ => Ok(()),
        }
    }

    /// The IPv4 addresses of an interface, with the length of their prefixes.
    pub(crate) fn addresses(&mut self, link: &Link) -> Result<Vec<(Ipv4Addr, u8)>, Error> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        let found = self.0.get(RouteNetlinkMessage::GetAddress(message), true);
        let found = found.map_err(interface(&link.name, "list its addresses"))?;
        let addresses = found.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewAddress(message) if message.header.index == link.index => {
                Some((local(&message.attributes)?, message.header.prefix_len))
            }
            _ => None,
        });
        Ok(addresses.collect())
    }

    /// Gives an interface an address.
    pub(crate) fn add_address(
        &mut self,
        link: &Link,
        address: Ipv4Addr,
        subnet: Subnet,
    ) -> Result<(), Error> {
        let message = address_message(link.index, address, subnet);
        self.0
            .request(
                RouteNetlinkMessage::NewAddress(message),
                NLM_F_CREATE | NLM_F_REPLACE,
            )
            .map_err(interface(&link.name, "add the address"))
    }

    /// In one go: loopback and interface up, its address, the default route through `gateway`.
    pub(crate) fn bring_up(
        &mut self,
        link: &Link,
        address: Ipv4Addr,
        subnet: Subnet,
        gateway: Ipv4Addr,
    ) -> Result<(), Error> {
        let (mut loopback, mut own) = (named("lo"), LinkMessage::default());
        up(&mut loopback);
        own.header.index = link.index;
        up(&mut own);
        let address = address_message(link.index, address, subnet);
        let route = default_route(gateway);
        let new = NLM_F_CREATE | NLM_F_REPLACE;
        self.0
            .batch(vec![
                Outgoing::new(RouteNetlinkMessage::SetLink(loopback), 0),
                Outgoing::new(RouteNetlinkMessage::SetLink(own), 0),
                Outgoing::new(RouteNetlinkMessage::NewAddress(address), new),
                Outgoing::new(RouteNetlinkMessage::NewRoute(route), new),
            ])
            .map_err(interface(&link.name, "bring it up"))
    }

    /// Every IPv4 network that is routed, and the interface of the best default route.
    pub(crate) fn routes(&mut self) -> Result<Routes, Error> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        let found = self.0.get(RouteNetlinkMessage::GetRoute(message), true);
        let found = found.map_err(|source| Error::Netlink {
            action: "list routes",
            source,
        })?;
        let mut routes = Routes::default();
        let mut best = u32::MAX;
        for message in found {
            let RouteNetlinkMessage::NewRoute(route) = message else {
                continue;
            };
            let prefix = route.header.destination_prefix_length;
            if prefix > 0 {
                routes
                    .subnets
                    .extend(destination(&route.attributes, prefix));
            } else if let Some((interface, metric)) = way(&route.attributes)
                && (routes.default.is_none() || metric < best)
            {
                (routes.default, best) = (Some(interface), metric);
            }
        }
        Ok(routes)
    }

    /// MTU of the interface that the default route goes through.
    pub(crate) fn egress_mtu(&mut self) -> Result<Option<u32>, Error> {
        let Some(index) = self.routes()?.default else {
            return Ok(None);
        };
        Ok(self.at(index)?.map(|link| link.mtu))
    }
}

/// What is routed where.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Networks, but not all of the world.
    pub(crate) subnets: Vec<Subnet>,
    /// Interface of the default route.
    pub(crate) default: Option<u32>,
}

fn interface(name: &str, action: &'static str) -> impl FnOnce(io::Error) -> Error + use<> {
    let name = name.to_owned();
    move |source| Error::Interface {
        name,
        action,
        source,
    }
}

fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message
        .attributes
        .push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn up(message: &mut LinkMessage) {
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
}

fn link(message: RouteNetlinkMessage) -> Option<Link> {
    let RouteNetlinkMessage::NewLink(message) = message else {
        return None;
    };
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        mtu: 0,
        kind: None,
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::LinkInfo(infos) => {
                link.kind = infos.into_iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind.to_string()),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    Some(link)
}

fn local(attributes: &[AddressAttribute]) -> Option<Ipv4Addr> {
    attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
        _ => None,
    })
}

fn address_message(index: u32, address: Ipv4Addr, subnet: Subnet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = subnet.prefix();
    message.header.index = index;
    message.attributes = vec![
        AddressAttribute::Local(address.into()),
        AddressAttribute::Address(address.into()),
        AddressAttribute::Broadcast(subnet.broadcast()),
    ];
    message
}

fn default_route(gateway: Ipv4Addr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message
        .attributes
        .push(RouteAttribute::Gateway(RouteAddress::Inet(gateway)));
    message
}

fn destination(attributes: &[RouteAttribute], prefix: u8) -> Option<Subnet> {
    attributes.iter().find_map(|attribute| match attribute {
        // A route to one or two addresses counts as one to four: it is only kept away from.
        RouteAttribute::Destination(RouteAddress::Inet(address)) => {
            Subnet::new(*address, prefix.min(30)).ok()
        }
        _ => None,
    })
}

fn way(attributes: &[RouteAttribute]) -> Option<(u32, u32)> {
    let mut interface = None;
    let mut metric = 0;
    for attribute in attributes {
        match attribute {
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::Priority(priority) => metric = *priority,
            _ => {}
        }
    }
    interface.map(|interface| (interface, metric))
}
