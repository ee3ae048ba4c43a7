//! Events: `GET /events`, one JSON document after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::go;

/// Something that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The action, for containers and images; gone in 1.52.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Of the object; gone in 1.52.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Image of the container; gone in 1.52.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// `container`, `image`, …
    #[serde(rename = "Type")]
    pub kind: String,
    /// `create`, `start`, `die`, …
    #[serde(rename = "Action")]
    pub action: String,
    /// To which object.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// `local`.
    pub scope: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Nanoseconds since 1970.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// An object that something happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// Identifier or name.
    #[serde(rename = "ID")]
    pub id: String,
    /// Names, labels and facts.
    #[serde(rename = "Attributes", deserialize_with = "go::null_as_default")]
    pub attributes: BTreeMap<String, String>,
}
