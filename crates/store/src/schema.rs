//! The database's schema, by version. A migration is added at the end and never changed after a
//! release; `PRAGMA user_version` says how many have been run.

use std::path::Path;

use rusqlite::Connection;

use crate::{Error, Result};

/// One entry for each version.
const MIGRATIONS: &[&str] = &[VERSION_1];

const VERSION_1: &str = "
-- A content folder. `diff_id` and `size` are of its tar, once known. `blob`: where the tar came
-- from elsewhere, the bytes that are kept of it; without one the tar is written anew.
CREATE TABLE layers (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    committed   INTEGER NOT NULL DEFAULT 0,
    usage       INTEGER NOT NULL DEFAULT 0,
    diff_id     TEXT,
    size        INTEGER,
    blob        TEXT REFERENCES blobs (digest),
    blob_type   TEXT,
    blob_size   INTEGER
) STRICT;
CREATE INDEX layers_by_diff_id ON layers (diff_id) WHERE diff_id IS NOT NULL;
CREATE INDEX layers_by_blob ON layers (blob) WHERE blob IS NOT NULL;

CREATE TABLE snapshots (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    parent      INTEGER REFERENCES snapshots (id),
    layer       INTEGER NOT NULL REFERENCES layers (id)
) STRICT;
CREATE UNIQUE INDEX snapshots_by_stack ON snapshots (layer, ifnull(parent, 0));
CREATE INDEX snapshots_by_parent ON snapshots (parent) WHERE parent IS NOT NULL;

-- `ready` is 0 while the file is on its way to its name.
CREATE TABLE blobs (
    digest      TEXT PRIMARY KEY,
    size        INTEGER NOT NULL,
    ready       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_not_ready ON blobs (digest) WHERE ready = 0;

CREATE TABLE images (
    id              TEXT PRIMARY KEY,
    manifest        TEXT NOT NULL,
    manifest_type   TEXT NOT NULL,
    manifest_size   INTEGER NOT NULL,
    platform        TEXT NOT NULL,
    snapshot        INTEGER REFERENCES snapshots (id),
    size            INTEGER NOT NULL,
    parent          TEXT,
    built_at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX images_by_manifest ON images (manifest);
CREATE INDEX images_by_snapshot ON images (snapshot) WHERE snapshot IS NOT NULL;
CREATE INDEX images_by_parent ON images (parent) WHERE parent IS NOT NULL;

-- Blobs with files that an image needs: config, manifest, layers from elsewhere.
CREATE TABLE image_blobs (
    image       TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    blob        TEXT NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (image, blob)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_blobs_by_blob ON image_blobs (blob);

CREATE TABLE tags (
    name        TEXT PRIMARY KEY,
    image       TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_image ON tags (image);

CREATE TABLE containers (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    snapshot    INTEGER REFERENCES snapshots (id),
    image       TEXT,
    created     INTEGER NOT NULL,
    state       TEXT NOT NULL,
    version     INTEGER NOT NULL,
    document    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX containers_by_image ON containers (image) WHERE image IS NOT NULL;
CREATE INDEX containers_by_snapshot ON containers (snapshot) WHERE snapshot IS NOT NULL;

CREATE TABLE cache (
    key         TEXT PRIMARY KEY,
    step        TEXT NOT NULL,
    snapshot    INTEGER REFERENCES snapshots (id),
    payload     TEXT NOT NULL,
    size        INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    last_used   INTEGER NOT NULL
) STRICT;
CREATE INDEX cache_by_step ON cache (step, created);
CREATE INDEX cache_by_use ON cache (last_used);
CREATE INDEX cache_by_snapshot ON cache (snapshot) WHERE snapshot IS NOT NULL;

CREATE TABLE documents (
    kind        TEXT NOT NULL,
    key         TEXT NOT NULL,
    version     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
";

/// The version that this release writes.
fn supported() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Brings the database to this release's version.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let supported = supported();
    if found > supported {
        return Err(Error::NewerSchema {
            path: path.to_owned(),
            found,
            supported,
        });
    }
    if found == supported {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", supported)?;
    transaction.commit()?;
    Ok(())
}
