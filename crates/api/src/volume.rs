//! Volumes: `/volumes/…`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::go;

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    /// RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_at: String,
    /// Always `local`.
    pub driver: String,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// On the host.
    pub mountpoint: String,
    /// Name.
    pub name: String,
    /// Options of the driver.
    pub options: Option<BTreeMap<String, String>>,
    /// Always `local`.
    pub scope: String,
    /// How much and by whom it is used, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_data: Option<UsageData>,
}

/// How much and by whom a volume is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UsageData {
    /// How many containers mount it.
    pub ref_count: i64,
    /// Bytes.
    pub size: i64,
}

/// Answer to `GET /volumes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct List {
    /// Volumes.
    #[serde(deserialize_with = "go::null_as_default")]
    pub volumes: Vec<Volume>,
    /// What the user should know.
    pub warnings: Option<Vec<String>>,
}
