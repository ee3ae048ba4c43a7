//! Real namespaces: containers on a bridge of a host that is a namespace too, behind which lies a
//! world that knows nothing of the containers' addresses.
#![expect(clippy::unwrap_used, reason = "tests, also outside of test functions")]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use network::bridge::{self, Bridge, BridgeConfig};
use network::endpoint::{self, EndpointConfig, Mac};
use network::{Subnet, create_namespace};

const BRIDGE: &str = "corten0";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn config(name: &str, subnet: &str) -> BridgeConfig {
    let subnet: Subnet = subnet.parse().unwrap();
    BridgeConfig {
        name: name.into(),
        subnet,
        gateway: subnet.gateway(),
    }
}

fn inside<T: Send>(namespace: &OwnedFd, work: impl FnOnce() -> T + Send) -> T {
    sys::netns::enter(namespace, work).unwrap()
}

/// Joins `namespace` to a bridge that is made in `host`.
fn join(host: &OwnedFd, network: &BridgeConfig, namespace: &OwnedFd, last: u8) -> String {
    let [a, b, c, _] = network.gateway.octets();
    let address = Ipv4Addr::new(a, b, c, last);
    let endpoint = EndpointConfig {
        host_name: endpoint::host_name(),
        name: "eth0".into(),
        address,
        prefix: network.subnet.prefix(),
        gateway: network.gateway,
        mac: Mac::of(address),
    };
    inside(host, || {
        let bridge = bridge::ensure(network).unwrap();
        endpoint::connect(namespace.as_fd(), bridge, &endpoint).unwrap();
    });
    endpoint.host_name
}

/// Who the listener of `server` sees when `client` connects to `address` and says hello.
fn talk(server: &OwnedFd, client: &OwnedFd, address: [u8; 4]) -> IpAddr {
    let listener = inside(server, || TcpListener::bind("0.0.0.0:0").unwrap());
    let target = SocketAddr::from((address, listener.local_addr().unwrap().port()));
    let mut stream = inside(client, || {
        TcpStream::connect_timeout(&target, Duration::from_secs(5)).unwrap()
    });
    let (mut accepted, peer) = listener.accept().unwrap();
    stream.write_all(b"hello").unwrap();
    let mut buffer = [0; 5];
    accepted.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"hello");
    peer.ip()
}

#[test]
fn containers_reach_each_other_and_the_world() {
    if !is_root() {
        return;
    }
    let [world, host, one, two] = [(); 4].map(|()| create_namespace().unwrap());
    join(&world, &config("wan0", "10.99.0.0/24"), &host, 2);
    let network = config(BRIDGE, "172.30.0.0/16");
    join(&host, &network, &one, 2);
    join(&host, &network, &two, 3);

    assert_eq!(
        talk(&two, &one, [172, 30, 0, 3]),
        IpAddr::from([172, 30, 0, 2])
    );
    assert_eq!(
        talk(&host, &one, [172, 30, 0, 1]),
        IpAddr::from([172, 30, 0, 2])
    );
    assert_eq!(
        talk(&one, &host, [172, 30, 0, 2]),
        IpAddr::from([172, 30, 0, 1])
    );
    // The world answers, though it has no route to containers: it sees the host.
    assert_eq!(
        talk(&world, &one, [10, 99, 0, 1]),
        IpAddr::from([10, 99, 0, 2])
    );
    // Who has a route nevertheless is not let in: nothing is published.
    let listener = inside(&one, || TcpListener::bind("0.0.0.0:0").unwrap());
    let target = SocketAddr::from(([172, 30, 0, 2], listener.local_addr().unwrap().port()));
    inside(&world, || {
        add_route([172, 30, 0, 0], 16, [10, 99, 0, 2]);
        TcpStream::connect_timeout(&target, Duration::from_millis(300)).unwrap_err();
    });
    // Loopback works, and stays inside.
    assert_eq!(
        talk(&one, &one, [127, 0, 0, 1]),
        IpAddr::from([127, 0, 0, 1])
    );
}

#[test]
fn everything_can_be_done_twice_and_undone() {
    if !is_root() {
        return;
    }
    let (host, container) = (create_namespace().unwrap(), create_namespace().unwrap());
    let network = config(BRIDGE, "172.30.0.0/16");
    let (first, second) = inside(&host, || {
        (
            bridge::ensure(&network).unwrap(),
            bridge::ensure(&network).unwrap(),
        )
    });
    assert_eq!(first, second);
    let name = join(&host, &network, &container, 2);
    inside(&host, || {
        assert_eq!(endpoint::list().unwrap(), [name.as_str()]);
        endpoint::disconnect(&name).unwrap();
        endpoint::disconnect(&name).unwrap();
        assert_eq!(endpoint::list().unwrap(), [""; 0]);
        bridge::remove(BRIDGE).unwrap();
        bridge::remove(BRIDGE).unwrap();
        // The pool that was chosen is the first again.
        assert_eq!(
            bridge::choose(BRIDGE).unwrap().subnet.to_string(),
            "172.17.0.0/16"
        );
    });
}

