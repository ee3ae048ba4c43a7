//! Removing containers. The row goes first; what belonged to it is then garbage that recovery would
//! find as well, so nothing can be lost in between.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{Containers, Pruned, RemoveOptions};
use crate::blocking::blocking;
use crate::rows::Row;
use crate::{Error, Filters};

impl Containers {
    /// Takes it away.
    pub async fn remove(&self, name: &str, options: RemoveOptions) -> Result<(), Error> {
        let row = self.find(name).await?;
        if options.force && row.document.state.run().is_some() {
            let watch = self.0.handles.of(row.id()).progress();
            self.kill_and_wait(&row, watch).await?;
        }
        let removed = self
            .change(&row, move |this, _, id| {
                let row = this.0.rows.get(id)?;
                row.document.state.removing(&row.document.name)?;
                this.remove_ended(&row, options.volumes)
            })
            .await;
        match removed {
            // `--rm` was faster.
            Err(Error::NoSuchContainer(_)) if options.force => Ok(()),
            other => other,
        }
    }

    /// Removes a container that does not run, tells everybody, and frees its space later.
    pub(crate) fn remove_ended(&self, row: &Row, volumes: bool) -> Result<(), Error> {
        let result = self.take_away(row, volumes);
        self.publish(row, "destroy", &[]);
        self.0.handles.removed(row.id());
        result
    }

    /// Removes the row; folders go in the background.
    pub(crate) fn take_away(&self, row: &Row, volumes: bool) -> Result<(), Error> {
        let lease = self.0.store.lease();
        let snapshot = match row.snapshot {
            Some(id) => self.0.store.active(id, &lease).ok(),
            None => None,
        };
        self.0.rows.delete(row.id(), |_| Ok(()))?;
        self.0.execs.container_removed(row.id());
        let folder = self.0.layout.container(row.id());
        let own = |point: &&crate::spec::MountPoint| volumes && point.anonymous;
        let points = row.document.mounts.iter().filter(own);
        let anonymous: Vec<String> = points.filter_map(|point| point.volume.clone()).collect();
        let (this, id) = (self.clone(), row.id().to_owned());
        tokio::task::spawn_blocking(move || {
            let cleared = remove_folder(&folder);
            let discarded = snapshot.map_or(Ok(()), store::Snapshot::discard);
            let removed = this.remove_volumes(&anonymous);
            if let Err(error) = cleared {
                tracing::warn!(container = %id, %error, "its folder is left for the next start");
            }
            if let Err(error) = discarded {
                tracing::warn!(container = %id, %error, "its layer is left for the collector");
            }
            if let Err(error) = removed {
                tracing::warn!(container = %id, %error, "an anonymous volume is left");
            }
        });
        Ok(())
    }

    /// Removes volumes, but those that another container was given by their names.
    fn remove_volumes(&self, names: &[String]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let rows = self.0.rows.all()?;
        let points = rows.iter().flat_map(|row| &row.document.mounts);
        let used: Vec<&String> = points.filter_map(|point| point.volume.as_ref()).collect();
        let unused = names.iter().filter(|name| !used.contains(name));
        unused
            .into_iter()
            .try_for_each(|name| self.0.volumes.remove(name))
    }

    /// Removes all that do not run. Filters: `until`, `label`, `label!`.
    pub async fn prune(&self, filters: Filters) -> Result<Pruned, Error> {
        filters.check_keys(&["until", "label", "label!"])?;
        let until = filters.until()?;
        let this = self.clone();
        let (rows, sizes) = blocking(move || {
            let usage = this.0.store.usage()?;
            Ok((this.0.rows.all()?, usage.containers))
        })
        .await?;
        let mut pruned = Pruned::default();
        for row in rows {
            let document = &row.document;
            let is_old = until.is_none_or(|until| document.created < until);
            let is_over = document.state.removing(&document.name).is_ok();
            if !is_over || !is_old || !filters.labels(&document.process.labels) {
                continue;
            }
            match self.remove(row.id(), RemoveOptions::default()).await {
                Ok(()) => {
                    let size = sizes.iter().find(|(id, _)| id == row.id());
                    pruned.reclaimed += size.map_or(0, |(_, size)| *size);
                    pruned.deleted.push(row.id().to_owned());
                }
                // Somebody else removed or started it.
                Err(Error::NoSuchContainer(_) | Error::StillRunning(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pruned)
    }
}

/// Removes a container's folder. A supervisor that is on its way out may still write its last file
/// there.
fn remove_folder(folder: &Path) -> io::Result<()> {
    const TRIES: usize = 20;
    const PAUSE: Duration = Duration::from_millis(25);
    for _ in 1..TRIES {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(PAUSE);
            }
            other => return other,
        }
    }
    std::fs::remove_dir_all(folder)
}

impl Filters {
    /// The filter `until`: a time, or how long ago.
    pub(crate) fn until(&self) -> Result<Option<Timestamp>, Error> {
        let Some(text) = self.values("until").first() else {
            return Ok(None);
        };
        crate::clock::parse(text).map(Some)
    }
}
