//! Images and their names.

use std::collections::BTreeMap;
use std::time::SystemTime;

use oci::{
    Descriptor, Digest, ImageConfig, ImageId, Manifest, Platform, Raw, Reference, media_type,
};
use rusqlite::Row;

use crate::facts::{parsed, parsed_or_none, size_of, to_sql};
use crate::timestamps::{from_millis, to_millis};
use crate::{Error, Layer, Lease, Result, SnapshotId, Store, Tx, WriteTx};

/// More layers than this cannot be stacked by the kernel.
const MAX_LAYERS: usize = 500;

/// What the store knows of an image. Its config and manifest are blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Digest of the config.
    pub id: ImageId,
    /// The manifest.
    pub manifest: Descriptor,
    /// What it runs on.
    pub platform: Platform,
    /// The stack of its layers; `None` for an image without layers.
    pub snapshot: Option<SnapshotId>,
    /// Sum of the sizes of its uncompressed layers, in bytes.
    pub size: u64,
    /// The image that it was built from, where that is known.
    pub parent: Option<ImageId>,
    /// When it was really built, loaded or imported; its config may say another time.
    pub built_at: SystemTime,
}

/// An image to be made of snapshots.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// The config; `rootfs.diff_ids` is filled in from the snapshot.
    pub config: ImageConfig,
    /// The stack of layers.
    pub snapshot: Option<SnapshotId>,
    /// Names to give it.
    pub tags: Vec<Reference>,
    /// The image that it was built from.
    pub parent: Option<ImageId>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The true time.
    pub built_at: SystemTime,
}

/// The documents of an image, before they are stored.
pub(crate) struct Documents {
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
    pub(crate) manifest_type: String,
    pub(crate) platform: Platform,
    pub(crate) layers: Vec<Layer>,
}

impl Store {
    /// Writes config and manifest (both deterministic), records the image and names it. Computes
    /// the digests of layers that have none yet. An image that is here already is only named and
    /// its build time updated.
    pub fn create_image(&self, image: &NewImage, lease: &Lease) -> Result<Image> {
        if let Some(snapshot) = image.snapshot {
            lease.hold_snapshot(snapshot);
        }
        let layers = match image.snapshot {
            Some(snapshot) => self.layers(snapshot)?,
            None => Vec::new(),
        };
        let mut config = image.config.clone();
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        let config = encode("an image config", &config)?;
        let descriptor = Descriptor::of(media_type::CONFIG, &config);
        let blobs = layers.iter().map(|layer| layer.blob.clone()).collect();
        let mut manifest = Manifest::new(descriptor, blobs);
        manifest.annotations.clone_from(&image.annotations);
        let documents = Documents {
            config,
            manifest: encode("a manifest", &manifest)?,
            manifest_type: media_type::MANIFEST.to_owned(),
            platform: image.config.platform.clone(),
            layers,
        };
        self.record_image(image, &documents, lease)
    }

    /// Stores the documents, then names them in one transaction. `image.config` is not used.
    pub(crate) fn record_image(
        &self,
        image: &NewImage,
        documents: &Documents,
        lease: &Lease,
    ) -> Result<Image> {
        if documents.layers.len() > MAX_LAYERS {
            return Err(Error::TooManyLayers {
                count: documents.layers.len(),
                limit: MAX_LAYERS,
            });
        }
        let config = self.put_blob(media_type::CONFIG, &documents.config, lease)?;
        let manifest = self.put_blob(&documents.manifest_type, &documents.manifest, lease)?;
        let record = Image {
            id: ImageId(config.digest),
            manifest,
            platform: documents.platform.clone(),
            snapshot: image.snapshot,
            size: documents.layers.iter().map(|layer| layer.size).sum(),
            parent: image.parent,
            built_at: image.built_at,
        };
        self.write(|tx| {
            let record = tx.put_image(&record)?;
            let layers = documents.layers.iter().map(|layer| layer.blob.digest);
            for blob in [config.digest, record.manifest.digest]
                .into_iter()
                .chain(layers)
            {
                tx.link_blob(&record.id, &blob)?;
            }
            for tag in &image.tags {
                tx.tag(tag, &record.id)?;
            }
            Ok(record)
        })
    }

