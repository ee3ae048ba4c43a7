//! Tar → images, from a stream that is read once.
//!
//! Every entry goes into the store as a blob while it passes; the small documents at the end (or
//! wherever they stand) then say what is an image. What they do not name is garbage.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read};
use std::time::SystemTime;

use oci::{Descriptor, Digest, ImageConfig, Index, Manifest, Platform, Raw, Reference, media_type};

use super::{ArchiveError, DockerImage, names};
use crate::blobs::MAX_DOCUMENT;
use crate::images::{Documents, encode};
use crate::tar::{Compression, Decoder, Entry, Kind, Limits, Reader, TarError, clean};
use crate::{Blobs, Error, Image, Layer, Lease, NewImage, Result, Store, copy};

/// Entries of an image archive.
const MAX_ENTRIES: u64 = 100_000;

/// One image that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The image.
    pub image: Image,
    /// The names that the archive gave it.
    pub tags: Vec<Reference>,
}

impl Store {
    /// Reads images from a tar of either kind, compressed or not, also from a pipe.
    pub fn load(
        &self,
        archive: &mut (dyn Read + Send),
        built_at: SystemTime,
        lease: &Lease,
    ) -> Result<Vec<Loaded>> {
        let mut contents = Contents::default();
        let decoder = Decoder::new(archive).map_err(TarError::Read)?;
        let limits = Limits {
            entries: MAX_ENTRIES,
            ..Limits::default()
        };
        let mut tar = Reader::new(decoder, limits);
        while let Some(entry) = tar.next()? {
            self.take_entry(&entry, &mut tar, &mut contents, lease)?;
        }
        tar.drain()?;
        let found = self.find_images(&contents, lease)?;
        found
            .into_iter()
            .map(|found| self.install(found, built_at, lease))
            .collect()
    }

    fn take_entry(
        &self,
        entry: &Entry,
        tar: &mut Reader<impl Read + Send>,
        contents: &mut Contents,
        lease: &Lease,
    ) -> Result<()> {
        let path = String::from_utf8_lossy(&clean(&entry.path)?).into_owned();
        match &entry.kind {
            Kind::File => {}
            // docker-archive of old: a layer that two images have is a link in the second.
            Kind::Symlink(target) => {
                let above = path.rsplit_once('/').map_or("", |(above, _)| above);
                let target = format!("{above}/{}", String::from_utf8_lossy(target));
                contents.links.insert(path, clean_text(&target)?);
                return Ok(());
            }
            Kind::HardLink(target) => {
                let target = String::from_utf8_lossy(target);
                contents.links.insert(path, clean_text(&target)?);
                return Ok(());
            }
            _ => return Ok(()),
        }
        if matches!(
            path.as_str(),
            "index.json" | "manifest.json" | "oci-layout" | "repositories"
        ) {
            let bytes = small(&path, tar)?;
            contents.documents.insert(path, bytes);
            return Ok(());
        }
        let named = path
            .strip_prefix("blobs/sha256/")
            .map(|hex| format!("sha256:{hex}").parse());
        let blob = match named {
            Some(Ok(digest)) => {
                let blob = Descriptor::new("", digest, entry.size);
                self.take_blob(&blob, tar, lease)?;
                blob
            }
            _ if path.ends_with(".tar") => self.put_layer_blob(tar, lease)?,
            _ => {
                let (digest, size) = self.put_stream(tar, lease)?;
                Descriptor::new("", digest, size)
            }
        };
        contents.blobs.insert(path, blob);
        Ok(())
    }

    /// A blob that is named by its digest; skipped where it is here.
    fn take_blob(&self, blob: &Descriptor, tar: &mut impl Read, lease: &Lease) -> Result<()> {
        if self.hold_blob(&blob.digest, lease)? {
            return Ok(());
        }
        match self.put_stream(tar, lease)? {
            (found, _) if found == blob.digest => Ok(()),
            (found, _) => Err(Error::DigestMismatch {
                expected: Box::new(blob.digest),
                actual: Box::new(found),
            }),
        }
    }

