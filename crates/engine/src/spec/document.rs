//! The document of a container as the store keeps it.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use oci::ImageId;
use serde::{Deserialize, Serialize};

use super::{CreateOptions, Process};
use crate::state::ContainerState;
use crate::{Error, Id};

/// The version that this engine writes, and the newest that it reads.
const VERSION: u32 = 1;

/// Everything that is known of a container. What is live (process handles, sockets) is not here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Version of this document's shape.
    pub version: u32,
    /// Identifier.
    pub id: Id,
    /// Name, without a slash.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The image.
    pub image: ImageId,
    /// What the caller asked for.
    pub options: CreateOptions,
    /// What runs.
    pub process: Process,
    /// Mounts with their places on the host.
    pub mounts: Vec<MountPoint>,
    /// Place in the default bridge, while it has one.
    pub endpoint: Option<Endpoint>,
    /// It was started at least once, so its files may be other than those of its image. A `cp`
    /// into it counts as well.
    #[serde(default)]
    pub ran: bool,
    /// Where it stands.
    pub state: ContainerState,
}

/// A mount whose source is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPoint {
    /// As it was asked for; a `VOLUME` of the image counts as asked for.
    pub mount: super::Mount,
    /// On the host; empty for memory.
    pub host_path: PathBuf,
    /// Name of the volume.
    pub volume: Option<String>,
    /// The volume has no name of its own and goes with the container.
    pub anonymous: bool,
}

/// A place in a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Identifier.
    pub id: Id,
    /// Address.
    pub address: Ipv4Addr,
    /// Length of the network's prefix.
    pub prefix: u8,
    /// Gateway.
    pub gateway: Ipv4Addr,
    /// Hardware address.
    pub mac: String,
    /// Name of the host's end of the cable.
    pub host_device: String,
}

impl Document {
    pub(crate) fn new(id: Id, name: String, image: ImageId, options: CreateOptions) -> Self {
        Self {
            version: VERSION,
            id,
            name,
            created: Timestamp::now(),
            image,
            options,
            process: Process::default(),
            mounts: Vec::new(),
            endpoint: None,
            ran: false,
            state: ContainerState::Created,
        }
    }

    pub(crate) fn parse(id: &str, version: u32, text: &str) -> Result<Self, Error> {
        if version > VERSION {
            return Err(Error::NewerDocument {
                id: id.to_owned(),
                version,
            });
        }
        serde_json::from_str(text).map_err(|source| Error::Document {
            what: "container document",
            source,
        })
    }

    pub(crate) fn print(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|source| Error::Document {
            what: "container document",
            source,
        })
    }
}
