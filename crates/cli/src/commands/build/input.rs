//! What a build reads: the context and the Dockerfile.

use std::fs;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use api::corten::{Context, Dockerfile};
use rustix::fs::{Mode, OFlags};

use super::Files;

/// The longest Dockerfile that is read from outside of a context.
const LONGEST: u64 = 16 << 20;

/// Opens the context and finds the Dockerfile. A relative `file` is below the working directory.
pub(super) fn read(
    context: &str,
    file: Option<&str>,
    files: &mut Files,
) -> anyhow::Result<(Context, Dockerfile)> {
    if is_remote(context) {
        bail!("context {context}: remote contexts are not available yet; use a folder or -");
    }
    if context == "-" {
        if file == Some("-") {
            bail!("invalid argument: can't use stdin for both build context and dockerfile");
        }
        let fd = files.add(io::stdin().as_fd().try_clone_to_owned()?);
        return Ok((
            Context::Tar { fd },
            Dockerfile::Context {
                path: file.map(ToOwned::to_owned),
            },
        ));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(context, flags, Mode::empty())
        .map_err(io::Error::from)
        .with_context(|| format!("unable to prepare context: path \"{context}\""))?;
    let fd = files.add(folder);
    Ok((
        Context::Folder { fd },
        dockerfile(Path::new(context), file)?,
    ))
}

fn is_remote(context: &str) -> bool {
    const REMOTE: [&str; 6] = [
        "http://",
        "https://",
        "git://",
        "ssh://",
        "git@",
        "github.com/",
    ];
    REMOTE.iter().any(|start| context.starts_with(start))
}

/// A Dockerfile inside the context goes by its path there, so that the engine finds the
/// `.dockerignore` beside it; another one goes as text.
fn dockerfile(context: &Path, file: Option<&str>) -> anyhow::Result<Dockerfile> {
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(Dockerfile::default());
    };
    if file == "-" {
        let text =
            text(io::stdin().lock()).context("cannot read the Dockerfile from standard input")?;
        return Ok(Dockerfile::Text {
            name: "Dockerfile".to_owned(),
            text,
        });
    }
    let failed = || format!("failed to read dockerfile {file}");
    let real = fs::canonicalize(file).with_context(failed)?;
    let context = fs::canonicalize(context)?;
    match inside(&context, Path::new(file), &real) {
        Some(path) => Ok(Dockerfile::Context { path: Some(path) }),
        None => {
            let text = text(fs::File::open(&real).with_context(failed)?).with_context(failed)?;
            Ok(Dockerfile::Text {
                name: file.to_owned(),
                text,
            })
        }
    }
}

/// The path relative to the context. A link keeps its own name: its `.dockerignore` has that name
/// too.
fn inside(context: &Path, file: &Path, real: &Path) -> Option<String> {
    let parent = match file.parent() {
        Some(parent) if parent != Path::new("") => fs::canonicalize(parent).ok()?,
        _ => std::env::current_dir()
            .ok()
            .and_then(|here| fs::canonicalize(here).ok())?,
    };
    let named: PathBuf = parent.join(file.file_name()?);
    real.strip_prefix(context).ok()?;
    Some(named.strip_prefix(context).ok()?.to_str()?.to_owned())
}

fn text(from: impl io::Read) -> anyhow::Result<String> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LONGEST {
        true => bail!("it is longer than {LONGEST} bytes"),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_dockerfile_is() {
        let root = tempfile::tempdir().unwrap();
        let context = root.path().join("context");
        fs::create_dir_all(context.join("sub")).unwrap();
        fs::write(context.join("sub/Dockerfile.dev"), "FROM scratch").unwrap();
        fs::write(root.path().join("Outside"), "FROM scratch").unwrap();
        let of = |file: &Path| dockerfile(&context, file.to_str());
        assert_eq!(
            of(&context.join("sub/../sub/Dockerfile.dev")).unwrap(),
            Dockerfile::Context {
                path: Some("sub/Dockerfile.dev".to_owned())
            }
        );
        let outside = root.path().join("Outside");
        assert_eq!(
            of(&outside).unwrap(),
            Dockerfile::Text {
                name: outside.to_str().unwrap().to_owned(),
                text: "FROM scratch".to_owned()
            }
        );
        assert_eq!(dockerfile(&context, None).unwrap(), Dockerfile::default());
        assert!(of(&root.path().join("nope")).is_err());
    }

    #[test]
    fn refusals() {
        let refuse = |context, file| read(context, file, &mut Files::default()).unwrap_err();
        insta::assert_snapshot!(refuse("https://example.com/x.git", None), @"context https://example.com/x.git: remote contexts are not available yet; use a folder or -");
        insta::assert_snapshot!(refuse("-", Some("-")), @"invalid argument: can't use stdin for both build context and dockerfile");
        insta::assert_snapshot!(format!("{:#}", refuse("/nonexistent", None)), @r#"unable to prepare context: path "/nonexistent": No such file or directory (os error 2)"#);
    }
}
