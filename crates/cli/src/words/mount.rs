//! What is mounted into a container: `--mount`, `-v`, `--tmpfs`.

use std::path::Path;

use api::container::{BindOptions, Mount, TmpfsOptions, VolumeOptions};

use super::{csv, pairs, quantity};

/// Reads a `--mount` value. A relative source of a bind is below `here`.
pub(crate) fn mount(text: &str, here: &Path) -> Result<Mount, String> {
    let mut mount = Mount {
        kind: "volume".to_owned(),
        ..Mount::default()
    };
    for (key, value) in csv::pairs(text)? {
        field(&mut mount, &key, value.as_deref())?;
    }
    if mount.target.is_empty() {
        return Err("invalid argument for --mount: target is required".to_owned());
    }
    check(&mount)?;
    if mount.kind == "bind" {
        mount.source = absolute(&mount.source, here);
    }
    Ok(mount)
}

fn field(mount: &mut Mount, key: &str, value: Option<&str>) -> Result<(), String> {
    match (key, value) {
        ("readonly" | "ro", _) => mount.read_only = csv::boolean(key, value)?,
        ("rw", _) => mount.read_only = !csv::boolean(key, value)?,
        ("type", Some(kind @ ("bind" | "volume" | "tmpfs"))) => mount.kind = kind.to_owned(),
        ("type", Some(kind @ ("image" | "cluster" | "npipe"))) => {
            return Err(format!("--mount type={kind}: not available yet"));
        }
        ("type", Some(kind)) => return Err(format!("invalid mount type: {kind}")),
        ("source" | "src", Some(source)) => mount.source = source.to_owned(),
        ("target" | "dst" | "destination", Some(target)) => mount.target = target.to_owned(),
        ("consistency", Some(_)) | ("volume-driver", Some("local")) => {}
        ("volume-driver" | "volume-opt", Some(_)) => {
            return Err(format!("--mount {key}: not available yet"));
        }
        _ => match key.split_once('-') {
            Some(("bind", option)) => {
                bind(
                    mount.bind_options.get_or_insert_default(),
                    option,
                    key,
                    value,
                )?;
            }
            Some(("volume", option)) => {
                volume_option(
                    mount.volume_options.get_or_insert_default(),
                    option,
                    key,
                    value,
                )?;
            }
            Some(("tmpfs", option)) => {
                tmpfs(
                    mount.tmpfs_options.get_or_insert_default(),
                    option,
                    key,
                    value,
                )?;
            }
            _ => return Err(unexpected(key, value)),
        },
    }
    Ok(())
}

fn unexpected(key: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("unexpected key '{key}' in '{key}={value}'"),
        None => format!("invalid field '{key}' must be a key=value pair"),
    }
}

fn bind(
    options: &mut BindOptions,
    option: &str,
    key: &str,
    value: Option<&str>,
) -> Result<(), String> {
    match (option, value) {
        ("propagation", Some(value)) => options.propagation = value.to_owned(),
        ("create-src", _) => options.create_mountpoint = csv::boolean(key, value)?,
        ("nonrecursive", _) => options.non_recursive = csv::boolean(key, value)?,
        ("recursive", Some("enabled")) => {}
        ("recursive", Some("disabled")) => options.non_recursive = true,
        ("recursive", Some("writable")) => options.read_only_non_recursive = true,
        ("recursive", Some("readonly")) => options.read_only_force_recursive = true,
        _ => return Err(unexpected(key, value)),
    }
    Ok(())
}

fn volume_option(
    options: &mut VolumeOptions,
    option: &str,
    key: &str,
    value: Option<&str>,
) -> Result<(), String> {
    match (option, value) {
        ("nocopy", _) => options.no_copy = csv::boolean(key, value)?,
        ("label", Some(label)) => options.labels.extend(pairs::map(&[label.to_owned()])),
        ("subpath", Some(path)) => options.subpath = path.to_owned(),
        _ => return Err(unexpected(key, value)),
    }
    Ok(())
}

fn tmpfs(
    options: &mut TmpfsOptions,
    option: &str,
    key: &str,
    value: Option<&str>,
) -> Result<(), String> {
    match (option, value) {
        ("size", Some(size)) => options.size_bytes = quantity::bytes(size)?,
        ("mode", Some(mode)) => {
            let number = u32::from_str_radix(mode, 8);
            options.mode = Some(number.map_err(|_| format!("invalid value for {key}: {mode}"))?);
        }
        _ => return Err(unexpected(key, value)),
    }
    Ok(())
}

