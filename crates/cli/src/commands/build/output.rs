//! `--output type=…,dest=…`: opened here, so that the caller's permissions hold.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, bail};
use api::corten::Output;

use super::Files;
use crate::console::Console;
use crate::words::csv;

/// Opens the destinations. An image output may name the image: the names join `tags`.
pub(super) fn open(
    flags: &[String],
    console: Console,
    files: &mut Files,
    tags: &mut Vec<String>,
) -> anyhow::Result<Vec<Output>> {
    flags
        .iter()
        .map(|flag| one(flag, console, files, tags))
        .collect()
}

fn one(
    flag: &str,
    console: Console,
    files: &mut Files,
    tags: &mut Vec<String>,
) -> anyhow::Result<Output> {
    let wish = Wish::parse(flag)?;
    let dest = wish.dest.as_deref();
    tags.extend(
        wish.names
            .iter()
            .flat_map(|names| names.split(','))
            .map(ToOwned::to_owned),
    );
    let archive = |files: &mut Files| -> anyhow::Result<usize> {
        Ok(files.add(match dest {
            None | Some("-") if console.stdout_terminal => {
                bail!(
                    "dest file is required for the {} output; refusing to write to console",
                    wish.kind
                )
            }
            None | Some("-") => io::stdout().as_fd().try_clone_to_owned()?,
            Some(path) => {
                let file = File::create(path).with_context(|| format!("cannot write {path}"))?;
                OwnedFd::from(file)
            }
        }))
    };
    Ok(match wish.kind.as_str() {
        "image" => Output::Image,
        // Without a file it means: into the engine.
        "docker" if dest.is_none() => Output::Image,
        "docker" => Output::Docker {
            fd: archive(files)?,
        },
        "oci" => Output::Oci {
            fd: archive(files)?,
        },
        "tar" => Output::Tar {
            fd: archive(files)?,
        },
        "local" => {
            let path = dest.context("dest is required for the local output")?;
            let failed = || format!("cannot write to the folder {path}");
            fs::create_dir_all(path).with_context(failed)?;
            Output::Local {
                fd: files.add(File::open(path).with_context(failed)?),
            }
        }
        kind @ ("registry" | "cacheonly") => bail!("--output type={kind}: not available yet"),
        kind => bail!("unsupported output type: {kind}"),
    })
}

struct Wish {
    kind: String,
    dest: Option<String>,
    names: Option<String>,
}

impl Wish {
    /// `PATH` alone is a folder, `-` alone a tar on standard output.
    fn parse(flag: &str) -> anyhow::Result<Self> {
        if !flag.contains('=') {
            let kind = if flag == "-" { "tar" } else { "local" };
            return Ok(Self {
                kind: kind.to_owned(),
                dest: Some(flag.to_owned()),
                names: None,
            });
        }
        let (mut kind, mut dest, mut names) = (None, None, None);
        for (key, value) in csv::pairs(flag).map_err(anyhow::Error::msg)? {
            let value =
                value.with_context(|| format!("invalid output {flag}: {key} needs a value"))?;
            match (key.as_str(), value.as_str()) {
                ("type", _) => kind = Some(value),
                ("dest", _) => dest = Some(value),
                ("name", _) => names = Some(value),
                ("push", "false")
                | ("tar", "true")
                | ("oci-mediatypes", "true")
                | ("compression", "uncompressed") => {}
                _ => bail!("--output {key}={value}: not available yet"),
            }
        }
        let kind = kind.with_context(|| format!("invalid output {flag}: type is required"))?;
        Ok(Self { kind, dest, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flag: &str) -> String {
        let console = Console {
            stdin_terminal: false,
            stdout_terminal: true,
            stderr_terminal: false,
            colour: false,
        };
        let mut tags = Vec::new();
        match open(
            &[flag.to_owned()],
            console,
            &mut Files::default(),
            &mut tags,
        ) {
            Ok(outputs) => format!("{outputs:?} {tags:?}"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn destinations() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let path = path.to_str().unwrap();
        insta::assert_snapshot!(of(path), @"[Local { fd: 0 }] []");
        insta::assert_snapshot!(of(&format!("type=oci,dest={path}/x.tar")), @"[Oci { fd: 0 }] []");
        insta::assert_snapshot!(of(r#"type=image,"name=a,b:1""#), @r#"[Image] ["a", "b:1"]"#);
        insta::assert_snapshot!(of("type=docker"), @"[Image] []");
        insta::assert_snapshot!(of("-"), @"dest file is required for the tar output; refusing to write to console");
        insta::assert_snapshot!(of("type=registry"), @"--output type=registry: not available yet");
        insta::assert_snapshot!(of("type=image,push=true"), @"--output push=true: not available yet");
        insta::assert_snapshot!(of("type=what"), @"unsupported output type: what");
        insta::assert_snapshot!(of("dest=x"), @"invalid output dest=x: type is required");
    }
}
