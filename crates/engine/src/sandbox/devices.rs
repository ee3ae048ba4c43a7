//! Devices of the host in a container.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use oci::runtime::{LinuxDevice, LinuxDeviceCgroup, LinuxDeviceType};

use super::defaults::device_rule;
use crate::Error;
use crate::error::IoContext as _;
use crate::spec::{Device, HostOptions};

/// Folders of `/dev` that a container has on its own or must not have.
const SKIPPED: [&str; 7] = ["pts", "shm", "mqueue", "fd", ".lxc", ".lxd-mounts", ".udev"];

/// Device nodes and the rules that open them.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    pub(crate) nodes: Vec<LinuxDevice>,
    pub(crate) rules: Vec<LinuxDeviceCgroup>,
}

/// What `--privileged`, `--device` and `--device-cgroup-rule` ask for.
pub(crate) fn collect(host: &HostOptions) -> Result<Devices, Error> {
    if host.privileged {
        let mut nodes = Vec::new();
        walk(Path::new("/dev"), Path::new("/dev"), &mut nodes)?;
        let rules = vec![device_rule(true, None, (None, None), "rwm")];
        return Ok(Devices { nodes, rules });
    }
    let mut devices = Devices::default();
    for device in &host.devices {
        check_permissions(device)?;
        let first = devices.nodes.len();
        walk(
            &device.host_path,
            &device.container_path,
            &mut devices.nodes,
        )?;
        for node in &devices.nodes[first..] {
            let numbers = (Some(node.major()), Some(node.minor()));
            let rule = device_rule(true, Some(node.typ()), numbers, &device.permissions);
            devices.rules.push(rule);
        }
    }
    for rule in &host.device_cgroup_rules {
        devices.rules.push(parse_rule(rule)?);
    }
    Ok(devices)
}

fn check_permissions(device: &Device) -> Result<(), Error> {
    let valid = |c: char| "rwm".contains(c);
    match !device.permissions.is_empty() && device.permissions.chars().all(valid) {
        true => Ok(()),
        false => Err(Error::invalid(
            "device mode",
            &device.permissions,
            "expected some of r, w and m",
        )),
    }
}

/// A device, or all devices below a folder.
fn walk(host: &Path, container: &Path, nodes: &mut Vec<LinuxDevice>) -> Result<(), Error> {
    let metadata = fs::metadata(host).at("gathering device information of", host)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(host).at("reading", host)? {
            let name = entry.at("reading", host)?.file_name();
            let skip = name.to_str().is_some_and(|name| SKIPPED.contains(&name));
            let path = host.join(&name);
            // A link may lead anywhere; what it leads to inside /dev is found by itself.
            let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
            let is_console = path == Path::new("/dev/console");
            let is_useful = fs::metadata(&path)
                .is_ok_and(|found| found.is_dir() || device_type(&found).is_some());
            if !skip && !is_link && !is_console && is_useful {
                walk(&path, &container.join(&name), nodes)?;
            }
        }
        return Ok(());
    }
    let Some(kind) = device_type(&metadata) else {
        return Err(Error::invalid(
            "device",
            &host.to_string_lossy(),
            "not a device node",
        ));
    };
    nodes.push(node(kind, container.to_owned(), &metadata));
    Ok(())
}

fn device_type(metadata: &fs::Metadata) -> Option<LinuxDeviceType> {
    let kind = metadata.file_type();
    match (kind.is_char_device(), kind.is_block_device()) {
        (true, _) => Some(LinuxDeviceType::C),
        (_, true) => Some(LinuxDeviceType::B),
        _ => None,
    }
}

fn node(kind: LinuxDeviceType, path: PathBuf, metadata: &fs::Metadata) -> LinuxDevice {
    let number = metadata.rdev();
    let mut node = LinuxDevice::default();
    node.set_path(path)
        .set_typ(kind)
        .set_major(rustix::fs::major(number).into())
        .set_minor(rustix::fs::minor(number).into())
        .set_file_mode(Some(metadata.mode() & 0o7777))
        .set_uid(Some(metadata.uid()))
        .set_gid(Some(metadata.gid()));
    node
}

/// `c 1:3 rwm`, `b *:* r`, `a *:* rwm`.
fn parse_rule(text: &str) -> Result<LinuxDeviceCgroup, Error> {
    let wrong = || {
        Error::invalid(
            "device cgroup format",
            text,
            "expected for example c 1:3 rwm",
        )
    };
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    let [kind, numbers, access] = parts[..] else {
        return Err(wrong());
    };
    let kind = match kind {
        "a" => None,
        "b" => Some(LinuxDeviceType::B),
        "c" => Some(LinuxDeviceType::C),
        _ => return Err(wrong()),
    };
    let number = |text: &str| match text {
        "*" => Ok(None),
        digits => digits.parse::<i64>().map(Some).map_err(|_| wrong()),
    };
    let (major, minor) = numbers.split_once(':').ok_or_else(wrong)?;
    let valid = !access.is_empty() && access.chars().all(|c| "rwm".contains(c));
    if !valid {
        return Err(wrong());
    }
    Ok(device_rule(
        true,
        kind,
        (number(major)?, number(minor)?),
        access,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_brings_its_rule() {
        let host = HostOptions {
            devices: vec![Device {
                host_path: "/dev/null".into(),
                container_path: "/dev/nothing".into(),
                permissions: "rw".into(),
            }],
            device_cgroup_rules: vec!["b *:7 r".into()],
            ..HostOptions::default()
        };
        let devices = collect(&host).unwrap();
        assert_eq!(devices.nodes[0].path(), Path::new("/dev/nothing"));
        assert_eq!((devices.nodes[0].major(), devices.nodes[0].minor()), (1, 3));
        assert_eq!(devices.rules[0].access().as_deref(), Some("rw"));
        assert_eq!(
            (devices.rules[1].major(), devices.rules[1].minor()),
            (None, Some(7))
        );
    }

    #[test]
    fn refuses_what_is_no_device() {
        let host = |path: &str, permissions: &str| HostOptions {
            devices: vec![Device {
                host_path: path.into(),
                container_path: "/x".into(),
                permissions: permissions.into(),
            }],
            ..HostOptions::default()
        };
        assert!(collect(&host("/etc/passwd", "rwm")).is_err());
        assert!(collect(&host("/dev/there-is-no-such-device", "rwm")).is_err());
        assert!(collect(&host("/dev/null", "rx")).is_err());
        for rule in ["", "x 1:2 r", "c 1 r", "c 1:2", "c 1:2 x", "c -:2 r"] {
            assert!(parse_rule(rule).is_err(), "{rule}");
        }
    }
}
