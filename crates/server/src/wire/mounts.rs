//! Mounts, both ways.

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::container::{
    BindOptions, HostConfig, Mount as WireMount, MountPoint as WirePoint, TmpfsOptions,
    VolumeOptions,
};
use engine::spec::{Bind, Mount, MountPoint, MountSource, Propagation, Said, Tmpfs, VolumeMount};

use super::signed;
use crate::http::Failure;

/// Reads `-v`, `--mount` and `--tmpfs`.
pub(crate) fn mounts(config: &HostConfig) -> Result<Vec<Mount>, Failure> {
    let binds = config.binds.iter().flatten();
    let binds = binds.map(|text| Ok(Mount::parse_bind(text)?));
    let tmpfs = config.tmpfs.iter();
    let tmpfs = tmpfs.map(|(target, options)| Ok(Mount::parse_tmpfs(target, options)?));
    let mounts = config.mounts.iter().map(mount);
    binds.chain(mounts).chain(tmpfs).collect()
}

fn mount(wire: &WireMount) -> Result<Mount, Failure> {
    let source = match wire.kind.as_str() {
        "bind" => bind(wire)?,
        "volume" => volume(wire)?,
        "tmpfs" => tmpfs(wire)?,
        "" => return Err(Failure::Invalid("mount type must not be empty".to_owned())),
        other @ ("image" | "npipe" | "cluster") => {
            return Err(Failure::unsupported(format!("--mount type={other}")));
        }
        other => return Err(Failure::Invalid(format!("mount type unknown: {other:?}"))),
    };
    if !wire.target.starts_with('/') || wire.target == "/" {
        return Err(Failure::Invalid(format!(
            "invalid mount target {:?}: it must be an absolute path and not /",
            wire.target
        )));
    }
    Ok(Mount {
        target: PathBuf::from(&wire.target),
        read_only: wire.read_only,
        source,
        said: Said::Mount,
    })
}

fn bind(wire: &WireMount) -> Result<MountSource, Failure> {
    let options = wire.bind_options.clone().unwrap_or_default();
    if wire.volume_options.is_some() || wire.tmpfs_options.is_some() {
        return Err(Failure::Invalid(
            "a mount of type bind takes no options of other types".to_owned(),
        ));
    }
    if options.read_only_force_recursive {
        return Err(Failure::unsupported("--mount bind-recursive=readonly"));
    }
    if !wire.source.starts_with('/') {
        return Err(Failure::Invalid(format!(
            "invalid mount config for type \"bind\": invalid mount path: {:?} mount path must be \
             absolute",
            wire.source
        )));
    }
    Ok(MountSource::Bind(Bind {
        source: PathBuf::from(&wire.source),
        create: options.create_mountpoint,
        propagation: Propagation::parse(&options.propagation)?,
        non_recursive: options.non_recursive,
    }))
}

fn volume(wire: &WireMount) -> Result<MountSource, Failure> {
    let options = wire.volume_options.clone().unwrap_or_default();
    if options.driver_config.is_some() {
        return Err(Failure::unsupported("--mount volume-driver"));
    }
    if !options.labels.is_empty() {
        return Err(Failure::unsupported("--mount volume-label"));
    }
    Ok(MountSource::Volume(VolumeMount {
        name: Some(wire.source.clone()).filter(|name| !name.is_empty()),
        no_copy: options.no_copy,
        subpath: Some(options.subpath)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
    }))
}

fn tmpfs(wire: &WireMount) -> Result<MountSource, Failure> {
    let options = wire.tmpfs_options.clone().unwrap_or_default();
    if !wire.source.is_empty() {
        return Err(Failure::Invalid(
            "a mount of type tmpfs has no source".to_owned(),
        ));
    }
    let size = u64::try_from(options.size_bytes);
    let size = size.map_err(|_| Failure::Invalid("tmpfs size must not be negative".to_owned()))?;
    Ok(MountSource::Tmpfs(Tmpfs {
        size: Some(size).filter(|&size| size > 0),
        mode: options.mode,
        options: options
            .options
            .iter()
            .map(|words| words.join("="))
            .collect(),
    }))
}

/// `Binds`, `Tmpfs` and `Mounts` of an inspected container.
type SaidMounts = (
    Option<Vec<String>>,
    BTreeMap<String, String>,
    Vec<WireMount>,
);

/// Shows mounts as they were asked for.
pub(crate) fn said(mounts: &[Mount]) -> SaidMounts {
    let (mut binds, mut tmpfs, mut others) = (Vec::new(), BTreeMap::new(), Vec::new());
    for mount in mounts {
        match &mount.said {
            Said::Bind(text) => binds.push(text.clone()),
            Said::Tmpfs(options) => {
                tmpfs.insert(mount.target.display().to_string(), options.clone());
            }
            Said::Mount => others.push(said_mount(mount)),
        }
    }
    ((!binds.is_empty()).then_some(binds), tmpfs, others)
}

