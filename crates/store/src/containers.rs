//! Containers: rows that keep their snapshot and carry the engine's own document.

use std::time::SystemTime;

use oci::ImageId;
use rusqlite::Row;

use crate::facts::parsed_or_none;
use crate::timestamps::{from_millis, to_millis};
use crate::{Error, Result, SnapshotId, Tx, WriteTx};

/// A container as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRecord {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Unique, without the slash.
    pub name: String,
    /// Its writable snapshot, kept as long as the row.
    pub snapshot: Option<SnapshotId>,
    /// Its image, kept as long as the row.
    pub image: Option<ImageId>,
    /// When it was made.
    pub created: SystemTime,
    /// Summary of its state, in the engine's words.
    pub state: String,
    /// Version of the document's form.
    pub version: u32,
    /// The engine's document, JSON.
    pub document: String,
}

fn record_of(row: &Row<'_>) -> Result<ContainerRecord> {
    let snapshot: Option<i64> = row.get("snapshot")?;
    Ok(ContainerRecord {
        id: row.get("id")?,
        name: row.get("name")?,
        snapshot: snapshot.map(SnapshotId),
        image: parsed_or_none(row, "image", "image id")?,
        created: from_millis(row.get("created")?),
        state: row.get("state")?,
        version: row.get("version")?,
        document: row.get("document")?,
    })
}

impl Tx<'_> {
    /// The container that `name` means: full id, name (with or without a slash in front), or
    /// prefix of an id, in this order. Fails with `ContainerNotFound` or `AmbiguousId`.
    pub fn find_container(&self, name: &str) -> Result<ContainerRecord> {
        if let Some(found) = self.container(name)? {
            return Ok(found);
        }
        let plain = name.strip_prefix('/').unwrap_or(name);
        if let Some(found) = self.container_by_name(plain)? {
            return Ok(found);
        }
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if name.is_empty() || !name.bytes().all(is_hex) {
            return Err(Error::ContainerNotFound(name.to_owned()));
        }
        let sql = "SELECT * FROM containers WHERE id >= ?1 AND id < ?2 LIMIT 100";
        // The character behind `f` ends the range of ids with this prefix.
        let mut found = self.all(sql, [name, &format!("{name}g")], record_of)?;
        match (found.pop(), found.len()) {
            (None, _) => Err(Error::ContainerNotFound(name.to_owned())),
            (Some(container), 0) => Ok(container),
            (Some(_), more) => Err(Error::AmbiguousId {
                kind: "container",
                prefix: name.to_owned(),
                count: more + 1,
            }),
        }
    }

    /// The container with this full id.
    pub fn container(&self, id: &str) -> Result<Option<ContainerRecord>> {
        self.first("SELECT * FROM containers WHERE id = ?1", [id], record_of)
    }

    /// The container with this name.
    pub fn container_by_name(&self, name: &str) -> Result<Option<ContainerRecord>> {
        self.first(
            "SELECT * FROM containers WHERE name = ?1",
            [name],
            record_of,
        )
    }

    /// All containers, latest first.
    pub fn containers(&self) -> Result<Vec<ContainerRecord>> {
        self.all(
            "SELECT * FROM containers ORDER BY created DESC, id",
            [],
            record_of,
        )
    }

    /// The containers of an image.
    pub fn containers_of(&self, image: &ImageId) -> Result<Vec<ContainerRecord>> {
        let sql = "SELECT * FROM containers WHERE image = ?1 ORDER BY created DESC, id";
        self.all(sql, [image.to_string()], record_of)
    }
}

impl WriteTx<'_> {
    /// Adds a container. Fails with `NameTaken`.
    pub fn create_container(&self, container: &ContainerRecord) -> Result<()> {
        self.check_name(&container.name)?;
        let sql = "INSERT INTO containers (id, name, snapshot, image, created, state, version,
            document) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.execute(
            sql,
            (
                &container.id,
                &container.name,
                container.snapshot.map(|id| id.0),
                container.image.map(|id| id.to_string()),
                to_millis(container.created),
                &container.state,
                container.version,
                &container.document,
            ),
        )?;
        Ok(())
    }

    /// Writes state, version and document of an existing container.
    pub fn update_container(&self, container: &ContainerRecord) -> Result<()> {
        let sql = "UPDATE containers SET state = ?2, version = ?3, document = ?4 WHERE id = ?1";
        let ContainerRecord {
            id,
            state,
            version,
            document,
            ..
        } = container;
        match self.execute(sql, (id, state, version, document))? {
            0 => Err(Error::ContainerNotFound(id.clone())),
            _ => Ok(()),
        }
    }

    /// Renames a container. Fails with `NameTaken`.
    pub fn rename_container(&self, id: &str, name: &str) -> Result<()> {
        self.check_name(name)?;
        match self.execute("UPDATE containers SET name = ?2 WHERE id = ?1", [id, name])? {
            0 => Err(Error::ContainerNotFound(id.to_owned())),
            _ => Ok(()),
        }
    }

    fn check_name(&self, name: &str) -> Result<()> {
        match self.container_by_name(name)? {
            Some(holder) => Err(Error::NameTaken {
                name: name.to_owned(),
                holder: holder.id,
            }),
            None => Ok(()),
        }
    }

    /// Removes the row; the snapshot becomes garbage. Returns whether there was one.
    pub fn delete_container(&self, id: &str) -> Result<bool> {
        Ok(self.execute("DELETE FROM containers WHERE id = ?1", [id])? > 0)
    }
}
