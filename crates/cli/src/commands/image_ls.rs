//! `images`: images as a table.

use api::client::ImageListOptions;
use api::image::Summary;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::Verb;
use crate::console;
use crate::format::{List, Row, Style, size, time};
use crate::settings::Session;
use crate::words::filter;

/// List images
#[derive(Args)]
pub(crate) struct Images {
    /// Show all images (default hides intermediate images)
    #[arg(short, long)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter")]
    filter: Vec<String>,
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "REPOSITORY[:TAG]", hide = true)]
    reference: Option<String>,
}

const LIST: List = List {
    headings: &[
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
        ("VirtualSize", "SIZE"),
    ],
    default: "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
    quiet: "{{.ID}}",
};

const WITH_DIGESTS: List = List {
    default: "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
    ..LIST
};

impl Verb for Images {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut filters = filter::parse(&self.filter).map_err(anyhow::Error::msg)?;
        if let Some(reference) = &self.reference {
            filters.add("reference", reference);
        }
        let format = self
            .format
            .as_deref()
            .or(session.settings.config.images_format.as_deref());
        let (all, digests) = (self.all, self.digests);
        let options = ImageListOptions {
            all,
            digests,
            shared_size: false,
            filters,
        };
        let mut images = session.client().await?.image_list(&options).await?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        let view = View {
            now: Timestamp::now(),
            zone: TimeZone::system(),
            cut: !self.no_trunc,
        };
        let rows = images
            .iter()
            .flat_map(|image| view.rows(image, self.digests))
            .collect();
        let list = if self.digests { &WITH_DIGESTS } else { &LIST };
        console::print(&list.render(
            rows,
            Style {
                format,
                quiet: self.quiet,
            },
        )?)
    }
}

/// What a row takes from outside of the image.
struct View {
    now: Timestamp,
    zone: TimeZone,
    cut: bool,
}

const NONE: &str = "<none>";

impl View {
    /// A row for each name; one for an image without any.
    fn rows(&self, image: &Summary, digests: bool) -> Vec<Row> {
        let split = |name: &str, mark: char| {
            name.rsplit_once(mark)
                .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        };
        let tags = image.repo_tags.iter().filter_map(|name| split(name, ':'));
        let digest_of = |repository: &str| {
            let mut names = image
                .repo_digests
                .iter()
                .filter_map(|name| split(name, '@'));
            names
                .find(|(name, _)| name == repository)
                .map_or(NONE.to_owned(), |(_, digest)| digest)
        };
        let mut rows: Vec<Row> = tags
            .filter(|(repository, _)| repository != NONE)
            .map(|(repository, tag)| self.row(image, &repository, &tag, &digest_of(&repository)))
            .collect();
        if rows.is_empty() {
            let named = image
                .repo_digests
                .iter()
                .filter_map(|name| split(name, '@'));
            rows = named
                .filter(|(repository, _)| repository != NONE)
                .map(|(repository, digest)| {
                    self.row(
                        image,
                        &repository,
                        NONE,
                        if digests { &digest } else { NONE },
                    )
                })
                .collect();
        }
        if rows.is_empty() {
            rows.push(self.row(image, NONE, NONE, NONE));
        }
        rows
    }

    fn row(&self, image: &Summary, repository: &str, tag: &str, digest: &str) -> Row {
        let created = Timestamp::from_second(image.created).unwrap_or_default();
        let bytes = |bytes: i64| match u64::try_from(bytes) {
            Ok(bytes) => size::short(bytes),
            Err(_) => "N/A".to_owned(),
        };
        let count = |count: i64| match count {
            ..0 => "N/A".to_owned(),
            count => count.to_string(),
        };
        let unique = if image.shared_size < 0 {
            -1
        } else {
            image.size - image.shared_size
        };
        let id = match self.cut {
            true => image
                .id
                .trim_start_matches("sha256:")
                .chars()
                .take(12)
                .collect(),
            false => image.id.clone(),
        };
        let fields = [
            ("ID", id),
            ("Repository", repository.to_owned()),
            ("Tag", tag.to_owned()),
            ("Digest", digest.to_owned()),
            ("CreatedSince", time::ago(created, self.now)),
            ("CreatedAt", time::stamp(created, &self.zone)),
            ("Size", bytes(image.size)),
            ("VirtualSize", bytes(image.size)),
            ("Containers", count(image.containers)),
            ("SharedSize", bytes(image.shared_size)),
            ("UniqueSize", bytes(unique)),
        ];
        fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(list: &List, style: Style<'_>) -> String {
        let images: Vec<Summary> = serde_json::from_value(serde_json::json!([
            {
                "Id": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "RepoTags": ["web:latest", "host:5000/team/web:1.0"],
                "RepoDigests": ["web@sha256:ffff"],
                "Created": 1_795_240_000, "Size": 12_345_678, "SharedSize": -1, "Containers": 2
            },
            {"Id": "sha256:aaaabbbbccccdddd", "Created": 1_795_160_000, "Size": 999, "SharedSize": 99, "Containers": -1}
        ]))
        .unwrap();
        let now = Timestamp::from_second(1_795_251_000).unwrap();
        let view = View {
            now,
            zone: TimeZone::UTC,
            cut: true,
        };
        let digests = list.default == WITH_DIGESTS.default;
        let rows = images
            .iter()
            .flat_map(|image| view.rows(image, digests))
            .collect();
        list.render(rows, style)
            .unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn tables() {
        insta::assert_snapshot!(show(&LIST, Style::default()), @r"
        REPOSITORY           TAG       IMAGE ID       CREATED        SIZE
        web                  latest    0123456789ab   3 hours ago    12.3MB
        host:5000/team/web   1.0       0123456789ab   3 hours ago    12.3MB
        <none>               <none>    aaaabbbbcccc   25 hours ago   999B
        ");
        insta::assert_snapshot!(show(&WITH_DIGESTS, Style::default()), @r"
        REPOSITORY           TAG       DIGEST        IMAGE ID       CREATED        SIZE
        web                  latest    sha256:ffff   0123456789ab   3 hours ago    12.3MB
        host:5000/team/web   1.0       <none>        0123456789ab   3 hours ago    12.3MB
        <none>               <none>    <none>        aaaabbbbcccc   25 hours ago   999B
        ");
        insta::assert_snapshot!(show(
            &LIST,
            Style {
                format: None,
                quiet: true
            }
        ), @r"
        0123456789ab
        0123456789ab
        aaaabbbbcccc
        ");
        let format =
            Some("{{.Repository}}:{{.Tag}} {{.UniqueSize}} {{.Containers}} {{.CreatedAt}}");
        insta::assert_snapshot!(show(
            &LIST,
            Style {
                format,
                quiet: false
            }
        ), @r"
        web:latest N/A 2 2026-11-21 05:46:40 +0000 UTC
        host:5000/team/web:1.0 N/A 2 2026-11-21 05:46:40 +0000 UTC
        <none>:<none> 900B N/A 2026-11-20 07:33:20 +0000 UTC
        ");
    }
}
