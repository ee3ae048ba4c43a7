//! Images → tar.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};

use oci::{Algorithm, Descriptor, Digest, Hasher, ImageId, Index, Reference};
use serde::Serialize;

use super::DockerImage;
use crate::blobs::verify;
use crate::images::encode;
use crate::index::named;
use crate::tar::{Entry, TarError, Writer};
use crate::{BlobWrite, Error, Image, Lease, Result, Store, copy};

impl Store {
    /// Writes images as one tar that is an OCI layout and a docker-archive. The bytes depend on
    /// nothing but the images and names given.
    pub fn save(&self, images: &[(ImageId, Vec<Reference>)], out: &mut dyn Write) -> Result<()> {
        let lease = self.lease();
        let mut archive = Archive::new(out)?;
        let blobs = self.blobs(&lease);
        let mut index = Vec::new();
        let mut docker = Vec::new();
        let mut repositories: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (id, names) in images {
            let image = self.held_image(id, &lease)?;
            copy(&blobs, &mut archive, &image.manifest)?;
            match names.is_empty() {
                true => index.push(image.manifest.clone()),
                false => index.extend(names.iter().map(|name| named(&image.manifest, name))),
            }
            docker.push(self.docker_image(&image, names)?);
            for name in names {
                let tags = repositories.entry(name.familiar_name()).or_default();
                let tag = name.tag().unwrap_or_default().to_owned();
                tags.insert(tag, id.0.hex());
            }
        }
        archive.document("index.json", &Index::new(index))?;
        archive.document("manifest.json", &docker)?;
        archive.document(
            "oci-layout",
            &BTreeMap::from([("imageLayoutVersion", "1.0.0")]),
        )?;
        archive.document("repositories", &repositories)?;
        archive.finish()
    }

    /// An image whose content stays as long as the lease.
    fn held_image(&self, id: &ImageId, lease: &Lease) -> Result<Image> {
        let missing = || Error::ImageNotFound(id.to_string());
        let image = self.read(|tx| tx.image(id))?.ok_or_else(missing)?;
        if let Some(snapshot) = image.snapshot {
            self.view(Some(snapshot), lease)?;
        }
        Ok(image)
    }

    fn docker_image(&self, image: &Image, names: &[Reference]) -> Result<DockerImage> {
        let manifest = self.image_manifest(image)?;
        let layers = manifest.layers.iter().map(|layer| blob_path(&layer.digest));
        Ok(DockerImage {
            config: blob_path(&manifest.config.digest),
            repo_tags: (!names.is_empty()).then(|| names.iter().map(Reference::familiar).collect()),
            layers: Some(layers.collect()),
        })
    }
}

pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// An archive that is being written.
pub(crate) struct Archive<'a> {
    tar: Writer<&'a mut dyn Write>,
    written: HashSet<Digest>,
}

impl<'a> Archive<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Result<Self> {
        let mut tar = Writer::new(out);
        for folder in ["blobs", "blobs/sha256"] {
            tar.start(&Entry::plain_dir(folder))
                .map_err(TarError::Write)?;
        }
        Ok(Self {
            tar,
            written: HashSet::new(),
        })
    }

    fn document<T: Serialize>(&mut self, name: &'static str, document: &T) -> Result<()> {
        let bytes = encode(name, document)?;
        let entry = Entry::plain_file(name, bytes.len() as u64);
        Ok(self.tar.append(&entry, &bytes).map_err(TarError::Write)?)
    }

    fn finish(self) -> Result<()> {
        let out = self.tar.finish().map_err(TarError::Write)?;
        Ok(out.flush().map_err(TarError::Write)?)
    }
}

impl BlobWrite for Archive<'_> {
    fn has(&mut self, blob: &Descriptor) -> Result<bool> {
        Ok(self.written.contains(&blob.digest))
    }

    /// A wrong blob fails after it was written: a stream cannot be taken back.
    fn put(&mut self, blob: &Descriptor, content: &mut dyn Read) -> Result<()> {
        if blob.digest.algorithm() != Algorithm::Sha256 {
            return Err(Error::UnsupportedDigest(blob.digest));
        }
        let entry = Entry::plain_file(&blob_path(&blob.digest), blob.size);
        self.tar.start(&entry).map_err(TarError::Write)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let length = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(Error::Stream {
                        verb: "read",
                        object: format!("blob {}", blob.digest),
                        source,
                    });
                }
            };
            hasher.update(&buffer[..length]);
            if hasher.length() > blob.size {
                break;
            }
            self.tar
                .write_all(&buffer[..length])
                .map_err(TarError::Write)?;
        }
        verify(blob, &hasher)?;
        self.written.insert(blob.digest);
        Ok(())
    }
}
