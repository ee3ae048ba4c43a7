//! The build cache: rows of `GET /system/df`, options of `POST /build/prune`.

use serde::{Deserialize, Serialize};

/// A record of the build cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CacheRecord {
    /// Identifier.
    #[serde(rename = "ID")]
    pub id: String,
    /// Records that it was made from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<String>,
    /// `regular`, `source.local`, `exec.cachemount`, …
    #[serde(rename = "Type")]
    pub kind: String,
    /// The step that made it.
    pub description: String,
    /// A build uses it.
    pub in_use: bool,
    /// An image uses it as well.
    pub shared: bool,
    /// Bytes.
    pub size: i64,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub last_used_at: Option<String>,
    /// How often it was of use.
    pub usage_count: i64,
}