    /// The config of an image.
    pub fn image_config(&self, id: &ImageId) -> Result<ImageConfig> {
        let bytes = self.read_blob(&id.0)?;
        Ok(Raw::<ImageConfig>::parse("image config", bytes)?.into_view())
    }

    /// The manifest of an image.
    pub fn image_manifest(&self, image: &Image) -> Result<Manifest> {
        let bytes = self.read_blob(&image.manifest.digest)?;
        Ok(Raw::<Manifest>::parse("manifest", bytes)?.into_view())
    }
}

pub(crate) fn encode<T: serde::Serialize>(kind: &'static str, document: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(document).map_err(|source| Error::Encode { kind, source })
}

fn image_of(row: &Row<'_>) -> Result<Image> {
    let platform: String = row.get("platform")?;
    let media_type: String = row.get("manifest_type")?;
    let snapshot: Option<i64> = row.get("snapshot")?;
    Ok(Image {
        id: parsed(row, "id", "image id")?,
        manifest: Descriptor::new(
            &media_type,
            parsed(row, "manifest", "digest")?,
            size_of(row, "manifest_size")?,
        ),
        platform: match serde_json::from_str(&platform) {
            Ok(platform) => platform,
            Err(_) => {
                return Err(Error::Corrupt {
                    what: "platform",
                    value: platform,
                });
            }
        },
        snapshot: snapshot.map(SnapshotId),
        size: size_of(row, "size")?,
        parent: parsed_or_none(row, "parent", "image id")?,
        built_at: from_millis(row.get("built_at")?),
    })
}

impl Tx<'_> {
    /// The image with this id.
    pub fn image(&self, id: &ImageId) -> Result<Option<Image>> {
        self.first(
            "SELECT * FROM images WHERE id = ?1",
            [id.to_string()],
            image_of,
        )
    }

    /// The image that `name` means: a full id or digest, a reference, or a prefix of an id, in
    /// this order. Fails with `ImageNotFound` or `AmbiguousId`.
    pub fn find_image(&self, name: &str) -> Result<Image> {
        if let Some(id) = full_id(name)
            && let Some(image) = self.by_digest(&id)?
        {
            return Ok(image);
        }
        if let Ok(reference) = name.parse::<Reference>()
            && let Some(image) = self.image_by_reference(&reference)?
        {
            return Ok(image);
        }
        self.image_by_prefix(name)
    }

    /// By the digest of its config or manifest.
    fn by_digest(&self, digest: &Digest) -> Result<Option<Image>> {
        match self.image(&ImageId(*digest))? {
            Some(image) => Ok(Some(image)),
            None => self.image_by_manifest(digest),
        }
    }

    fn image_by_prefix(&self, name: &str) -> Result<Image> {
        let prefix = name.strip_prefix("sha256:").unwrap_or(name);
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if prefix.is_empty() || !prefix.bytes().all(is_hex) {
            return Err(Error::ImageNotFound(name.to_owned()));
        }
        let sql = "SELECT * FROM images WHERE id >= ?1 AND id < ?2 LIMIT 100";
        // The character behind `f` ends the range of ids with this prefix.
        let range = [format!("sha256:{prefix}"), format!("sha256:{prefix}g")];
        let mut found = self.all(sql, range, image_of)?;
        match (found.pop(), found.len()) {
            (None, _) => Err(Error::ImageNotFound(name.to_owned())),
            (Some(image), 0) => Ok(image),
            (Some(_), more) => Err(Error::AmbiguousId {
                kind: "image",
                prefix: name.to_owned(),
                count: more + 1,
            }),
        }
    }

    /// The image that a reference names. A digest in it is the manifest's or the config's.
    pub fn image_by_reference(&self, name: &Reference) -> Result<Option<Image>> {
        if let Some(digest) = name.digest() {
            return self.by_digest(&digest);
        }
        let sql = "SELECT i.* FROM images i JOIN tags t ON t.image = i.id WHERE t.name = ?1";
        self.first(sql, [name.to_string()], image_of)
    }

    /// The image whose manifest has this digest.
    pub fn image_by_manifest(&self, digest: &Digest) -> Result<Option<Image>> {
        let sql = "SELECT * FROM images WHERE manifest = ?1 LIMIT 1";
        self.first(sql, [digest.to_string()], image_of)
    }

    /// All images, latest built first.
    pub fn images(&self) -> Result<Vec<Image>> {
        self.all(
            "SELECT * FROM images ORDER BY built_at DESC, id",
            [],
            image_of,
        )
    }

    /// The names of an image, sorted.
    pub fn tags(&self, id: &ImageId) -> Result<Vec<Reference>> {
        let sql = "SELECT name FROM tags WHERE image = ?1 ORDER BY name";
        let name = |row: &Row<'_>| parsed(row, "name", "reference");
        self.all(sql, [id.to_string()], name)
    }

    /// All names with their images, sorted by name.
    pub fn all_tags(&self) -> Result<Vec<(Reference, ImageId)>> {
        self.all("SELECT * FROM tags ORDER BY name", [], |row| {
            let name = parsed(row, "name", "reference")?;
            Ok((name, parsed(row, "image", "image id")?))
        })
    }

    /// Images without a name.
    pub fn dangling_images(&self) -> Result<Vec<Image>> {
        let sql = "SELECT * FROM images i WHERE NOT EXISTS
            (SELECT 1 FROM tags t WHERE t.image = i.id) ORDER BY built_at DESC, id";
        self.all(sql, [], image_of)
    }

    /// Images that were built from this one.
    pub fn children(&self, id: &ImageId) -> Result<Vec<ImageId>> {
        let sql = "SELECT id FROM images WHERE parent = ?1 ORDER BY id";
        self.all(sql, [id.to_string()], |row| parsed(row, "id", "image id"))
    }
}

