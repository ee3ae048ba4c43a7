//! Small versioned documents of other crates (volumes, networks, addresses), by kind and key.

use crate::{Result, Tx, WriteTx};

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its key within its kind.
    pub key: String,
    /// Version of its form.
    pub version: u32,
    /// JSON.
    pub body: String,
}

impl Tx<'_> {
    /// One document.
    pub fn document(&self, kind: &str, key: &str) -> Result<Option<Document>> {
        let _ = (kind, key);
        todo!()
    }

    /// All of a kind, sorted by key.
    pub fn documents(&self, kind: &str) -> Result<Vec<Document>> {
        let _ = kind;
        todo!()
    }
}

impl WriteTx<'_> {
    /// Adds or replaces a document.
    pub fn put_document(&self, kind: &str, document: &Document) -> Result<()> {
        let _ = (kind, document);
        todo!()
    }

    /// Removes a document. Returns whether there was one.
    pub fn delete_document(&self, kind: &str, key: &str) -> Result<bool> {
        let _ = (kind, key);
        todo!()
    }
}
