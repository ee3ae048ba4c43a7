//! Images as they are listed and inspected.

use api::container::GraphDriver;
use api::image::{HistoryStep, Inspect, Metadata, RootFs, Summary};
use engine::Image;

use super::inspect::STORAGE_DRIVER;
use super::{counted, rfc3339, signed};

/// One row. Images that were built here have clamped times in their config, so that they are the
/// same everywhere; people want to know when they were built.
pub(crate) fn image_summary(image: &Image) -> Summary {
    let labels = &image.config.config.labels;
    Summary {
        containers: counted(image.containers),
        created: image.built.as_second(),
        id: image.id.to_string(),
        labels: (!labels.is_empty()).then(|| labels.clone()),
        parent_id: parent(image),
        repo_digests: image.digests.iter().map(oci::Reference::familiar).collect(),
        repo_tags: image.tags.iter().map(oci::Reference::familiar).collect(),
        shared_size: -1,
        size: signed(image.size),
    }
}

/// Everything about an image.
pub(crate) fn image_inspect(image: &Image) -> Inspect {
    let config = &image.config;
    let comment = config.history.last().and_then(|step| step.comment.clone());
    let platform = &config.platform;
    let document = serde_json::to_value(&config.config);
    Inspect {
        id: image.id.to_string(),
        repo_tags: image.tags.iter().map(oci::Reference::familiar).collect(),
        repo_digests: image.digests.iter().map(oci::Reference::familiar).collect(),
        parent: parent(image),
        comment: comment.unwrap_or_default(),
        created: config.created.clone().unwrap_or_default(),
        author: config.author.clone().unwrap_or_default(),
        // It was read from JSON: it can be written.
        config: document.unwrap_or_default(),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone().unwrap_or_default(),
        os: platform.os.clone(),
        os_version: platform.os_version.clone().unwrap_or_default(),
        size: signed(image.size),
        graph_driver: GraphDriver {
            data: None,
            name: STORAGE_DRIVER.to_owned(),
        },
        root_fs: RootFs {
            kind: config.rootfs.kind.clone(),
            layers: config.rootfs.diff_ids.clone(),
        },
        metadata: Metadata {
            last_tag_time: rfc3339(Some(image.built)),
        },
        ..Inspect::default()
    }
}

/// One step of the history.
pub(crate) fn history_step(step: &engine::HistoryStep) -> HistoryStep {
    let entry = &step.entry;
    let created = entry.created.as_deref().map(str::parse::<jiff::Timestamp>);
    let tags: Vec<String> = step.tags.iter().map(oci::Reference::familiar).collect();
    HistoryStep {
        comment: entry.comment.clone().unwrap_or_default(),
        created: created
            .and_then(Result::ok)
            .map_or(0, jiff::Timestamp::as_second),
        created_by: entry.created_by.clone().unwrap_or_default(),
        id: step
            .id
            .as_ref()
            .map_or_else(|| "<missing>".to_owned(), ToString::to_string),
        size: signed(step.size),
        tags: (!tags.is_empty()).then_some(tags),
    }
}

fn parent(image: &Image) -> String {
    let parent = image.parent.as_ref();
    parent.map(ToString::to_string).unwrap_or_default()
}
