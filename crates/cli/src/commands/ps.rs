//! `ps`: containers as a table.

use api::client::ListOptions;
use api::container::{Port, Summary};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::Verb;
use crate::console;
use crate::format::{List, Row, Style, size, time};
use crate::settings::Session;
use crate::words::filter;

/// List containers
#[derive(Args)]
pub(crate) struct Ps {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter")]
    filter: Vec<String>,
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "int", default_value_t = -1)]
    last: i64,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    latest: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only display container IDs
    #[arg(short, long)]
    quiet: bool,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
}

const LIST: List = List {
    headings: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Names", "NAMES"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
    default: "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
    quiet: "{{.ID}}",
};

const WITH_SIZE: List = List {
    default: "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}",
    ..LIST
};

impl Verb for Ps {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let filters = filter::parse(&self.filter).map_err(anyhow::Error::msg)?;
        let limit = if self.latest { 1 } else { self.last };
        let format = self
            .format
            .as_deref()
            .or(session.settings.config.ps_format.as_deref());
        let wants_size = self.size || format.is_some_and(|format| format.contains(".Size"));
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
        let all = self.all || limit.is_some();
        let options = ListOptions {
            all,
            limit,
            size: wants_size,
            filters,
        };
        let containers = session.client().await?.container_list(&options).await?;
        let view = View {
            now: Timestamp::now(),
            zone: TimeZone::system(),
            cut: !self.no_trunc,
        };
        let rows = containers
            .iter()
            .map(|container| view.row(container))
            .collect();
        let list = if self.size { &WITH_SIZE } else { &LIST };
        console::print(&list.render(
            rows,
            Style {
                format,
                quiet: self.quiet,
            },
        )?)
    }
}

/// What a row takes from outside of the container.
struct View {
    now: Timestamp,
    zone: TimeZone,
    cut: bool,
}

impl View {
    fn row(&self, container: &Summary) -> Row {
        let created = Timestamp::from_second(container.created).unwrap_or_default();
        let volumes = container
            .mounts
            .iter()
            .filter(|mount| mount.kind == "volume")
            .count();
        let mounts = container.mounts.iter().map(|mount| {
            let name = if mount.name.is_empty() {
                &mount.source
            } else {
                &mount.name
            };
            self.shorten(name, 15)
        });
        let networks = container.network_settings.networks.keys();
        let mut row = Row::new();
        let mut set = |key: &str, value: String| drop(row.insert(key.to_owned(), value.into()));
        set("ID", self.id(&container.id));
        set("Image", self.image(container));
        set("Command", quoted(&self.shorten(&container.command, 20)));
        set("CreatedAt", time::stamp(created, &self.zone));
        set("RunningFor", time::ago(created, self.now));
        set("Ports", ports(&container.ports));
        set("State", container.state.clone());
        set("Status", container.status.clone());
        set("Size", sizes(container));
        set("Names", self.names(&container.names));
        set("Labels", List::labels(&container.labels));
        set("Mounts", mounts.collect::<Vec<_>>().join(","));
        set("LocalVolumes", volumes.to_string());
        set("Networks", networks.cloned().collect::<Vec<_>>().join(","));
        set("Platform", String::new());
        row.insert(List::LABELS.to_owned(), serde_json::json!(container.labels));
        row
    }

    fn id(&self, id: &str) -> String {
        if self.cut {
            id.chars().take(12).collect()
        } else {
            id.to_owned()
        }
    }

    /// An image that is only known by its id is shown by its short id.
    fn image(&self, container: &Summary) -> String {
        match container.image.strip_prefix("sha256:") {
            Some(hex) => self.id(hex),
            None if container.image.is_empty() => "<no image>".to_owned(),
            None => container.image.clone(),
        }
    }

    /// The container's own names; those that other containers' links gave it have two slashes.
    fn names(&self, names: &[String]) -> String {
        let names = names
            .iter()
            .map(|name| name.strip_prefix('/').unwrap_or(name));
        let own = names.filter(|name| !self.cut || !name.contains('/'));
        own.collect::<Vec<_>>().join(",")
    }

