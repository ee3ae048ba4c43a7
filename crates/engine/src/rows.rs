//! Containers as rows of the store: documents in, documents out. Synchronous.

use std::time::SystemTime;

use store::{ContainerRecord, SnapshotId, Store, WriteTx};

use crate::spec::Document;
use crate::state::ContainerState;
use crate::{Error, Id};

/// The rows of all containers.
#[derive(Clone)]
pub(crate) struct Rows(Store);

/// One container: its document and its writable snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) document: Document,
    pub(crate) snapshot: Option<SnapshotId>,
}

impl Row {
    pub(crate) fn id(&self) -> &str {
        self.document.id.as_str()
    }

    fn record(&self) -> Result<ContainerRecord, Error> {
        let document = &self.document;
        Ok(ContainerRecord {
            id: document.id.to_string(),
            name: document.name.clone(),
            snapshot: self.snapshot,
            image: Some(document.image),
            created: SystemTime::from(document.created),
            state: document.state.name().to_owned(),
            version: document.version,
            document: document.print()?,
        })
    }

    fn read(record: &ContainerRecord) -> Result<Self, Error> {
        let mut document = Document::parse(&record.id, record.version, &record.document)?;
        // The column is the truth: a rename changes it alone.
        document.name.clone_from(&record.name);
        Ok(Self {
            document,
            snapshot: record.snapshot,
        })
    }
}

impl Rows {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// By full id, name (with or without Docker's slash) or prefix of an id.
    pub(crate) fn find(&self, name: &str) -> Result<Row, Error> {
        let bare = name.strip_prefix('/').unwrap_or(name);
        if bare.is_empty() {
            return Err(Error::NoSuchContainer(name.to_owned()));
        }
        Row::read(&self.0.read(|tx| tx.find_container(bare))?)
    }

    /// By full id; gone is an error too.
    pub(crate) fn get(&self, id: &str) -> Result<Row, Error> {
        let record = self.0.read(|tx| tx.container(id))?;
        match record {
            Some(record) => Row::read(&record),
            None => Err(Error::NoSuchContainer(id.to_owned())),
        }
    }

    /// All, latest first.
    pub(crate) fn all(&self) -> Result<Vec<Row>, Error> {
        let records = self.0.read(|tx| tx.containers())?;
        records.iter().map(Row::read).collect()
    }

    /// Adds a row, and in the same transaction what `also` adds.
    pub(crate) fn insert(
        &self,
        row: &Row,
        also: impl FnOnce(&WriteTx<'_>) -> store::Result<()>,
    ) -> Result<(), Error> {
        let record = row.record()?;
        self.0.write(|tx| {
            tx.create_container(&record)?;
            also(tx)
        })?;
        Ok(())
    }

    /// Writes a row's document.
    pub(crate) fn update(&self, row: &Row) -> Result<(), Error> {
        let record = row.record()?;
        Ok(self.0.write(|tx| tx.update_container(&record))?)
    }

    /// Writes a row with another state.
    pub(crate) fn set_state(&self, row: &mut Row, state: ContainerState) -> Result<(), Error> {
        row.document.state = state;
        self.update(row)
    }

    /// Gives a container another name.
    pub(crate) fn rename(&self, id: &Id, name: &str) -> Result<(), Error> {
        Ok(self.0.write(|tx| tx.rename_container(id.as_str(), name))?)
    }

    /// Removes a row, and in the same transaction what `also` removes.
    pub(crate) fn delete(
        &self,
        id: &str,
        also: impl FnOnce(&WriteTx<'_>) -> store::Result<()>,
    ) -> Result<(), Error> {
        self.0.write(|tx| {
            tx.delete_container(id)?;
            also(tx)
        })?;
        Ok(())
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows")
    }
}
