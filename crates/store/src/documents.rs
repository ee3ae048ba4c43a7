//! Small versioned documents of other crates (volumes, networks, addresses), by kind and key.

use rusqlite::Row;

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

fn document_of(row: &Row<'_>) -> Result<Document> {
    Ok(Document {
        key: row.get("key")?,
        version: row.get("version")?,
        body: row.get("body")?,
    })
}

impl Tx<'_> {
    /// One document.
    pub fn document(&self, kind: &str, key: &str) -> Result<Option<Document>> {
        let sql = "SELECT * FROM documents WHERE kind = ?1 AND key = ?2";
        self.first(sql, [kind, key], document_of)
    }

    /// All of a kind, sorted by key.
    pub fn documents(&self, kind: &str) -> Result<Vec<Document>> {
        let sql = "SELECT * FROM documents WHERE kind = ?1 ORDER BY key";
        self.all(sql, [kind], document_of)
    }
}

impl WriteTx<'_> {
    /// Adds or replaces a document.
    pub fn put_document(&self, kind: &str, document: &Document) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO documents (kind, key, version, body)
            VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, (kind, &document.key, document.version, &document.body))?;
        Ok(())
    }

    /// Removes a document. Returns whether there was one.
    pub fn delete_document(&self, kind: &str, key: &str) -> Result<bool> {
        let sql = "DELETE FROM documents WHERE kind = ?1 AND key = ?2";
        Ok(self.execute(sql, [kind, key])? > 0)
    }
}