    fn shorten(&self, text: &str, width: usize) -> String {
        match self.cut && text.chars().count() > width {
            true => text.chars().take(width - 1).chain(['…']).collect(),
            false => text.to_owned(),
        }
    }
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

fn sizes(container: &Summary) -> String {
    let bytes = |size: i64| size::short(u64::try_from(size).unwrap_or(0));
    match container.size_root_fs {
        0 => bytes(container.size_rw),
        all => format!("{} (virtual {})", bytes(container.size_rw), bytes(all)),
    }
}

fn ports(ports: &[Port]) -> String {
    let one = |port: &Port| match port.public_port {
        Some(public) if port.ip.contains(':') => {
            format!(
                "[{}]:{public}->{}/{}",
                port.ip, port.private_port, port.kind
            )
        }
        Some(public) => format!("{}:{public}->{}/{}", port.ip, port.private_port, port.kind),
        None => format!("{}/{}", port.private_port, port.kind),
    };
    let mut sorted: Vec<&Port> = ports.iter().collect();
    sorted.sort_by_key(|port| (port.private_port, &port.kind, &port.ip));
    sorted.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn containers() -> Vec<Summary> {
        serde_json::from_value(serde_json::json!([
            {
                "Id": "4c01db0b339c7a1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192",
                "Names": ["/web", "/other/alias"],
                "Image": "nginx:1.27",
                "Command": "nginx -g 'daemon off;' \"x\"",
                "Created": 1_795_250_400,
                "Ports": [{"PrivatePort": 80, "Type": "tcp"}],
                "Labels": {"com.x.y": "1,2", "b": ""},
                "State": "running",
                "Status": "Up 9 minutes",
                "Mounts": [{"Type": "volume", "Name": "0123456789abcdef0123", "Destination": "/v"}],
                "NetworkSettings": {"Networks": {"bridge": {}}},
                "SizeRw": 1024, "SizeRootFs": 12_345_678
            },
            {
                "Id": "aaaabbbbccccddddeeeeffff0000111122223333444455556666777788889999",
                "Names": ["/old"],
                "Image": "sha256:0123456789abcdef0123456789abcdef",
                "Command": "true",
                "Created": 1_795_160_000,
                "State": "exited",
                "Status": "Exited (0) 2 minutes ago"
            }
        ]))
        .unwrap()
    }

    fn show(list: &List, cut: bool, style: Style<'_>) -> String {
        let now = Timestamp::from_second(1_795_251_000).unwrap();
        let view = View {
            now,
            zone: TimeZone::UTC,
            cut,
        };
        let rows = containers()
            .iter()
            .map(|container| view.row(container))
            .collect();
        list.render(rows, style)
            .unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn tables() {
        insta::assert_snapshot!(show(&LIST, true, Style::default()), @r#"
        CONTAINER ID   IMAGE          COMMAND                  CREATED          STATUS                     PORTS     NAMES
        4c01db0b339c   nginx:1.27     "nginx -g 'daemon of…"   10 minutes ago   Up 9 minutes               80/tcp    web
        aaaabbbbcccc   0123456789ab   "true"                   25 hours ago     Exited (0) 2 minutes ago             old
        "#);
        insta::assert_snapshot!(show(&WITH_SIZE, false, Style::default()), @r#"
        CONTAINER ID                                                       IMAGE                              COMMAND                          CREATED          STATUS                     PORTS     NAMES             SIZE
        4c01db0b339c7a1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192   nginx:1.27                         "nginx -g 'daemon off;' \"x\""   10 minutes ago   Up 9 minutes               80/tcp    web,other/alias   1.02kB (virtual 12.3MB)
        aaaabbbbccccddddeeeeffff0000111122223333444455556666777788889999   0123456789abcdef0123456789abcdef   "true"                           25 hours ago     Exited (0) 2 minutes ago             old               0B
        "#);
    }

    #[test]
    fn formats() {
        let with = |format| {
            show(
                &LIST,
                true,
                Style {
                    format: Some(format),
                    quiet: false,
                },
            )
        };
        insta::assert_snapshot!(show(
            &LIST,
            true,
            Style {
                format: None,
                quiet: true
            }
        ), @r"
        4c01db0b339c
        aaaabbbbcccc
        ");
        insta::assert_snapshot!(with(
            "{{.Names}}: {{.Label \"com.x.y\"}} [{{.Labels}}] {{.Mounts}}"
        ), @r"
        web: 1,2 [b=,com.x.y=1,2] 0123456789abcd…
        old:  []
        ");
        insta::assert_snapshot!(with(r"table {{.Names}}\t{{.Status}}"), @r"
        NAMES     STATUS
        web       Up 9 minutes
        old       Exited (0) 2 minutes ago
        ");
        insta::assert_snapshot!(with("json"), @r#"
        {"Command":"\"nginx -g 'daemon of…\"","CreatedAt":"2026-11-21 08:40:00 +0000 UTC","ID":"4c01db0b339c","Image":"nginx:1.27","Labels":"b=,com.x.y=1,2","LocalVolumes":"1","Mounts":"0123456789abcd…","Names":"web","Networks":"bridge","Platform":"","Ports":"80/tcp","RunningFor":"10 minutes ago","Size":"1.02kB (virtual 12.3MB)","State":"running","Status":"Up 9 minutes"}
        {"Command":"\"true\"","CreatedAt":"2026-11-20 07:33:20 +0000 UTC","ID":"aaaabbbbcccc","Image":"0123456789ab","Labels":"","LocalVolumes":"0","Mounts":"","Names":"old","Networks":"","Platform":"","Ports":"","RunningFor":"25 hours ago","Size":"0B","State":"exited","Status":"Exited (0) 2 minutes ago"}
        "#);
        insta::assert_snapshot!(with("{{.Nope}}"), @"template parsing error: map has no entry for key: Nope");
    }
}
