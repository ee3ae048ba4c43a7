//! What is mounted into a container, and Docker's short syntax for it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where in the container: absolute.
    pub target: PathBuf,
    /// No writing.
    pub read_only: bool,
    /// What.
    pub source: MountSource,
    /// How it was said, for `inspect`.
    pub said: Said,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountSource {
    /// A path of the host.
    Bind(Bind),
    /// A volume.
    Volume(VolumeMount),
    /// Memory.
    Tmpfs(Tmpfs),
}

/// A path of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bind {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Make a missing path as a folder (`-v`), or refuse (`--mount`).
    pub create: bool,
    /// Which later mounts are seen on which side.
    pub propagation: Propagation,
    /// Without the mounts below the source.
    pub non_recursive: bool,
}

/// Which later mounts are seen on which side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// None, and below it none.
    #[default]
    Rprivate,
    /// None.
    Private,
    /// Both ways, and below it as well.
    Rshared,
    /// Both ways.
    Shared,
    /// From the host, and below it as well.
    Rslave,
    /// From the host.
    Slave,
}

impl Propagation {
    /// The kernel's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rprivate => "rprivate",
            Self::Private => "private",
            Self::Rshared => "rshared",
            Self::Shared => "shared",
            Self::Rslave => "rslave",
            Self::Slave => "slave",
        }
    }

    /// Reads the kernel's word; empty is the default.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "" | "rprivate" => Ok(Self::Rprivate),
            "private" => Ok(Self::Private),
            "rshared" => Ok(Self::Rshared),
            "shared" => Ok(Self::Shared),
            "rslave" => Ok(Self::Rslave),
            "slave" => Ok(Self::Slave),
            _ => Err(Error::invalid(
                "bind propagation",
                text,
                "expected private, rprivate, shared, rshared, slave or rslave",
            )),
        }
    }
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeMount {
    /// Its name; none for an anonymous one.
    pub name: Option<String>,
    /// Do not copy what the image has at the target into an empty volume.
    pub no_copy: bool,
    /// A folder of the volume instead of its root.
    pub subpath: Option<PathBuf>,
}

/// Memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tmpfs {
    /// Bytes; half of the memory where nothing is said.
    pub size: Option<u64>,
    /// Permissions of its root.
    pub mode: Option<u32>,
    /// Further options of the short syntax: `noexec`, `uid=1000`, …
    pub options: Vec<String>,
}

/// How a mount was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// `-v`, with its text.
    Bind(String),
    /// `--mount`.
    #[default]
    Mount,
    /// `--tmpfs`, with the text behind the colon.
    Tmpfs(String),
}

impl Mount {
    /// Reads `-v`'s `source:target[:options]`, where an absolute source is a path of the host and
    /// any other is the name of a volume. A lone `target` is an anonymous volume.
    pub fn parse_bind(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::invalid("volume specification", text, reason);
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, options) = match parts[..] {
            [target] => (None, target, ""),
            [source, target] => (Some(source), target, ""),
            [source, target, options] => (Some(source), target, options),
            _ => return Err(wrong("expected source:target[:options]")),
        };
        check_target("volume specification", text, target)?;
        let flags = BindFlags::parse(options, &wrong)?;
        let source = match source {
            Some("") => return Err(wrong("the source must not be empty")),
            Some(path) if path.starts_with('/') => MountSource::Bind(Bind {
                source: PathBuf::from(path),
                create: true,
                propagation: flags.propagation.unwrap_or_default(),
                non_recursive: false,
            }),
            Some(_) | None if flags.propagation.is_some() => {
                return Err(wrong("only a path of the host has a propagation"));
            }
            name => {
                if let Some(name) = name {
                    check_volume_name(name)?;
                }
                MountSource::Volume(VolumeMount {
                    name: name.map(str::to_owned),
                    no_copy: flags.no_copy,
                    subpath: None,
                })
            }
        };
        Ok(Self {
            target: PathBuf::from(target),
            read_only: flags.read_only,
            source,
            said: Said::Bind(text.to_owned()),
        })
    }

    /// Reads `--tmpfs`'s target and options.
    pub fn parse_tmpfs(target: &str, options: &str) -> Result<Self, Error> {
        check_target("tmpfs", target, target)?;
        let mut tmpfs = Tmpfs::default();
        let mut read_only = false;
        for option in options.split(',').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("size", size)) => tmpfs.size = Some(parse_size(options, size)?),
                Some(("mode", mode)) => {
                    let mode = u32::from_str_radix(mode, 8);
                    let wrong = |_| Error::invalid("tmpfs option", option, "expected octal digits");
                    tmpfs.mode = Some(mode.map_err(wrong)?);
                }
                _ if option == "ro" => read_only = true,
                _ if option == "rw" => read_only = false,
                _ => tmpfs.options.push(option.to_owned()),
            }
        }
        Ok(Self {
            target: PathBuf::from(target),
            read_only,
            source: MountSource::Tmpfs(tmpfs),
            said: Said::Tmpfs(options.to_owned()),
        })
    }
}

