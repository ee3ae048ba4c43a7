//! Networks, and containers in them.

use std::collections::BTreeMap;

use api::container::NetworkingConfig;
use api::network::{EndpointSettings, Ipam, IpamRange, Member, Network};
use engine::spec::{Endpoint, NetworkMode};

use super::rfc3339;
use crate::http::Failure;

/// Refuses places in networks that a create request asks for besides the mode, and everything
/// about a place that is not there.
pub(crate) fn check_endpoints(
    networking: &NetworkingConfig,
    mode: &NetworkMode,
) -> Result<(), Failure> {
    for (name, endpoint) in &networking.endpoints_config {
        if NetworkMode::parse(name)? != *mode {
            return Err(Failure::unsupported(format!(
                "--network {name} besides {mode}"
            )));
        }
        let Some(endpoint) = endpoint else { continue };
        let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let refused = [
            (!endpoint.mac_address.is_empty(), "--mac-address"),
            (has(&endpoint.links), "--link"),
            (has(&endpoint.aliases), "--network-alias"),
            (asks_for_address(endpoint), "--ip"),
            (
                endpoint.driver_opts.as_ref().is_some_and(|o| !o.is_empty()),
                "--network driver-opt",
            ),
        ];
        if let Some((_, option)) = refused.into_iter().find(|(is_set, _)| *is_set) {
            return Err(Failure::unsupported(option));
        }
    }
    Ok(())
}

fn asks_for_address(endpoint: &EndpointSettings) -> bool {
    let config = endpoint.ipam_config.as_ref().and_then(|c| c.as_object());
    config.is_some_and(|fields| {
        fields
            .values()
            .any(|value| !matches!(value.as_str(), Some("") | None) || value.is_array())
    })
}

/// A container's places by the name of the network. A container that does not run has a place
/// without addresses.
pub(crate) fn endpoints(
    mode: &NetworkMode,
    endpoint: Option<&Endpoint>,
    ids: &NetworkIds,
) -> BTreeMap<String, EndpointSettings> {
    let name = match mode {
        NetworkMode::Bridge | NetworkMode::Host | NetworkMode::None => mode.to_string(),
        NetworkMode::Container(_) => return BTreeMap::new(),
    };
    let mut settings = EndpointSettings {
        network_id: ids.0.get(&name).cloned().unwrap_or_default(),
        ..EndpointSettings::default()
    };
    if let Some(endpoint) = endpoint {
        settings.endpoint_id = endpoint.id.to_string();
        settings.gateway = endpoint.gateway.to_string();
        settings.ip_address = endpoint.address.to_string();
        settings.ip_prefix_len = endpoint.prefix.into();
        settings.mac_address.clone_from(&endpoint.mac);
    }
    BTreeMap::from([(name, settings)])
}

/// Identifiers of networks by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkIds(BTreeMap<String, String>);

impl NetworkIds {
    /// Those of the engine's networks.
    pub(crate) fn of(networks: &[engine::Network]) -> Self {
        let pairs = networks.iter();
        Self(
            pairs
                .map(|network| (network.name.to_owned(), network.id.to_string()))
                .collect(),
        )
    }
}

/// A network as it is listed and inspected.
pub(crate) fn network(network: &engine::Network) -> Network {
    let range = network.subnet.map(|(address, prefix)| IpamRange {
        subnet: format!("{address}/{prefix}"),
        ip_range: String::new(),
        gateway: network.gateway.map(|g| g.to_string()).unwrap_or_default(),
    });
    let device = network.device.iter();
    let options =
        device.map(|device| ("com.docker.network.bridge.name".to_owned(), device.clone()));
    let mut options: BTreeMap<String, String> = options.collect();
    if network.driver == "bridge" {
        let key = "com.docker.network.bridge.default_bridge";
        options.insert(key.to_owned(), "true".to_owned());
    }
    let members = network.members.iter();
    Network {
        name: network.name.to_owned(),
        id: network.id.to_string(),
        created: rfc3339(Some(network.created)),
        scope: "local".to_owned(),
        driver: network.driver.to_owned(),
        enable_ipv4: true,
        ipam: Ipam {
            driver: "default".to_owned(),
            options: None,
            config: range.map(|range| vec![range]),
        },
        containers: members
            .map(|(id, name, endpoint)| (id.to_string(), member(name, endpoint.as_ref())))
            .collect(),
        options,
        ..Network::default()
    }
}

fn member(name: &str, endpoint: Option<&Endpoint>) -> Member {
    let mut member = Member {
        name: name.to_owned(),
        ..Member::default()
    };
    if let Some(endpoint) = endpoint {
        member.endpoint_id = endpoint.id.to_string();
        member.mac_address.clone_from(&endpoint.mac);
        member.ipv4_address = format!("{}/{}", endpoint.address, endpoint.prefix);
    }
    member
}
