//! Images: `/images/…`.

use std::collections::BTreeMap;

use oci::{Descriptor, DiffId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::container::GraphDriver;
use crate::go;

/// A row of `GET /images/json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Summary {
    /// How many containers are made of it; -1 where nobody counted.
    pub containers: i64,
    /// Seconds since 1970.
    pub created: i64,
    /// Identifier.
    pub id: String,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The image that this one was built from.
    pub parent_id: String,
    /// Names by digest.
    #[serde(deserialize_with = "go::null_as_default")]
    pub repo_digests: Vec<String>,
    /// Names.
    #[serde(deserialize_with = "go::null_as_default")]
    pub repo_tags: Vec<String>,
    /// Bytes that other images have as well; -1 where nobody counted.
    pub shared_size: i64,
    /// Bytes.
    pub size: i64,
}

/// Answer to `GET /images/{name}/json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Inspect {
    /// Identifier.
    pub id: String,
    /// Names.
    #[serde(deserialize_with = "go::null_as_default")]
    pub repo_tags: Vec<String>,
    /// Names by digest.
    #[serde(deserialize_with = "go::null_as_default")]
    pub repo_digests: Vec<String>,
    /// The image that this one was built from.
    pub parent: String,
    /// Of the last step.
    pub comment: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created: String,
    /// Always empty.
    pub docker_version: String,
    /// Who made it.
    pub author: String,
    /// What containers take from it: the config document as it is, in the keys that the version
    /// of the API wants.
    pub config: Value,
    /// Processor.
    pub architecture: String,
    /// Variant of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Operating system.
    pub os: String,
    /// Windows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_version: String,
    /// Bytes.
    pub size: i64,
    /// Storage.
    pub graph_driver: GraphDriver,
    /// Layers.
    #[serde(rename = "RootFS")]
    pub root_fs: RootFs,
    /// What the engine knows beside the image.
    pub metadata: Metadata,
    /// The image's manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<Descriptor>,
}

/// Layers of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Bottom first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<DiffId>,
}

/// What the engine knows beside the image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Metadata {
    /// RFC 3339.
    pub last_tag_time: String,
}

/// A row of `GET /images/{name}/history`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HistoryStep {
    /// Of the step.
    pub comment: String,
    /// Seconds since 1970.
    pub created: i64,
    /// The instruction.
    pub created_by: String,
    /// The image that ends with this step, or `<missing>`.
    pub id: String,
    /// Bytes of its layer.
    pub size: i64,
    /// Names of the image that ends with this step.
    pub tags: Option<Vec<String>>,
}

/// An entry of the answer to `DELETE /images/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Deleted {
    /// A name that was taken away.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub untagged: String,
    /// An image that was taken away.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub deleted: String,
}
