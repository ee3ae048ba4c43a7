//! Our nftables table of a bridge, in the words of `nft`:
//!
//! ```text
//! table ip <bridge> {
//!   chain postrouting { type nat hook postrouting priority srcnat;
//!     ip saddr <subnet> oifname != <bridge> masquerade
//!   }
//!   chain forward { type filter hook forward priority filter;
//!     iifname <bridge> accept                        # out, and from container to container
//!     oifname <bridge> ct state established,related accept
//!     oifname <bridge> ct status dnat accept         # published ports
//!     oifname <bridge> drop
//!   }
//! }
//! ```
//! The table is replaced by one transaction: there is no moment without its rules.

use std::io;

use netlink_packet_core::{DefaultNla, NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{
    Bitwise, ChainAttribute, ChainMessage, Cmp, DataAttribute, Expressions, Hook, Immediate,
    InetHookNumber, ListAttribute, Meta, MetaKey, NfTablesMessage, Operator, Payload, Register,
    RuleAttribute, RuleMessage, TableAttribute, TableMessage, Verdict, VerdictAttribute,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};

use crate::netlink::{Netlink, Outgoing};
use crate::{Error, Subnet};

const POSTROUTING: &str = "postrouting";
const FORWARD: &str = "forward";
/// `srcnat`, where addresses of senders are translated.
const PRIORITY_SOURCE_NAT: u32 = 100;
const PRIORITY_FILTER: u32 = 0;
/// nfnetlink's number of nftables.
const SUBSYSTEM: u16 = 10;
const ACCEPT: u32 = 1;
const DROP: u32 = 0;
/// Where the network header begins, for `payload`.
const NETWORK_HEADER: u32 = 1;
const SOURCE_ADDRESS: u32 = 12;
const CT_STATE: u32 = 0;
const CT_STATUS: u32 = 2;
const ESTABLISHED_OR_RELATED: u32 = 2 | 4;
const TRANSLATED_DESTINATION: u32 = 1 << 5;
const ENOENT: i32 = 2;

type Rule = Vec<ListAttribute<netlink_packet_netfilter::nftables::ExpressionAttribute>>;

/// Makes the table so, in place of what it was.
pub(crate) fn replace(bridge: &str, subnet: Subnet) -> Result<(), Error> {
    let (inside, outside) = (Operator::Equal, Operator::NotEqual);
    let table = || table_message(bridge);
    let transaction = vec![
        // What does not exist cannot be deleted: so it is made first.
        (NfTablesMessage::NewTable(table()), NLM_F_CREATE),
        (NfTablesMessage::DeleteTable(table()), 0),
        (NfTablesMessage::NewTable(table()), NLM_F_CREATE),
        chain(
            bridge,
            POSTROUTING,
            "nat",
            (InetHookNumber::PostRouting, PRIORITY_SOURCE_NAT),
        ),
        chain(
            bridge,
            FORWARD,
            "filter",
            (InetHookNumber::Forward, PRIORITY_FILTER),
        ),
        rule(
            bridge,
            POSTROUTING,
            [
                from_subnet(subnet),
                name_is(MetaKey::Oifname, outside, bridge),
                vec![other("masq", Vec::new())],
            ],
        ),
        rule(
            bridge,
            FORWARD,
            [name_is(MetaKey::Iifname, inside, bridge), verdict(ACCEPT)],
        ),
        rule(
            bridge,
            FORWARD,
            [
                name_is(MetaKey::Oifname, inside, bridge),
                connection_has(CT_STATE, ESTABLISHED_OR_RELATED),
                verdict(ACCEPT),
            ],
        ),
        rule(
            bridge,
            FORWARD,
            [
                name_is(MetaKey::Oifname, inside, bridge),
                connection_has(CT_STATUS, TRANSLATED_DESTINATION),
                verdict(ACCEPT),
            ],
        ),
        rule(
            bridge,
            FORWARD,
            [name_is(MetaKey::Oifname, inside, bridge), verdict(DROP)],
        ),
    ];
    commit(transaction).map_err(|source| Error::Table {
        table: bridge.to_owned(),
        source,
    })
}

/// Removes the table; absent is fine.
pub(crate) fn remove(bridge: &str) -> Result<(), Error> {
    match commit(vec![(
        NfTablesMessage::DeleteTable(table_message(bridge)),
        0,
    )]) {
        Err(error) if error.raw_os_error() == Some(ENOENT) => Ok(()),
        other => other.map_err(|source| Error::Table {
            table: bridge.to_owned(),
            source,
        }),
    }
}

fn commit(messages: Vec<(NfTablesMessage, u16)>) -> io::Result<()> {
    let mark = |mark: ControlMessage| Outgoing {
        message: message(NetfilterProtoFamily::Unspec, SUBSYSTEM, mark),
        flags: 0,
        acknowledged: false,
    };
    let mut batch = vec![mark(ControlMessage::BatchBegin)];
    batch.extend(
        messages.into_iter().map(|(inner, flags)| {
            Outgoing::new(message(NetfilterProtoFamily::IPv4, 0, inner), flags)
        }),
    );
    batch.push(mark(ControlMessage::BatchEnd));
    Netlink::netfilter()?.batch(batch)
}

fn message(
    family: NetfilterProtoFamily,
    subsystem: u16,
    inner: impl Into<NetfilterMessageInner>,
) -> NetfilterMessage {
    NetfilterMessage::new(NetfilterHeader::new(family, 0, subsystem), inner)
}

fn table_message(bridge: &str) -> TableMessage {
    TableMessage {
        attributes: vec![TableAttribute::Name(bridge.to_owned())],
    }
}

fn chain(
    table: &str,
    name: &str,
    kind: &str,
    (hook, priority): (InetHookNumber, u32),
) -> (NfTablesMessage, u16) {
    let attributes = vec![
        ChainAttribute::Table(table.to_owned()),
        ChainAttribute::Name(name.to_owned()),
        ChainAttribute::Hook(vec![Hook::Number(hook.into()), Hook::Priority(priority)]),
        ChainAttribute::Policy(ACCEPT),
        ChainAttribute::Type(kind.to_owned()),
    ];
    (
        NfTablesMessage::NewChain(ChainMessage { attributes }),
        NLM_F_CREATE,
    )
}

fn rule<const PARTS: usize>(
    table: &str,
    chain: &str,
    parts: [Vec<Expressions>; PARTS],
) -> (NfTablesMessage, u16) {
    let expressions: Rule = parts.into_iter().flatten().map(Into::into).collect();
    let attributes = vec![
        RuleAttribute::Table(table.to_owned()),
        RuleAttribute::Chain(chain.to_owned()),
        RuleAttribute::Expressions(expressions),
    ];
    (
        NfTablesMessage::NewRule(RuleMessage { attributes }),
        NLM_F_CREATE | NLM_F_APPEND,
    )
}

/// Compares the name of an interface, as the 16 bytes that the kernel keeps.
fn name_is(key: MetaKey, operator: Operator, name: &str) -> Vec<Expressions> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(16, 0);
    vec![
        Expressions::Meta(vec![
            Meta::Key(key),
            Meta::DestinationRegister(Register::Reg1),
        ]),
        compare(operator, bytes),
    ]
}

