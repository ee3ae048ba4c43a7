//! Removing images: what `docker rmi` does to names and records.

use std::collections::BTreeSet;

use oci::{ImageId, Reference};

use crate::{Error, Image, Result, Tx, WriteTx};

/// What `rmi` did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Names that were taken away.
    pub untagged: Vec<Reference>,
    /// Images that are gone.
    pub deleted: Vec<ImageId>,
}

/// What `rmi` would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The image that the name means.
    pub image: Image,
    /// Names that go.
    pub untag: Vec<Reference>,
    /// Does the image go with them? Then no container may use it.
    pub delete: bool,
}

impl Tx<'_> {
    /// What `docker rmi name` would do: a name is taken away, and the image goes with its last
    /// one; an id removes the image with all its names, which needs `force` where they are in
    /// several repositories.
    pub fn plan_removal(&self, name: &str, force: bool) -> Result<Removal> {
        let image = self.find_image(name)?;
        let tags = self.tags(&image.id)?;
        let meant = name.parse::<Reference>().ok();
        if let Some(tag) = meant.filter(|meant| tags.contains(meant)) {
            return Ok(Removal {
                image,
                delete: tags.len() == 1,
                untag: vec![tag],
            });
        }
        let repositories: BTreeSet<String> = tags.iter().map(Reference::familiar_name).collect();
        if repositories.len() > 1 && !force {
            return Err(Error::SeveralTags(image.id.0.short()));
        }
        Ok(Removal {
            image,
            untag: tags,
            delete: true,
        })
    }
}

impl WriteTx<'_> {
    /// Does what [`plan_removal`](Tx::plan_removal) says. Whether containers use the image is the
    /// caller's affair (see [`containers_of`](Tx::containers_of)); space is freed by
    /// [`Store::gc`](crate::Store::gc).
    pub fn remove_image(&self, name: &str, force: bool) -> Result<Removed> {
        let removal = self.plan_removal(name, force)?;
        let mut removed = Removed::default();
        for tag in &removal.untag {
            self.untag(tag)?;
            removed.untagged.push(tag.clone());
        }
        if removal.delete {
            self.delete_image(&removal.image.id)?;
            removed.deleted.push(removal.image.id);
        }
        Ok(removed)
    }
}