    fn find_images(&self, contents: &Contents, lease: &Lease) -> Result<Vec<Found>> {
        let docker: Option<Vec<DockerImage>> = contents.parse("manifest.json")?;
        let index: Option<Index> = contents.parse("index.json")?;
        let mut images = Images::default();
        match (index, docker) {
            (None, None) => return Err(ArchiveError::NoIndex.into()),
            (Some(index), docker) => {
                for manifest in &index.manifests {
                    self.find_manifests(manifest, None, lease, &mut images)?;
                }
                // Names only: these are the same images.
                for image in docker.iter().flatten() {
                    let config = contents.blob(&image.config)?.digest;
                    images.name(config, names::of_docker_image(image)?);
                }
            }
            (None, Some(docker)) => {
                for image in &docker {
                    let found = self.docker_image_of(contents, image)?;
                    images.add(found, names::of_docker_image(image)?);
                }
            }
        }
        Ok(images.0)
    }

    /// A manifest, or those of an index that are for this machine.
    fn find_manifests(
        &self,
        root: &Descriptor,
        name: Option<Reference>,
        lease: &Lease,
        images: &mut Images,
    ) -> Result<()> {
        let name = names::of_descriptor(root)?.or(name);
        let mut blobs = self.blobs(lease);
        if media_type::is_index(&root.media_type) {
            let bytes = self.document(&blobs, root)?;
            let index = Raw::<Index>::parse("index", bytes)?.into_view();
            return match for_host(&index.manifests) {
                Some(manifest) => self.find_manifests(manifest, name, lease, images),
                None => Ok(()),
            };
        }
        if !media_type::is_manifest(&root.media_type) || is_attestation(root) {
            return Ok(());
        }
        // Everything is here already: the walk finds what is missing and names it.
        match copy(&self.blobs(lease), &mut blobs, root) {
            Err(Error::BlobNotFound(digest)) => {
                return Err(ArchiveError::Missing(format!("blob {digest}")).into());
            }
            walked => walked?,
        }
        let bytes = self.document(&blobs, root)?;
        let manifest = Raw::<Manifest>::parse("manifest", bytes)?;
        if let Some(layer) = manifest
            .layers
            .iter()
            .find(|l| !media_type::is_layer(&l.media_type))
        {
            return Err(ArchiveError::LayerType {
                digest: layer.digest.to_string(),
                media_type: layer.media_type.clone(),
            }
            .into());
        }
        let found = Found {
            config: manifest.config.digest,
            layers: manifest.layers.clone(),
            manifest: manifest.bytes().to_vec(),
            manifest_type: root.media_type.clone(),
            tags: BTreeSet::new(),
        };
        images.add(found, name.into_iter().collect());
        Ok(())
    }

    fn document(&self, blobs: &Blobs<'_>, blob: &Descriptor) -> Result<Vec<u8>> {
        match self.has_blob(&blob.digest)? {
            true => crate::copy::read_document(blobs, blob),
            false => Err(ArchiveError::Missing(format!("blob {}", blob.digest)).into()),
        }
    }

    fn docker_image_of(&self, contents: &Contents, image: &DockerImage) -> Result<Found> {
        let config = contents.blob(&image.config)?;
        let config = Descriptor::new(media_type::CONFIG, config.digest, config.size);
        let layer = |path: &String| {
            let blob = contents.blob(path)?;
            let media_type = match blob.media_type.as_str() {
                "" => self.layer_type(&blob.digest)?.to_owned(),
                known => known.to_owned(),
            };
            Ok(Descriptor::new(&media_type, blob.digest, blob.size))
        };
        let layers: Vec<Descriptor> = image
            .layers
            .iter()
            .flatten()
            .map(layer)
            .collect::<Result<_>>()?;
        let manifest = Manifest::new(config.clone(), layers.clone());
        Ok(Found {
            config: config.digest,
            layers,
            manifest: encode("a manifest", &manifest)?,
            manifest_type: media_type::MANIFEST.to_owned(),
            tags: BTreeSet::new(),
        })
    }

