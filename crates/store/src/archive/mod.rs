//! Images as one tar: an OCI layout that readers of the older docker-archive understand too.
//!
//! ```text
//! blobs/sha256/<hex>     everything, layers before what lists them
//! index.json             OCI: the manifests with their names
//! manifest.json          docker-archive: config, layers and names of each image, as paths
//! oci-layout
//! repositories           docker-archive, older still: repository → tag → image
//! ```

mod import;
mod load;
mod names;
pub(crate) mod save;

use serde::{Deserialize, Serialize};

pub use import::ImportOptions;
pub use load::Loaded;

/// An image archive does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Neither `index.json` nor `manifest.json`.
    #[error("it holds neither index.json nor manifest.json, so it is no image archive")]
    NoIndex,
    /// An entry that another one names is not there.
    #[error("it does not hold {0}")]
    Missing(String),
    /// One of the small documents is too large.
    #[error("{name} is larger than {limit} bytes")]
    TooLarge {
        /// Which entry.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// One of the small documents does not parse.
    #[error("{name} is not valid")]
    Document {
        /// Which entry.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The config and the manifest disagree.
    #[error("image {image} lists {diff_ids} layers in its config and {layers} in its manifest")]
    LayerCount {
        /// Digest of the config.
        image: String,
        /// Layers in the config.
        diff_ids: usize,
        /// Layers in the manifest.
        layers: usize,
    },
    /// A layer of a kind that cannot be unpacked.
    #[error("layer {digest} has the unsupported media type `{media_type}`")]
    LayerType {
        /// Which layer.
        digest: String,
        /// Its type.
        media_type: String,
    },
    /// A name in the archive is no image name.
    #[error("`{name}` is not an image name")]
    Name {
        /// The name.
        name: String,
        /// Why.
        source: oci::ReferenceError,
    },
}

/// An entry of docker-archive's `manifest.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    /// Path of the config.
    config: String,
    /// Names, short form.
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    /// Paths of the layers, bottom first.
    #[serde(default)]
    layers: Option<Vec<String>>,
}
