//! Who takes how much space.

use std::collections::{HashMap, HashSet};

use oci::ImageId;

use crate::commit::usage_of;
use crate::facts::size_of;
use crate::{LayerId, Result, SnapshotId, Store, Tx};

/// Space that an image takes, in bytes on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUsage {
    /// Which image.
    pub id: ImageId,
    /// All its layers.
    pub size: u64,
    /// Those of its layers that other images have too.
    pub shared: u64,
}

impl ImageUsage {
    /// What removing the image alone would free.
    pub fn unique(&self) -> u64 {
        self.size - self.shared
    }
}

/// Space that the store takes, in bytes on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Layers of images, each counted once.
    pub layers: u64,
    /// For each image.
    pub images: Vec<ImageUsage>,
    /// Writable layers by container id.
    pub containers: Vec<(String, u64)>,
    /// Layers that only build cache records keep.
    pub build_cache: u64,
}

impl Store {
    /// Counts. Walks the writable layers of containers, nothing else.
    pub fn usage(&self) -> Result<Usage> {
        let (mut usage, containers) = self.read(|tx| {
            let sizes = tx.layer_sizes()?;
            let mut images = Vec::new();
            for image in tx.images()? {
                let layers = tx.layers_below(image.snapshot)?;
                images.push((image.id, layers));
            }
            let mut containers = Vec::new();
            let mut of_containers = HashSet::new();
            for container in tx.containers()? {
                of_containers.extend(tx.layers_below(container.snapshot)?);
                if let Some(row) = container
                    .snapshot
                    .map(|id| tx.snapshot(id))
                    .transpose()?
                    .flatten()
                {
                    containers.push((container.id, row.layer));
                }
            }
            Ok((count(&sizes, &images, &of_containers), containers))
        })?;
        for (id, layer) in containers {
            let size = usage_of(&self.fs_path(layer))?;
            usage.containers.push((id, size));
        }
        Ok(usage)
    }

    /// Bytes on disk of the writable layer of an active snapshot.
    pub fn snapshot_usage(&self, id: SnapshotId) -> Result<u64> {
        let row = self.read(|tx| tx.snapshot(id))?;
        let row = row.ok_or(crate::Error::SnapshotNotFound(id))?;
        usage_of(&self.fs_path(row.layer))
    }
}

fn count(
    sizes: &HashMap<LayerId, u64>,
    images: &[(ImageId, Vec<LayerId>)],
    of_containers: &HashSet<LayerId>,
) -> Usage {
    let size = |layer: &LayerId| sizes.get(layer).copied().unwrap_or(0);
    let mut users: HashMap<LayerId, u32> = HashMap::new();
    for layer in images
        .iter()
        .flat_map(|(_, layers)| layers.iter().collect::<HashSet<_>>())
    {
        *users.entry(*layer).or_default() += 1;
    }
    let usage_of = |(id, layers): &(ImageId, Vec<LayerId>)| {
        let layers: HashSet<&LayerId> = layers.iter().collect();
        let shared = layers
            .iter()
            .filter(|layer| users.get(layer).is_some_and(|users| *users > 1));
        ImageUsage {
            id: *id,
            size: layers.iter().map(|layer| size(layer)).sum(),
            shared: shared.map(|layer| size(layer)).sum(),
        }
    };
    let cached = sizes
        .iter()
        .filter(|(layer, _)| !users.contains_key(layer) && !of_containers.contains(layer));
    Usage {
        layers: users.keys().map(size).sum(),
        images: images.iter().map(usage_of).collect(),
        containers: Vec::new(),
        build_cache: cached.map(|(_, size)| size).sum(),
    }
}

impl Tx<'_> {
    /// Bytes on disk of all committed layers that some snapshot has.
    fn layer_sizes(&self) -> Result<HashMap<LayerId, u64>> {
        let sql = "SELECT DISTINCT l.id, l.usage FROM layers l JOIN snapshots s ON s.layer = l.id
            WHERE l.committed = 1";
        let sizes = self.all(sql, [], |row| {
            Ok((LayerId(row.get("id")?), size_of(row, "usage")?))
        })?;
        Ok(sizes.into_iter().collect())
    }

    fn layers_below(&self, snapshot: Option<SnapshotId>) -> Result<Vec<LayerId>> {
        match snapshot {
            Some(snapshot) => self.stack_layers(snapshot),
            None => Ok(Vec::new()),
        }
    }
}
