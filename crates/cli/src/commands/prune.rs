//! What takes away everything that is not used: container, image, volume, network, builder and
//! system prune.

use api::image::Deleted;
use api::{Client, Filters};
use clap::Args;

use crate::app::Verb;
use crate::console;
use crate::format::size;
use crate::settings::Session;
use crate::words::filter;

/// The flags of every prune.
#[derive(Args)]
struct Flags {
    /// Provide filter values (e.g. "until=<timestamp>")
    #[arg(long, value_name = "filter")]
    filter: Vec<String>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

impl Flags {
    /// Asks the user, unless told not to; `None` when the answer is no.
    fn agreed(&self, warning: &str) -> anyhow::Result<Option<Filters>> {
        let filters = filter::parse(&self.filter).map_err(anyhow::Error::msg)?;
        let yes = self.force || console::ask(&format!("WARNING! {warning}"))?;
        Ok(yes.then_some(filters))
    }
}

fn total(bytes: u64) -> anyhow::Result<()> {
    console::line(format!("Total reclaimed space: {}", size::decimal(bytes)))
}

fn deleted(title: &str, names: Option<&[String]>) -> anyhow::Result<()> {
    match names {
        Some(names) if !names.is_empty() => {
            console::print(&format!("{title}:\n{}\n\n", names.join("\n")))
        }
        _ => Ok(()),
    }
}

async fn containers(client: &Client, filters: &Filters) -> anyhow::Result<u64> {
    let pruned = client.container_prune(filters).await?;
    deleted("Deleted Containers", pruned.containers_deleted.as_deref())?;
    Ok(pruned.space_reclaimed)
}

async fn images(client: &Client, filters: &Filters) -> anyhow::Result<u64> {
    let pruned = client.image_prune(filters).await?;
    let line = |entry: &Deleted| match entry.deleted.is_empty() {
        true => format!("untagged: {}", entry.untagged),
        false => format!("deleted: {}", entry.deleted),
    };
    let lines: Vec<String> = pruned.images_deleted.iter().flatten().map(line).collect();
    deleted("Deleted Images", Some(&lines))?;
    Ok(pruned.space_reclaimed)
}

async fn volumes(client: &Client, filters: &Filters) -> anyhow::Result<u64> {
    let pruned = client.volume_prune(filters).await?;
    deleted("Deleted Volumes", pruned.volumes_deleted.as_deref())?;
    Ok(pruned.space_reclaimed)
}

async fn networks(client: &Client, filters: &Filters) -> anyhow::Result<()> {
    let pruned = client.network_prune(filters).await?;
    deleted("Deleted Networks", pruned.networks_deleted.as_deref())
}

async fn cache(client: &Client, all: bool, filters: &Filters) -> anyhow::Result<u64> {
    let pruned = client.build_prune(all, filters).await?;
    deleted(
        "Deleted build cache objects",
        pruned.caches_deleted.as_deref(),
    )?;
    Ok(pruned.space_reclaimed)
}

/// Remove all stopped containers
#[derive(Args)]
pub(crate) struct Containers {
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Containers {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let warning = "This will remove all stopped containers.";
        let Some(filters) = self.flags.agreed(warning)? else {
            return Ok(());
        };
        total(containers(&session.client().await?, &filters).await?)
    }
}

/// Remove unused images
#[derive(Args)]
pub(crate) struct Images {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Images {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let warning = match self.all {
            true => {
                "This will remove all images without at least one container associated to them."
            }
            false => "This will remove all dangling images.",
        };
        let Some(filters) = self.flags.agreed(warning)? else {
            return Ok(());
        };
        let filters = filters.with("dangling", if self.all { "false" } else { "true" });
        total(images(&session.client().await?, &filters).await?)
    }
}

/// Remove unused local volumes
#[derive(Args)]
pub(crate) struct Volumes {
    /// Remove all unused volumes, not just anonymous ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Volumes {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let warning = match self.all {
            true => "This will remove all local volumes not used by at least one container.",
            false => "This will remove anonymous local volumes not used by at least one container.",
        };
        let Some(filters) = self.flags.agreed(warning)? else {
            return Ok(());
        };
        let filters = if self.all {
            filters.with("all", "true")
        } else {
            filters
        };
        total(volumes(&session.client().await?, &filters).await?)
    }
}

/// Remove all unused networks
#[derive(Args)]
pub(crate) struct Networks {
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Networks {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let warning = "This will remove all custom networks not used by at least one container.";
        let Some(filters) = self.flags.agreed(warning)? else {
            return Ok(());
        };
        networks(&session.client().await?, &filters).await
    }
}

/// Remove build cache
#[derive(Args)]
pub(crate) struct Cache {
    /// Remove all unused build cache, not just dangling ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Verb for Cache {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let warning = match self.all {
            true => "This will remove all build cache.",
            false => "This will remove all dangling build cache.",
        };
        let Some(filters) = self.flags.agreed(warning)? else {
            return Ok(());
        };
        total(cache(&session.client().await?, self.all, &filters).await?)
    }
}

/// Remove unused data
#[derive(Args)]
pub(crate) struct Everything {
    /// Remove all unused images not just dangling ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    flags: Flags,
    /// Prune anonymous volumes
    #[arg(long)]
    volumes: bool,
}

impl Verb for Everything {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Some(filters) = self.flags.agreed(&self.warning())? else {
            return Ok(());
        };
        let client = session.client().await?;
        let mut bytes = containers(&client, &filters).await?;
        networks(&client, &filters).await?;
        if self.volumes {
            bytes += volumes(&client, &filters).await?;
        }
        let dangling = filters
            .clone()
            .with("dangling", if self.all { "false" } else { "true" });
        bytes += images(&client, &dangling).await?;
        bytes += cache(&client, self.all, &filters).await?;
        total(bytes)
    }
}

impl Everything {
    fn warning(&self) -> String {
        let mut lines = vec![
            "This will remove:",
            "  - all stopped containers",
            "  - all networks not used by at least one container",
        ];
        if self.volumes {
            lines.push("  - all anonymous volumes not used by at least one container");
        }
        lines.extend(match self.all {
            true => [
                "  - all images without at least one container associated to them",
                "  - all build cache",
            ],
            false => ["  - all dangling images", "  - unused build cache"],
        });
        lines.join("\n")
    }
}