#[test]
fn a_pair_dies_with_its_namespace() {
    if !is_root() {
        return;
    }
    let (host, container) = (create_namespace().unwrap(), create_namespace().unwrap());
    join(&host, &config(BRIDGE, "172.30.0.0/16"), &container, 2);
    drop(container);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !inside(&host, endpoint::list).unwrap().is_empty() {
        assert!(Instant::now() < deadline, "the pair outlives its namespace");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn subnets_in_use_are_avoided_and_existing_ones_kept() {
    if !is_root() {
        return;
    }
    let host = create_namespace().unwrap();
    inside(&host, || {
        let mut taken = config("other0", "172.17.0.0/16");
        bridge::ensure(&taken).unwrap();
        let chosen = bridge::choose(BRIDGE).unwrap();
        assert_eq!(chosen.subnet.to_string(), "172.18.0.0/16");
        // A bridge that exists keeps what it has.
        taken.name = BRIDGE.into();
        taken.subnet = "10.7.0.0/24".parse().unwrap();
        taken.gateway = taken.subnet.gateway();
        bridge::ensure(&taken).unwrap();
        assert_eq!(bridge::choose(BRIDGE).unwrap(), taken);
    });
}

#[test]
fn failures_leave_nothing() {
    if !is_root() {
        return;
    }
    let (host, container) = (create_namespace().unwrap(), create_namespace().unwrap());
    inside(&host, || {
        let network = config(BRIDGE, "172.30.0.0/16");
        let bridge = bridge::ensure(&network).unwrap();
        let address = Ipv4Addr::new(172, 30, 0, 2);
        let mut endpoint = EndpointConfig {
            host_name: endpoint::host_name(),
            name: "eth0".into(),
            address,
            prefix: 16,
            // Not reachable: the route is refused after the pair has been made.
            gateway: Ipv4Addr::new(10, 1, 1, 1),
            mac: Mac::of(address),
        };
        endpoint::connect(container.as_fd(), bridge, &endpoint).unwrap_err();
        assert_eq!(endpoint::list().unwrap(), [""; 0]);
        let nowhere = Bridge {
            index: 4711,
            mtu: 1500,
        };
        endpoint.host_name = endpoint::host_name();
        endpoint::connect(container.as_fd(), nowhere, &endpoint).unwrap_err();
        assert_eq!(endpoint::list().unwrap(), [""; 0]);
        assert!(matches!(
            bridge::ensure(&config("lo", "172.30.0.0/16")),
            Err(network::Error::NotABridge(_))
        ));
    });
}

#[test]
fn mtu_follows_the_default_route() {
    if !is_root() {
        return;
    }
    let [world, host, one] = [(); 3].map(|()| create_namespace().unwrap());
    join(&world, &config("wan0", "10.99.0.0/24"), &host, 2);
    let network = config(BRIDGE, "172.30.0.0/16");
    let mtu_of = |namespace: &OwnedFd, name: &'static str| {
        // `/sys` shows the namespace that it was mounted in, `/proc/net` has no MTU: ask a socket.
        inside(namespace, move || interface_mtu(name))
    };
    let set = |mtu: u32| {
        inside(&host, || set_mtu("eth0", mtu));
        join(&host, &network, &create_namespace().unwrap(), 9);
    };
    set(1400);
    join(&host, &network, &one, 2);
    assert_eq!(mtu_of(&host, BRIDGE), 1400);
    assert_eq!(mtu_of(&one, "eth0"), 1400);
}

fn route_message(
    message: netlink_packet_route::RouteNetlinkMessage,
    flags: u16,
) -> netlink_packet_route::RouteNetlinkMessage {
    use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
    let socket = netlink_sys::Socket::new(netlink_sys::protocols::NETLINK_ROUTE).unwrap();
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    let kernel = netlink_sys::SocketAddr::new(0, 0);
    socket.send_to(&bytes, &kernel, 0).unwrap();
    let (bytes, _) = socket.recv_from_full().unwrap();
    let answer = NetlinkMessage::deserialize(&bytes).unwrap();
    match answer.payload {
        NetlinkPayload::InnerMessage(message) => message,
        NetlinkPayload::Error(error) if error.code.is_none() => {
            netlink_packet_route::RouteNetlinkMessage::GetLink(Default::default())
        }
        other => panic!("{other:?}"),
    }
}

fn interface_mtu(name: &str) -> u32 {
    use netlink_packet_route::RouteNetlinkMessage::{GetLink, NewLink};
    use netlink_packet_route::link::{LinkAttribute, LinkMessage};
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.into()));
    let NewLink(link) = route_message(GetLink(message), 0) else {
        panic!("no link {name}")
    };
    let mtu = link
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Mtu(mtu) => Some(*mtu),
            _ => None,
        });
    mtu.unwrap()
}

fn set_mtu(name: &str, mtu: u32) {
    use netlink_packet_route::RouteNetlinkMessage::SetLink;
    use netlink_packet_route::link::{LinkAttribute, LinkMessage};
    let mut message = LinkMessage::default();
    message
        .attributes
        .extend([LinkAttribute::IfName(name.into()), LinkAttribute::Mtu(mtu)]);
    route_message(SetLink(message), netlink_packet_core::NLM_F_ACK);
}

fn add_route(destination: [u8; 4], prefix: u8, gateway: [u8; 4]) {
    use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE};
    use netlink_packet_route::route::{
        RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteType,
    };
    use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = prefix;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.kind = RouteType::Unicast;
    message.attributes.extend([
        RouteAttribute::Destination(RouteAddress::Inet(destination.into())),
        RouteAttribute::Gateway(RouteAddress::Inet(gateway.into())),
    ]);
    route_message(
        RouteNetlinkMessage::NewRoute(message),
        NLM_F_ACK | NLM_F_CREATE,
    );
}
