//! Making a container: everything is checked, then one transaction names it.

use std::path::{Path, PathBuf};

use oci::Platform;
use store::Image;

use super::{Containers, CreateOptions, Created};
use crate::blocking::blocking;
use crate::error::IoContext as _;
use crate::rows::Row;
use crate::sandbox::root;
use crate::spec::{Document, Mount, MountSource, NetworkMode, Process, Said, VolumeMount};
use crate::volumes::Volumes;
use crate::{Error, Id, name};

/// How many made-up names are tried.
const ATTEMPTS: u32 = 32;

impl Containers {
    /// Makes a container. It does not run yet.
    pub async fn create(&self, options: CreateOptions) -> Result<Created, Error> {
        let this = self.clone();
        blocking(move || this.create_now(options)).await
    }

    fn create_now(&self, mut options: CreateOptions) -> Result<Created, Error> {
        let wanted = match &options.name {
            Some(text) if !text.is_empty() => Some(name::check(text)?.to_owned()),
            _ => None,
        };
        let warnings = crate::spec::check(&options, &self.0.host)?;
        let lease = self.0.store.lease();
        let image = self.find_image(&options)?;
        self.fix_references(&mut options)?;
        let config = self.0.store.image_config(&image.id)?.config;
        let process = Process::merge(&config, &options.process)?;
        let mounts = self.plan_mounts(&options, &process)?;
        let mut document = Document::new(Id::random()?, String::new(), image.id, options);
        document.process = process;
        document.mounts = mounts;
        let mut row = Row {
            document,
            snapshot: None,
        };
        let snapshot = self.0.store.prepare(image.snapshot, &lease)?;
        row.snapshot = Some(snapshot.id());
        let named = mark(&snapshot.upper()).and_then(|()| self.insert(&mut row, wanted.as_deref()));
        if let Err(error) = named {
            return Err(error.with_undo(snapshot.discard().map_err(Error::from)));
        }
        if let Err(error) = self.prepare_files(&row, &image) {
            let undone = self.take_away(&row, true);
            return Err(error.with_undo(undone));
        }
        self.publish(&row, "create", &[]);
        Ok(Created {
            id: row.document.id,
            warnings,
        })
    }

    fn find_image(&self, options: &CreateOptions) -> Result<Image, Error> {
        if options.image.is_empty() {
            return Err(Error::BadRequest("no image was named"));
        }
        let image = self.0.store.read(|tx| tx.find_image(&options.image))?;
        let wanted = options.platform.clone().unwrap_or_else(Platform::host);
        let fits = wanted.matches(&image.platform) || image.platform.architecture.is_empty();
        match fits {
            true => Ok(image),
            false => Err(Error::PlatformMismatch {
                image: options.image.clone(),
                found: image.platform.to_string(),
                wanted: wanted.to_string(),
            }),
        }
    }

    /// Other containers are named by their full ids from here on, so a rename changes nothing.
    fn fix_references(&self, options: &mut CreateOptions) -> Result<(), Error> {
        let host = &mut options.host;
        if let NetworkMode::Container(name) = &mut host.network {
            *name = self.0.rows.find(name)?.id().to_owned();
        }
        for namespace in [&mut host.ipc, &mut host.pid] {
            if let crate::spec::Namespace::Container(name) = namespace {
                *name = self.0.rows.find(name)?.id().to_owned();
            }
        }
        Ok(())
    }

    /// The user's mounts, then a volume for each folder that the image wants one for.
    fn plan_mounts(
        &self,
        options: &CreateOptions,
        process: &Process,
    ) -> Result<Vec<crate::spec::MountPoint>, Error> {
        let mut targets: Vec<PathBuf> = Vec::new();
        let mut points = Vec::new();
        for mount in &options.host.mounts {
            if targets.contains(&mount.target) {
                let target = mount.target.to_string_lossy();
                return Err(Error::invalid(
                    "mount point",
                    &target,
                    "Duplicate mount point",
                ));
            }
            check_source(mount)?;
            targets.push(mount.target.clone());
            points.push(self.0.volumes.plan(mount.clone())?);
        }
        for folder in &process.volumes {
            let target = PathBuf::from(folder);
            if target.is_absolute() && !targets.contains(&target) {
                let mount = Mount {
                    target: target.clone(),
                    read_only: false,
                    source: MountSource::Volume(VolumeMount::default()),
                    said: Said::Mount,
                };
                targets.push(target);
                points.push(self.0.volumes.plan(mount)?);
            }
        }
        Ok(points)
    }

    /// Adds the row under the wanted name, or the first made-up one that is free.
    fn insert(&self, row: &mut Row, wanted: Option<&str>) -> Result<(), Error> {
        let random = row
            .id()
            .get(..15)
            .and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let mut attempt = 0;
        loop {
            row.document.name = match wanted {
                Some(name) => name.to_owned(),
                None => {
                    let turned = random.unwrap_or_default().rotate_right(attempt);
                    name::made_up(turned, attempt)
                }
            };
            let mounts = row.document.mounts.clone();
            match self.0.rows.insert(row, |tx| Volumes::record(tx, &mounts)) {
                Err(Error::NameInUse { .. }) if wanted.is_none() && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    fn prepare_files(&self, row: &Row, image: &Image) -> Result<(), Error> {
        let folder = self.0.layout.container(row.id());
        std::fs::create_dir_all(&folder).at("making", folder)?;
        self.0.volumes.prepare(&row.document.mounts, || {
            root::of_snapshot(&self.0.store, image.snapshot)
        })
    }
}

/// Programs look for this file to tell that they are in a container.
fn mark(upper: &Path) -> Result<(), Error> {
    let path = upper.join(".dockerenv");
    std::fs::write(&path, b"").at("writing", path)
}

/// `-v` makes a missing source at the start; `--mount` refuses it now.
fn check_source(mount: &Mount) -> Result<(), Error> {
    match &mount.source {
        MountSource::Bind(bind) if !bind.source.is_absolute() => Err(Error::invalid(
            "mount path",
            &bind.source.to_string_lossy(),
            "mount path must be absolute",
        )),
        MountSource::Bind(bind) if !bind.create && !bind.source.exists() => Err(Error::invalid(
            "mount config for type \"bind\"",
            &bind.source.to_string_lossy(),
            "bind source path does not exist",
        )),
        _ => Ok(()),
    }
}