/// Options of another type are a mistake, not noise.
fn check(mount: &Mount) -> Result<(), String> {
    let used = [
        (mount.volume_options.is_some(), "volume"),
        (mount.bind_options.is_some(), "bind"),
        (mount.tmpfs_options.is_some(), "tmpfs"),
    ];
    let kind = mount.kind.as_str();
    match used.into_iter().find(|(used, of)| *used && *of != kind) {
        Some((_, of)) => Err(format!(
            "cannot mix '{of}-*' options with mount type '{kind}'"
        )),
        None if kind == "bind" && mount.source.is_empty() => {
            Err("invalid argument for --mount: source is required for type bind".to_owned())
        }
        None => Ok(()),
    }
}

/// What a `-v` value asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Volume {
    /// `/path`: an anonymous volume.
    Anonymous(String),
    /// `source:/path[:options]`, with a path as source made absolute.
    Bind(String),
}

/// Reads a `-v` value. A source that begins with `.`, `/` or `~` is a path of the host.
pub(crate) fn volume(text: &str, here: &Path) -> Result<Volume, String> {
    let invalid = |why: &str| format!("invalid volume specification: '{text}': {why}");
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [target] if target.starts_with('/') => Ok(Volume::Anonymous((*target).to_owned())),
        [_] => Err(invalid("the path in the container must be absolute")),
        [source, target, options @ ..] if options.len() <= 1 => {
            if source.is_empty() || !target.starts_with('/') {
                return Err(invalid("the path in the container must be absolute"));
            }
            let source = match source.starts_with(['.', '/']) {
                true => absolute(source, here),
                false => (*source).to_owned(),
            };
            let options: String = options
                .iter()
                .map(|options| format!(":{options}"))
                .collect();
            Ok(Volume::Bind(format!("{source}:{target}{options}")))
        }
        _ => Err(invalid("too many colons")),
    }
}

fn absolute(path: &str, here: &Path) -> String {
    let mut clean = std::path::PathBuf::new();
    for part in here.join(path).components() {
        match part {
            std::path::Component::ParentDir => drop(clean.pop()),
            std::path::Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts() {
        let here = Path::new("/work");
        let of = |text| mount(text, here);
        let bind = of("type=bind,src=./a/../b,dst=/c,ro").unwrap();
        assert_eq!((bind.source.as_str(), bind.read_only), ("/work/b", true));
        assert_eq!(of("target=/v").unwrap().kind, "volume");
        let tmpfs = of("type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1777").unwrap();
        let tmpfs = tmpfs.tmpfs_options.unwrap();
        assert_eq!((tmpfs.size_bytes, tmpfs.mode), (64 << 20, Some(0o1777)));
        let mistakes = [
            "type=bind,dst=/c",
            "src=/a",
            "type=bind,src=/a,dst=/b,tmpfs-size=1",
            "type=image,src=x,dst=/y",
            "type=what,dst=/y",
            "foo=bar,dst=/y",
            "dst",
            "dst=/x,readonly=maybe",
        ];
        let text: Vec<_> = mistakes.iter().map(|text| of(text).unwrap_err()).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        invalid argument for --mount: source is required for type bind
        invalid argument for --mount: target is required
        cannot mix 'tmpfs-*' options with mount type 'bind'
        --mount type=image: not available yet
        invalid mount type: what
        unexpected key 'foo' in 'foo=bar'
        invalid field 'dst' must be a key=value pair
        invalid value for 'readonly': maybe
        ");
    }

    #[test]
    fn volumes() {
        let of = |text| volume(text, Path::new("/work"));
        assert_eq!(of("/v"), Ok(Volume::Anonymous("/v".to_owned())));
        assert_eq!(
            of(".:/src:ro"),
            Ok(Volume::Bind("/work:/src:ro".to_owned()))
        );
        assert_eq!(of("name:/v"), Ok(Volume::Bind("name:/v".to_owned())));
        for bad in ["v", "a:b", ":/v", "/a:/b:c:d"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
