//! `volume ls` and `network ls`.

use api::network::Network;
use api::volume::Volume;
use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::format::{List, Row, Style};
use crate::settings::Session;
use crate::words::filter;

/// The flags of both lists.
#[derive(Args)]
struct Flags {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter")]
    filter: Vec<String>,
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Only display names or IDs
    #[arg(short, long)]
    quiet: bool,
}

/// List volumes
#[derive(Args)]
pub(crate) struct Volumes {
    #[command(flatten)]
    flags: Flags,
}

const VOLUMES: List = List {
    headings: &[
        ("Driver", "DRIVER"),
        ("Name", "VOLUME NAME"),
        ("Scope", "SCOPE"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Size", "SIZE"),
        ("Links", "LINKS"),
    ],
    default: "{{.Driver}}\t{{.Name}}",
    quiet: "{{.Name}}",
};

impl Verb for Volumes {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let filters = filter::parse(&self.flags.filter).map_err(anyhow::Error::msg)?;
        let mut list = session.client().await?.volume_list(&filters).await?;
        list.volumes.sort_by(|one, other| one.name.cmp(&other.name));
        let format = self.flags.format.as_deref().or(session
            .settings
            .config
            .volumes_format
            .as_deref());
        let rows = list.volumes.iter().map(volume).collect();
        console::print(&VOLUMES.render(
            rows,
            Style {
                format,
                quiet: self.flags.quiet,
            },
        )?)
    }
}

fn volume(volume: &Volume) -> Row {
    let labels = volume.labels.clone().unwrap_or_default();
    let fields = [
        ("Driver", volume.driver.clone()),
        ("Name", volume.name.clone()),
        ("Scope", volume.scope.clone()),
        ("Mountpoint", volume.mountpoint.clone()),
        ("Labels", List::labels(&labels)),
        ("Size", "N/A".to_owned()),
        ("Links", "N/A".to_owned()),
    ];
    let mut row: Row = fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    row.insert(List::LABELS.to_owned(), serde_json::json!(labels));
    row
}

/// List networks
#[derive(Args)]
pub(crate) struct Networks {
    #[command(flatten)]
    flags: Flags,
    /// Do not truncate the output
    #[arg(long)]
    no_trunc: bool,
}

const NETWORKS: List = List {
    headings: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("CreatedAt", "CREATED AT"),
        ("Internal", "INTERNAL"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Labels", "LABELS"),
    ],
    default: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    quiet: "{{.ID}}",
};

impl Verb for Networks {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let filters = filter::parse(&self.flags.filter).map_err(anyhow::Error::msg)?;
        let mut networks = session.client().await?.network_list(&filters).await?;
        networks.sort_by(|one, other| one.name.cmp(&other.name));
        let format = self.flags.format.as_deref().or(session
            .settings
            .config
            .networks_format
            .as_deref());
        let rows = networks
            .iter()
            .map(|network| row(network, !self.no_trunc))
            .collect();
        console::print(&NETWORKS.render(
            rows,
            Style {
                format,
                quiet: self.flags.quiet,
            },
        )?)
    }
}

fn row(network: &Network, cut: bool) -> Row {
    let id = match cut {
        true => network.id.chars().take(12).collect(),
        false => network.id.clone(),
    };
    let fields = [
        ("ID", id),
        ("Name", network.name.clone()),
        ("Driver", network.driver.clone()),
        ("Scope", network.scope.clone()),
        ("CreatedAt", network.created.clone()),
        ("Internal", network.internal.to_string()),
        ("IPv4", network.enable_ipv4.to_string()),
        ("IPv6", network.enable_ipv6.to_string()),
        ("Labels", List::labels(&network.labels)),
    ];
    let mut row: Row = fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    row.insert(List::LABELS.to_owned(), serde_json::json!(network.labels));
    row
}