/// A whole digest, with or without its algorithm.
fn full_id(name: &str) -> Option<Digest> {
    let whole = name.len() == 64 && !name.contains(':');
    let text = match whole {
        true => format!("sha256:{name}"),
        false => name.to_owned(),
    };
    text.parse().ok()
}

impl WriteTx<'_> {
    /// Adds an image; of one that is here only the build time changes.
    fn put_image(&self, image: &Image) -> Result<Image> {
        let platform = encode("a platform", &image.platform)?;
        let sql = "INSERT INTO images (id, manifest, manifest_type, manifest_size, platform,
                snapshot, size, parent, built_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            ON CONFLICT (id) DO UPDATE SET built_at = excluded.built_at";
        self.execute(
            sql,
            (
                image.id.to_string(),
                image.manifest.digest.to_string(),
                &image.manifest.media_type,
                to_sql(image.manifest.size),
                String::from_utf8_lossy(&platform),
                image.snapshot.map(|id| id.0),
                to_sql(image.size),
                image.parent.map(|id| id.to_string()),
                to_millis(image.built_at),
            ),
        )?;
        let found = self.image(&image.id)?;
        found.ok_or_else(|| Error::ImageNotFound(image.id.to_string()))
    }

    /// Says that an image needs a blob; those that are written anew from layers need no row.
    fn link_blob(&self, image: &ImageId, blob: &Digest) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO image_blobs (image, blob)
            SELECT ?1, digest FROM blobs WHERE digest = ?2";
        self.execute(sql, [image.to_string(), blob.to_string()])?;
        Ok(())
    }

    /// Gives an image a name. Returns the image that had it before.
    pub fn tag(&self, name: &Reference, id: &ImageId) -> Result<Option<ImageId>> {
        let before = self.image_of_tag(name)?;
        let sql = "INSERT OR REPLACE INTO tags (name, image) VALUES (?1, ?2)";
        self.execute(sql, [name.to_string(), id.to_string()])?;
        Ok(before)
    }

    /// Takes a name away; the image stays. Returns what it named.
    pub fn untag(&self, name: &Reference) -> Result<Option<ImageId>> {
        let before = self.image_of_tag(name)?;
        self.execute("DELETE FROM tags WHERE name = ?1", [name.to_string()])?;
        Ok(before)
    }

    fn image_of_tag(&self, name: &Reference) -> Result<Option<ImageId>> {
        let sql = "SELECT image FROM tags WHERE name = ?1";
        self.first(sql, [name.to_string()], |row| {
            parsed(row, "image", "image id")
        })
    }

    pub(crate) fn delete_image(&self, id: &ImageId) -> Result<()> {
        self.execute("DELETE FROM images WHERE id = ?1", [id.to_string()])?;
        Ok(())
    }
}
