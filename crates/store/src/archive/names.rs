//! Which names the documents of an archive give to its manifests.

use std::collections::BTreeSet;

use oci::{Descriptor, Reference};

use super::{ArchiveError, DockerImage};
use crate::index::{IMAGE_NAME, REF_NAME};

/// The name in a descriptor's annotations. `ref.name` is often a mere tag, which names nothing.
pub(super) fn of_descriptor(manifest: &Descriptor) -> Result<Option<Reference>, ArchiveError> {
    if let Some(name) = manifest.annotations.get(IMAGE_NAME) {
        return parse(name).map(Some);
    }
    match manifest.annotations.get(REF_NAME) {
        Some(name) if name.contains([':', '/']) => parse(name).map(Some),
        _ => Ok(None),
    }
}

/// The names in docker-archive's list.
pub(super) fn of_docker_image(image: &DockerImage) -> Result<BTreeSet<Reference>, ArchiveError> {
    image
        .repo_tags
        .iter()
        .flatten()
        .map(|name| parse(name))
        .collect()
}

fn parse(name: &str) -> Result<Reference, ArchiveError> {
    name.parse().map_err(|source| ArchiveError::Name {
        name: name.to_owned(),
        source,
    })
}