fn from_subnet(subnet: Subnet) -> Vec<Expressions> {
    vec![
        Expressions::Payload(vec![
            Payload::DestinationRegister(Register::Reg1),
            Payload::Base(NETWORK_HEADER),
            Payload::Offset(SOURCE_ADDRESS),
            Payload::Len(4),
        ]),
        mask(subnet.mask().octets().to_vec()),
        compare(Operator::Equal, subnet.address().octets().to_vec()),
    ]
}

/// Whether one of the bits of a connection's property is set.
fn connection_has(key: u32, bits: u32) -> Vec<Expressions> {
    const DESTINATION_REGISTER: u16 = 1;
    const KEY: u16 = 2;
    let number = |kind, value: u32| DefaultNla::new(kind, value.to_be_bytes().to_vec());
    let register = u32::from(Register::Reg1);
    vec![
        other(
            "ct",
            vec![number(DESTINATION_REGISTER, register), number(KEY, key)],
        ),
        // Registers hold numbers as the machine does.
        mask(bits.to_ne_bytes().to_vec()),
        compare(Operator::NotEqual, vec![0; 4]),
    ]
}

fn mask(bits: Vec<u8>) -> Expressions {
    Expressions::Bitwise(vec![
        Bitwise::SourceRegister(Register::Reg1),
        Bitwise::DestinationRegister(Register::Reg1),
        Bitwise::Length(4),
        Bitwise::Mask(DataAttribute::Value(bits)),
        Bitwise::Xor(DataAttribute::Value(vec![0; 4])),
    ])
}

fn compare(operator: Operator, value: Vec<u8>) -> Expressions {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(Register::Reg1),
        Cmp::Op(operator),
        Cmp::Data(DataAttribute::Value(value)),
    ])
}

fn verdict(code: u32) -> Vec<Expressions> {
    let code = VerdictAttribute::Code(Verdict::Other(code));
    vec![Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(vec![code])),
    ])]
}

fn other(kind: &str, attributes: Vec<DefaultNla>) -> Expressions {
    Expressions::Other {
        expression_type: kind.to_owned(),
        attributes,
    }
}
