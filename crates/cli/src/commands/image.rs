//! Short commands on images: tag, rmi, history, image prune.

use api::image::HistoryStep;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::Verb;
use crate::console;
use crate::failure;
use crate::format::{List, Row, Style, size, time};
use crate::settings::Session;
use crate::words::name;

/// Create a tag `TARGET_IMAGE` that refers to `SOURCE_IMAGE`
#[derive(Args)]
pub(crate) struct Tag {
    #[arg(value_name = "SOURCE_IMAGE[:TAG]", hide = true)]
    source: String,
    #[arg(value_name = "TARGET_IMAGE[:TAG]", hide = true)]
    target: String,
}

impl Verb for Tag {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        if self.target.contains('@') {
            anyhow::bail!("refusing to create a tag with a digest reference");
        }
        let (repository, tag) = name::with_tag(&self.target);
        let client = session.client().await?;
        Ok(client
            .image_tag(&self.source, &repository, Some(&tag))
            .await?)
    }
}

/// Remove one or more images
#[derive(Args)]
pub(crate) struct Remove {
    /// Force removal of the image
    #[arg(short, long)]
    force: bool,
    /// Do not delete untagged parents
    #[arg(long)]
    no_prune: bool,
    #[arg(value_name = "IMAGE", required = true, hide = true)]
    images: Vec<String>,
}

impl Verb for Remove {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let mut failures = Vec::new();
        for image in &self.images {
            match client.image_remove(image, self.force, self.no_prune).await {
                Ok(deleted) => {
                    for entry in deleted {
                        match entry.deleted.is_empty() {
                            true => console::line(format!("Untagged: {}", entry.untagged))?,
                            false => console::line(format!("Deleted: {}", entry.deleted))?,
                        }
                    }
                }
                // What is to be removed by force may be gone already; Docker still says so.
                Err(error) if self.force && error.is_not_found() => {
                    console::note(failure::describe(&error.into()));
                }
                Err(error) => failures.push(error.into()),
            }
        }
        failure::each(&failures)
    }
}

/// Show the history of an image
#[derive(Args)]
pub(crate) struct History {
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Print sizes and dates in human readable format (--human=false turns it off)
    #[arg(short = 'H', long, value_name = "bool", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::words::csv::go_bool)]
    human: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "IMAGE", hide = true)]
    image: String,
}

const HISTORY: List = List {
    headings: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
    default: "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
    quiet: "{{.ID}}",
};

impl Verb for History {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let steps = session.client().await?.image_history(&self.image).await?;
        let (now, zone) = (Timestamp::now(), TimeZone::system());
        let rows = steps
            .iter()
            .map(|step| self.row(step, now, &zone))
            .collect();
        let style = Style {
            format: self.format.as_deref(),
            quiet: self.quiet,
        };
        console::print(&HISTORY.render(rows, style)?)
    }
}

impl History {
    fn row(&self, step: &HistoryStep, now: Timestamp, zone: &TimeZone) -> Row {
        let created = Timestamp::from_second(step.created).unwrap_or_default();
        let by = step.created_by.replace('\t', " ");
        let fields = [
            (
                "ID",
                match self.no_trunc {
                    true => step.id.clone(),
                    false => step
                        .id
                        .trim_start_matches("sha256:")
                        .chars()
                        .take(12)
                        .collect(),
                },
            ),
            (
                "CreatedSince",
                match self.human {
                    true => time::ago(created, now),
                    false => time::rfc3339(created, zone),
                },
            ),
            ("CreatedAt", time::rfc3339(created, zone)),
            (
                "CreatedBy",
                match !self.no_trunc && by.chars().count() > 45 {
                    true => by.chars().take(44).chain(['…']).collect(),
                    false => by,
                },
            ),
            (
                "Size",
                match (self.human, u64::try_from(step.size)) {
                    (true, Ok(bytes)) => size::short(bytes),
                    _ => step.size.to_string(),
                },
            ),
            ("Comment", step.comment.clone()),
        ];
        fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect()
    }
}
