//! `system df`: what takes how much space.

use api::container;
use clap::Args;
use jiff::Timestamp;

use crate::app::Verb;
use crate::console;
use crate::format::{List, Row, Style, size, time};
use crate::settings::Session;

/// Show disk usage
#[derive(Args)]
pub(crate) struct DiskUsage {
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Show detailed information on space usage
    #[arg(short, long)]
    verbose: bool,
}

const SUMMARY: List = List {
    headings: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
    default: "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
    quiet: "{{.Type}}",
};

const IMAGES: List = List {
    headings: &[
        ("Name", "REPOSITORY:TAG"),
        ("ID", "IMAGE ID"),
        ("CreatedSince", "CREATED"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
    ],
    default: "{{.Name}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.Containers}}",
    quiet: "{{.ID}}",
};

const CONTAINERS: List = List {
    headings: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Size", "SIZE"),
        ("Status", "STATUS"),
        ("Names", "NAMES"),
    ],
    default: "{{.ID}}\t{{.Image}}\t{{.Size}}\t{{.Status}}\t{{.Names}}",
    quiet: "{{.ID}}",
};

const VOLUMES: List = List {
    headings: &[
        ("Name", "VOLUME NAME"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
    ],
    default: "{{.Name}}\t{{.Links}}\t{{.Size}}",
    quiet: "{{.Name}}",
};

const CACHE: List = List {
    headings: &[
        ("ID", "CACHE ID"),
        ("CacheType", "CACHE TYPE"),
        ("Size", "SIZE"),
        ("UsageCount", "USAGE"),
        ("Shared", "SHARED"),
        ("Description", "DESCRIPTION"),
    ],
    default: "{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.UsageCount}}\t{{.Shared}}\t{{.Description}}",
    quiet: "{{.ID}}",
};

impl Verb for DiskUsage {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let usage = session.client().await?.system_df().await?;
        let style = Style {
            format: self.format.as_deref(),
            quiet: false,
        };
        if !self.verbose {
            return console::print(&SUMMARY.render(summary(&usage), style)?);
        }
        anyhow::ensure!(
            self.format.is_none(),
            "--format with --verbose: not available yet"
        );
        let parts = [
            ("Images", IMAGES.render(images(&usage), style)?),
            ("Containers", CONTAINERS.render(containers(&usage), style)?),
            ("Local Volumes", VOLUMES.render(volumes(&usage), style)?),
            ("Build cache", CACHE.render(cache(&usage), style)?),
        ];
        let text = parts.map(|(title, table)| format!("{title} space usage:\n\n{table}"));
        console::print(&text.join("\n"))
    }
}

fn row<const N: usize>(fields: [(&str, String); N]) -> Row {
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}

fn bytes(size: i64) -> String {
    size::short(u64::try_from(size).unwrap_or_default())
}

/// A line of the summary: how many there are, how many are in use, and their bytes.
fn line(kind: &str, count: usize, active: usize, all: i64, free: i64) -> Row {
    let share = match all {
        ..=0 => String::new(),
        all => format!(" ({}%)", free.saturating_mul(100) / all),
    };
    row([
        ("Type", kind.to_owned()),
        ("TotalCount", count.to_string()),
        ("Active", active.to_string()),
        ("Size", bytes(all)),
        ("Reclaimable", format!("{}{share}", bytes(free))),
    ])
}

