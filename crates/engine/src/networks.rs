//! Networks: the default bridge, the host's, and none. Others come with the next issue.

use std::net::Ipv4Addr;

use crate::spec::Endpoint;
use crate::{Error, Filters, Id};

/// The networks of this engine.
#[derive(Debug, Clone)]
pub struct Networks {}

/// One network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Name: `bridge`, `host` or `none`.
    pub name: &'static str,
    /// Identifier: 64 hexadecimal digits, the same on every start.
    pub id: Id,
    /// `bridge`, `host` or `null`.
    pub driver: &'static str,
    /// First address and length of the prefix, for a bridge.
    pub subnet: Option<(Ipv4Addr, u8)>,
    /// The host's own address there.
    pub gateway: Option<Ipv4Addr>,
    /// Device on the host.
    pub device: Option<String>,
    /// Running containers in it: id, name and place.
    pub members: Vec<(Id, String, Option<Endpoint>)>,
    /// When it was made.
    pub created: jiff::Timestamp,
}

#[expect(clippy::todo, clippy::unused_async, reason = "first landing")]
impl Networks {
    /// Those that match. Filters: `name`, `id`, `driver`, `type`, `scope`, `dangling`, `label`.
    pub async fn list(&self, filters: Filters) -> Result<Vec<Network>, Error> {
        let _ = filters;
        todo!()
    }

    /// One, by name, id or prefix of an id.
    pub async fn inspect(&self, name: &str) -> Result<Network, Error> {
        let _ = name;
        todo!()
    }
}
