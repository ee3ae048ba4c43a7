//! `index.json`: the named manifests, so that the data root is a whole OCI image layout.

use oci::{Descriptor, Index, Reference};

use crate::error::FileResult;
use crate::facts::{parsed, size_of};
use crate::images::encode;
use crate::{Result, Store, Tx};

/// OCI's annotation for the tag of a manifest in a layout.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The full name, as other tools write and read it.
pub(crate) const IMAGE_NAME: &str = "io.containerd.image.name";

impl Store {
    /// Writes `index.json` anew. It is for others to read; here the database is asked. The
    /// collector does this too, so that naming an image does not cost a walk over all of them.
    pub fn write_index(&self) -> Result<()> {
        let index = Index::new(self.read(named_manifests)?);
        let path = self.root().join("index.json");
        let temporary = self.temporary_path();
        std::fs::write(&temporary, encode("an index", &index)?).at("write", &temporary)?;
        std::fs::rename(&temporary, &path).at("rename to", &path)
    }
}

fn named_manifests(tx: &Tx<'_>) -> Result<Vec<Descriptor>> {
    let sql = "SELECT t.name, i.manifest, i.manifest_type, i.manifest_size
        FROM tags t JOIN images i ON i.id = t.image ORDER BY t.name";
    tx.all(sql, [], |row| {
        let media_type: String = row.get("manifest_type")?;
        let digest = parsed(row, "manifest", "digest")?;
        let manifest = Descriptor::new(&media_type, digest, size_of(row, "manifest_size")?);
        Ok(named(&manifest, &parsed(row, "name", "reference")?))
    })
}

/// A manifest's descriptor with its name.
pub(crate) fn named(manifest: &Descriptor, name: &Reference) -> Descriptor {
    let mut manifest = manifest.clone();
    let tag = name.tag().unwrap_or_default();
    manifest
        .annotations
        .insert(REF_NAME.to_owned(), tag.to_owned());
    manifest
        .annotations
        .insert(IMAGE_NAME.to_owned(), name.to_string());
    manifest
}