fn summary(usage: &api::system::DiskUsage) -> Vec<Row> {
    let images = usage.images.as_deref().unwrap_or_default();
    let used = images.iter().filter(|image| image.containers > 0);
    let used_bytes: i64 = used
        .clone()
        .map(|image| image.size - image.shared_size.max(0))
        .sum();
    let containers = usage.containers.as_deref().unwrap_or_default();
    let is_active = |container: &&container::Summary| {
        matches!(
            container.state.as_str(),
            "running" | "paused" | "restarting"
        )
    };
    let written: i64 = containers.iter().map(|container| container.size_rw).sum();
    let active = containers.iter().filter(is_active);
    let active_bytes: i64 = active.clone().map(|container| container.size_rw).sum();
    let volumes = usage.volumes.as_deref().unwrap_or_default();
    let volume = |linked: bool| {
        volumes
            .iter()
            .filter_map(|volume| volume.usage_data.as_ref())
            .filter(move |usage| (usage.ref_count > 0) == linked)
    };
    let size = |linked: bool| volume(linked).map(|usage| usage.size.max(0)).sum::<i64>();
    let records = usage.build_cache.as_deref().unwrap_or_default();
    let own = records.iter().filter(|record| !record.shared);
    let cached: i64 = own.clone().map(|record| record.size).sum();
    let busy = records.iter().filter(|record| record.in_use);
    let free: i64 = own
        .filter(|record| !record.in_use)
        .map(|record| record.size)
        .sum();
    let unused = (usage.layers_size - used_bytes).max(0);
    vec![
        line(
            "Images",
            images.len(),
            used.count(),
            usage.layers_size,
            unused,
        ),
        line(
            "Containers",
            containers.len(),
            active.count(),
            written,
            written - active_bytes,
        ),
        line(
            "Local Volumes",
            volumes.len(),
            volume(true).count(),
            size(true) + size(false),
            size(false),
        ),
        line("Build Cache", records.len(), busy.count(), cached, free),
    ]
}

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

fn images(usage: &api::system::DiskUsage) -> Vec<Row> {
    let now = Timestamp::now();
    let one = |image: &api::image::Summary| {
        let created = Timestamp::from_second(image.created).unwrap_or_default();
        let name = image.repo_tags.first().cloned();
        row([
            ("Name", name.unwrap_or_else(|| "<none>:<none>".to_owned())),
            ("ID", short(&image.id)),
            ("CreatedSince", time::ago(created, now)),
            ("Size", bytes(image.size)),
            ("Containers", image.containers.to_string()),
        ])
    };
    usage.images.iter().flatten().map(one).collect()
}

fn containers(usage: &api::system::DiskUsage) -> Vec<Row> {
    let one = |container: &container::Summary| {
        let name = container
            .names
            .first()
            .map(|name| name.trim_start_matches('/').to_owned());
        row([
            ("ID", short(&container.id)),
            ("Image", container.image.clone()),
            ("Size", bytes(container.size_rw)),
            ("Status", container.status.clone()),
            ("Names", name.unwrap_or_default()),
        ])
    };
    usage.containers.iter().flatten().map(one).collect()
}

fn volumes(usage: &api::system::DiskUsage) -> Vec<Row> {
    let one = |volume: &api::volume::Volume| {
        let used = volume.usage_data.clone().unwrap_or_default();
        row([
            ("Name", volume.name.clone()),
            ("Links", used.ref_count.to_string()),
            ("Size", bytes(used.size)),
        ])
    };
    usage.volumes.iter().flatten().map(one).collect()
}

fn cache(usage: &api::system::DiskUsage) -> Vec<Row> {
    let one = |record: &api::build::CacheRecord| {
        row([
            ("ID", short(&record.id)),
            ("CacheType", record.kind.clone()),
            ("Size", bytes(record.size)),
            ("UsageCount", record.usage_count.to_string()),
            ("Shared", record.shared.to_string()),
            ("Description", record.description.clone()),
        ])
    };
    usage.build_cache.iter().flatten().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let usage: api::system::DiskUsage = serde_json::from_value(serde_json::json!({
            "LayersSize": 300_000_000,
            "Images": [{"Size": 200_000_000, "SharedSize": 0, "Containers": 1}, {"Size": 100_000_000, "Containers": 0}],
            "Containers": [{"State": "running", "SizeRw": 1000}, {"State": "exited", "SizeRw": 3000}],
            "Volumes": [{"Name": "v", "UsageData": {"RefCount": 0, "Size": 5000}}],
            "BuildCache": [{"ID": "a", "Size": 10, "InUse": true}, {"ID": "b", "Size": 30}, {"ID": "c", "Size": 7, "Shared": true}]
        }))
        .unwrap();
        insta::assert_snapshot!(SUMMARY.render(summary(&usage), Style::default()).unwrap(), @r"
        TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
        Images          2         1         300MB     100MB (33%)
        Containers      2         1         4kB       3kB (75%)
        Local Volumes   1         0         5kB       5kB (100%)
        Build Cache     3         1         40B       30B (75%)
        ");
    }
}
