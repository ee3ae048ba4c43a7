//! Networks: the default bridge, the host's, and none. Others come with the next issue.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use oci::Digest;

use crate::blocking::blocking;
use crate::bridge::BridgeNetwork;
use crate::rows::Rows;
use crate::spec::{Endpoint, NetworkMode};
use crate::{Error, Filters, Id};

/// The networks of this engine.
#[derive(Debug, Clone)]
pub struct Networks {
    rows: Rows,
    bridge: BridgeNetwork,
    started: Timestamp,
}

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
    pub created: Timestamp,
}

impl Networks {
    pub(crate) fn new(rows: Rows, bridge: BridgeNetwork) -> Self {
        Self {
            rows,
            bridge,
            started: Timestamp::now(),
        }
    }

    /// Those that match. Filters: `name`, `id`, `driver`, `type`, `scope`, `dangling`, `label`.
    pub async fn list(&self, filters: Filters) -> Result<Vec<Network>, Error> {
        filters.check_keys(&["name", "id", "driver", "type", "scope", "dangling", "label"])?;
        let dangling = filters.truth("dangling")?;
        let this = self.clone();
        let all = blocking(move || this.all()).await?;
        let matches = |network: &Network| {
            filters.any("name", |name| network.name.contains(name.as_str()))
                && filters.any("id", |id| network.id.as_str().starts_with(id.as_str()))
                && filters.any("driver", |driver| network.driver == driver)
                && filters.any("type", |kind| kind == "builtin")
                && filters.any("scope", |scope| scope == "local")
                && !filters.has("label")
                // The three are always there, so none of them is ever left over.
                && dangling != Some(true)
        };
        Ok(all.into_iter().filter(matches).collect())
    }

    /// One, by name, id or prefix of an id.
    pub async fn inspect(&self, name: &str) -> Result<Network, Error> {
        let all = self.list(Filters::default()).await?;
        let found = all.into_iter().find(|network| {
            network.name == name || (!name.is_empty() && network.id.as_str().starts_with(name))
        });
        found.ok_or_else(|| Error::NoSuchNetwork(name.to_owned()))
    }

    fn all(&self) -> Result<Vec<Network>, Error> {
        let rows = self.rows.all()?;
        let config = self.bridge.config()?;
        let network = |mode: NetworkMode, name, driver| Network {
            name,
            id: id_of(name),
            driver,
            subnet: None,
            gateway: None,
            device: None,
            members: rows
                .iter()
                .filter(|row| row.document.state.run().is_some())
                .filter(|row| row.document.options.host.network == mode)
                .map(|row| {
                    let document = &row.document;
                    (
                        document.id.clone(),
                        document.name.clone(),
                        document.endpoint.clone(),
                    )
                })
                .collect(),
            created: self.started,
        };
        Ok(vec![
            Network {
                subnet: Some((config.subnet.address(), config.subnet.prefix())),
                gateway: Some(config.gateway),
                device: Some(config.name),
                ..network(NetworkMode::Bridge, "bridge", "bridge")
            },
            network(NetworkMode::Host, "host", "host"),
            network(NetworkMode::None, "none", "null"),
        ])
    }
}

/// The networks are always there, so their ids are made of their names.
fn id_of(name: &str) -> Id {
    Id::from(Digest::of(format!("corten network {name}")).hex())
}

/// Is `text` the id, or a prefix of it, of the network of `mode`?
pub(crate) fn is_id_of(mode: &NetworkMode, text: &str) -> bool {
    const SHORTEST: usize = 12;
    text.len() >= SHORTEST && id_of(&mode.to_string()).as_str().starts_with(text)
}

impl NetworkMode {
    /// Identifier of the network; none for another container's.
    pub fn network_id(&self) -> Option<Id> {
        match self {
            Self::Container(_) => None,
            mode => Some(id_of(&mode.to_string())),
        }
    }
}