    /// By the first bytes of the blob.
    fn layer_type(&self, digest: &Digest) -> Result<&'static str> {
        let mut start = Vec::new();
        let read = self.open_blob(digest)?.take(6).read_to_end(&mut start);
        read.map_err(TarError::Read)?;
        Ok(match Compression::of(&start) {
            Compression::Gzip => media_type::LAYER_GZIP,
            Compression::Zstd => media_type::LAYER_ZSTD,
            _ => media_type::LAYER,
        })
    }

    /// Unpacks the layers and records the image.
    fn install(&self, found: Found, built_at: SystemTime, lease: &Lease) -> Result<Loaded> {
        let config_bytes = self.read_blob(&found.config)?;
        let config = Raw::<ImageConfig>::parse("image config", config_bytes)?;
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != found.layers.len() {
            return Err(ArchiveError::LayerCount {
                image: found.config.to_string(),
                diff_ids: diff_ids.len(),
                layers: found.layers.len(),
            }
            .into());
        }
        let mut snapshot = None;
        let mut layers = Vec::new();
        for (blob, diff_id) in found.layers.iter().zip(diff_ids) {
            let top = self.apply_blob(blob, snapshot, *diff_id, lease)?;
            layers.push(Layer {
                blob: blob.clone(),
                ..self.layer(top.id())?
            });
            snapshot = Some(top.id());
        }
        let documents = Documents {
            config: config.bytes().to_vec(),
            manifest: found.manifest,
            manifest_type: found.manifest_type,
            platform: config.platform.clone(),
            layers,
        };
        let tags: Vec<Reference> = found.tags.into_iter().collect();
        let new = NewImage {
            config: ImageConfig::default(),
            snapshot,
            tags: tags.clone(),
            parent: None,
            annotations: BTreeMap::new(),
            built_at,
        };
        let image = self.record_image(&new, &documents, lease)?;
        Ok(Loaded { image, tags })
    }
}

/// What passed by.
#[derive(Default)]
struct Contents {
    documents: HashMap<String, Vec<u8>>,
    blobs: HashMap<String, Descriptor>,
    links: HashMap<String, String>,
}

impl Contents {
    fn parse<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ArchiveError> {
        let Some(bytes) = self.documents.get(name) else {
            return Ok(None);
        };
        serde_json::from_slice(bytes)
            .map(Some)
            .map_err(|source| ArchiveError::Document {
                name: name.to_owned(),
                source,
            })
    }

    fn blob(&self, path: &str) -> Result<&Descriptor> {
        let path = clean_text(path)?;
        // One link at most: nobody writes chains of them.
        let target = self.links.get(&path).unwrap_or(&path);
        let found = self.blobs.get(target);
        found.ok_or(ArchiveError::Missing(path).into())
    }
}

/// An image in the archive.
struct Found {
    config: Digest,
    layers: Vec<Descriptor>,
    manifest: Vec<u8>,
    manifest_type: String,
    tags: BTreeSet<Reference>,
}

/// Images in the archive, each once.
#[derive(Default)]
struct Images(Vec<Found>);

impl Images {
    fn add(&mut self, found: Found, tags: BTreeSet<Reference>) {
        let config = found.config;
        if !self.0.iter().any(|image| image.config == config) {
            self.0.push(found);
        }
        self.name(config, tags);
    }

    fn name(&mut self, config: Digest, tags: BTreeSet<Reference>) {
        if let Some(image) = self.0.iter_mut().find(|image| image.config == config) {
            image.tags.extend(tags);
        }
    }
}

/// The manifest for this machine; without one, the first that is for any.
fn for_host(manifests: &[Descriptor]) -> Option<&Descriptor> {
    let host = Platform::host();
    let images = || {
        manifests
            .iter()
            .filter(|manifest| !is_attestation(manifest))
    };
    let matches = |manifest: &&Descriptor| {
        manifest
            .platform
            .as_ref()
            .is_some_and(|platform| host.matches(platform))
    };
    images().find(matches).or_else(|| images().next())
}

/// BuildKit's statements about an image stand beside it as manifests for no platform.
fn is_attestation(manifest: &Descriptor) -> bool {
    manifest
        .platform
        .as_ref()
        .is_some_and(|platform| platform.os == "unknown")
}

fn clean_text(path: &str) -> Result<String> {
    Ok(String::from_utf8_lossy(&clean(path.as_bytes())?).into_owned())
}

/// One of the small documents as a whole.
fn small(name: &str, tar: &mut impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = tar.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes);
    read.map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => Error::from(TarError::Truncated(name.to_owned())),
        _ => TarError::Read(source).into(),
    })?;
    match bytes.len() as u64 > MAX_DOCUMENT {
        true => Err(ArchiveError::TooLarge {
            name: name.to_owned(),
            limit: MAX_DOCUMENT,
        }
        .into()),
        false => Ok(bytes),
    }
}