#[derive(Default)]
struct BindFlags {
    read_only: bool,
    no_copy: bool,
    propagation: Option<Propagation>,
}

impl BindFlags {
    fn parse(options: &str, wrong: &dyn Fn(&str) -> Error) -> Result<Self, Error> {
        let mut flags = Self::default();
        for option in options.split(',').filter(|option| !option.is_empty()) {
            match option {
                "ro" => flags.read_only = true,
                "rw" => flags.read_only = false,
                "nocopy" => flags.no_copy = true,
                // Labels of SELinux, which is not there: Docker takes them for nothing as well.
                "z" | "Z" => {}
                word => match Propagation::parse(word) {
                    Ok(propagation) => flags.propagation = Some(propagation),
                    Err(_) => return Err(wrong(&format!("invalid mode: {word}"))),
                },
            }
        }
        Ok(flags)
    }
}

fn check_target(what: &'static str, text: &str, target: &str) -> Result<(), Error> {
    let path = Path::new(target);
    if !path.is_absolute() {
        return Err(Error::invalid(what, text, "mount path must be absolute"));
    }
    if path.components().count() < 2 {
        return Err(Error::invalid(what, text, "destination can't be '/'"));
    }
    Ok(())
}

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, as for containers.
pub(crate) fn check_volume_name(name: &str) -> Result<(), Error> {
    match crate::name::is_valid(name) {
        true => Ok(()),
        false => Err(Error::invalid(
            "volume name",
            name,
            "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed. If you intended to pass a host \
             directory, use absolute path",
        )),
    }
}

fn parse_size(options: &str, text: &str) -> Result<u64, Error> {
    let wrong = || Error::invalid("tmpfs size", options, "expected a number and k, m or g");
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &lower[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_short_syntax() {
        let mount = Mount::parse_bind("/a:/b:ro,rslave").unwrap();
        assert!(mount.read_only);
        let MountSource::Bind(bind) = mount.source else {
            panic!("a bind")
        };
        assert_eq!(bind.source, Path::new("/a"));
        assert_eq!(bind.propagation, Propagation::Rslave);
        let mount = Mount::parse_bind("data:/b:nocopy").unwrap();
        let MountSource::Volume(volume) = mount.source else {
            panic!("a volume")
        };
        assert_eq!(
            (volume.name.as_deref(), volume.no_copy),
            (Some("data"), true)
        );
        let mount = Mount::parse_bind("/b").unwrap();
        assert_eq!(mount.source, MountSource::Volume(VolumeMount::default()));
    }

    #[test]
    fn refuses_what_is_no_mount() {
        for text in [
            "",
            "a",
            ":/b",
            "/a:b",
            "/a:/",
            "/a:/b:what",
            "/a:/b:ro:x",
            "a/b:/c",
            "v:/c:shared",
        ] {
            assert!(Mount::parse_bind(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_a_tmpfs() {
        let mount = Mount::parse_tmpfs("/run", "size=64m,mode=1770,noexec,ro").unwrap();
        assert!(mount.read_only);
        let expected = Tmpfs {
            size: Some(64 << 20),
            mode: Some(0o1770),
            options: vec!["noexec".into()],
        };
        assert_eq!(mount.source, MountSource::Tmpfs(expected));
        assert!(Mount::parse_tmpfs("/run", "size=x").is_err());
    }
}
