//! The wire: types of the Docker Engine API, stream framing, and a client.
//!
//! One module for each noun, each with the bodies that go over the wire in Docker's exact key
//! names and in a fixed order. A field that Docker leaves out when it is empty is left out here; a
//! list that Docker prints as `null` is an `Option` here. Shapes are those of [`ApiVersion::MAX`];
//! what older versions want otherwise is the server's business.
//!
//! [`corten`] holds the endpoints that Docker does not have. Nothing here opens a file, knows a
//! default path or reads an environment variable.

pub mod build;
pub mod client;
pub mod container;
pub mod corten;
pub mod event;
pub mod exec;
mod filters;
mod go;
pub mod image;
pub mod jsonmessage;
pub mod network;
mod query;
pub mod stdcopy;
pub mod system;
mod version;
pub mod volume;

pub use client::{ApiError, Client, ClientError, Endpoint};
pub use filters::{Filters, FiltersError};
pub use oci::{Empty, HealthCheck};
pub use query::{Query, QueryError};
pub use version::{ApiVersion, ApiVersionError};

use serde::{Deserialize, Serialize};

/// The body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One sentence for people.
    pub message: String,
}

/// The body of an answer that names what was made: `POST /containers/{id}/exec`, `POST /commit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdResponse {
    /// Identifier.
    pub id: String,
}

/// What a prune of containers took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainersPruned {
    /// Identifiers.
    pub containers_deleted: Option<Vec<String>>,
    /// Bytes that are free again.
    pub space_reclaimed: u64,
}

/// What a prune of volumes took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumesPruned {
    /// Names.
    pub volumes_deleted: Option<Vec<String>>,
    /// Bytes that are free again.
    pub space_reclaimed: u64,
}

/// What a prune of networks took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworksPruned {
    /// Names.
    pub networks_deleted: Option<Vec<String>>,
}

/// What a prune of images took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImagesPruned {
    /// What happened, in order.
    pub images_deleted: Option<Vec<image::Deleted>>,
    /// Bytes that are free again.
    pub space_reclaimed: u64,
}

/// What a prune of the build cache took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CachePruned {
    /// Identifiers of records.
    pub caches_deleted: Option<Vec<String>>,
    /// Bytes that are free again.
    pub space_reclaimed: u64,
}