fn said_mount(mount: &Mount) -> WireMount {
    let mut wire = WireMount {
        target: mount.target.display().to_string(),
        read_only: mount.read_only,
        ..WireMount::default()
    };
    match &mount.source {
        MountSource::Bind(bind) => {
            "bind".clone_into(&mut wire.kind);
            wire.source = bind.source.display().to_string();
            let options = BindOptions {
                propagation: match bind.propagation {
                    Propagation::Rprivate => String::new(),
                    other => other.name().to_owned(),
                },
                non_recursive: bind.non_recursive,
                create_mountpoint: bind.create,
                ..BindOptions::default()
            };
            wire.bind_options = Some(options).filter(|options| *options != BindOptions::default());
        }
        MountSource::Volume(volume) => {
            "volume".clone_into(&mut wire.kind);
            wire.source = volume.name.clone().unwrap_or_default();
            let options = VolumeOptions {
                no_copy: volume.no_copy,
                subpath: volume
                    .subpath
                    .as_ref()
                    .map(|path| path.display().to_string())
                    .unwrap_or_default(),
                ..VolumeOptions::default()
            };
            wire.volume_options =
                Some(options).filter(|options| *options != VolumeOptions::default());
        }
        MountSource::Tmpfs(tmpfs) => {
            "tmpfs".clone_into(&mut wire.kind);
            let words = |option: &String| option.splitn(2, '=').map(str::to_owned).collect();
            let options = TmpfsOptions {
                size_bytes: tmpfs.size.map_or(0, signed),
                mode: tmpfs.mode,
                options: tmpfs.options.iter().map(words).collect(),
            };
            wire.tmpfs_options =
                Some(options).filter(|options| *options != TmpfsOptions::default());
        }
    }
    wire
}

/// Shows mounts as they are. What comes by `--tmpfs` is not among them, as in Docker.
pub(crate) fn points(mounts: &[MountPoint]) -> Vec<WirePoint> {
    let shown = mounts
        .iter()
        .filter(|point| !matches!(point.mount.said, Said::Tmpfs(_)));
    shown.map(point).collect()
}

fn point(point: &MountPoint) -> WirePoint {
    let mount = &point.mount;
    let mode = match &mount.said {
        Said::Bind(text) => text.splitn(3, ':').nth(2).unwrap_or_default(),
        _ => "",
    };
    let mut wire = WirePoint {
        source: point.host_path.display().to_string(),
        destination: mount.target.display().to_string(),
        mode: mode.to_owned(),
        rw: !mount.read_only,
        ..WirePoint::default()
    };
    match &mount.source {
        MountSource::Bind(bind) => {
            "bind".clone_into(&mut wire.kind);
            bind.propagation.name().clone_into(&mut wire.propagation);
        }
        MountSource::Volume(_) => {
            "volume".clone_into(&mut wire.kind);
            wire.name = point.volume.clone().unwrap_or_default();
            "local".clone_into(&mut wire.driver);
            if wire.mode.is_empty() && matches!(mount.said, Said::Bind(_)) {
                "z".clone_into(&mut wire.mode);
            }
        }
        MountSource::Tmpfs(_) => "tmpfs".clone_into(&mut wire.kind),
    }
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_comes_back() {
        let text = r#"{"Binds":["/a:/b:ro","data:/c"],"Tmpfs":{"/run":"size=1m"},"Mounts":[
            {"Type":"bind","Source":"/x","Target":"/y","ReadOnly":true,
             "BindOptions":{"Propagation":"rslave"}},
            {"Type":"volume","Source":"v","Target":"/z","VolumeOptions":{"NoCopy":true}},
            {"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":4096,"Mode":448}}]}"#;
        let config: HostConfig = serde_json::from_str(text).unwrap();
        let (binds, tmpfs, mounts) = said(&super::mounts(&config).unwrap());
        assert_eq!(binds, config.binds);
        assert_eq!(tmpfs, config.tmpfs);
        assert_eq!(mounts, config.mounts);
    }

    #[test]
    fn wrong_mounts() {
        for text in [
            r#"{"Target":"/a"}"#,
            r#"{"Type":"image","Source":"a","Target":"/a"}"#,
            r#"{"Type":"bind","Source":"a","Target":"/a"}"#,
            r#"{"Type":"bind","Source":"/a","Target":"a"}"#,
            r#"{"Type":"tmpfs","Source":"/a","Target":"/a"}"#,
            r#"{"Type":"volume","Target":"/"}"#,
        ] {
            assert!(
                mount(&serde_json::from_str(text).unwrap()).is_err(),
                "{text}"
            );
        }
    }
}
