//! Docker's rules for where a copy goes. Pure.

use anyhow::bail;

/// A word of the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A path in a container.
    Container { name: &'a str, path: &'a str },
    /// A path of this machine, or `-`.
    Local(&'a str),
}

impl<'a> Place<'a> {
    /// `name:path` is in a container, unless it begins like a path.
    pub(super) fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            Some((name, path))
                if !name.is_empty() && !name.starts_with(['.', '/']) && !name.contains('/') =>
            {
                Self::Container { name, path }
            }
            _ => Self::Local(text),
        }
    }
}

/// What is copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its last component.
    pub(super) name: String,
    pub(super) is_dir: bool,
    /// It was named with `/.` at its end: what is in it, not the folder itself.
    pub(super) contents: bool,
}

/// Where it goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The content of a folder into this one, which is there.
    Contents(String),
    /// Under exactly this path.
    As(String),
}

impl Target {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Contents(path) | Self::As(path) => path,
        }
    }
}

/// Decides. `found` is whether the destination is a folder, `None` where nothing is there.
pub(super) fn target(source: &Source, found: Option<bool>, to: &str) -> anyhow::Result<Target> {
    let (path, dotted) = without_dot(to);
    let trailing = dotted || to.ends_with('/');
    let bare = match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        bare => bare,
    };
    match found {
        Some(true) if source.contents => Ok(Target::Contents(bare.to_owned())),
        Some(true) => Ok(Target::As(join(bare, &source.name))),
        Some(false) if source.is_dir => bail!("cannot copy a directory to the file {to}"),
        Some(false) if trailing => bail!("{to} is not a directory"),
        None if trailing && !source.is_dir => bail!("destination directory {to} does not exist"),
        Some(false) | None => Ok(Target::As(bare.to_owned())),
    }
}

/// A path without `/.` at its end, and whether it had one.
pub(super) fn without_dot(path: &str) -> (&str, bool) {
    match path.strip_suffix("/.") {
        Some("") => ("/", true),
        Some(path) => (path, true),
        None if path == "." => (path, true),
        None => (path, false),
    }
}

/// What a link at `path` points to.
pub(super) fn follow(path: &str, link: &str) -> String {
    match link.starts_with('/') {
        true => link.to_owned(),
        false => join(&split(path).0, link),
    }
}

/// The folder of a path, and its last component.
pub(super) fn split(path: &str) -> (String, String) {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/') {
        Some(("", name)) => ("/".to_owned(), name.to_owned()),
        Some((folder, name)) => (folder.to_owned(), name.to_owned()),
        None => (".".to_owned(), path.to_owned()),
    }
}

/// The name under which a copy of `path` goes into a folder: a followed link keeps its own.
pub(super) fn last(path: &str, found: &str) -> String {
    let (_, name) = split(without_dot(path).0);
    match name.as_str() {
        "" | "." | ".." => found.to_owned(),
        _ => name,
    }
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(
            Place::parse("web:/a:b"),
            Place::Container {
                name: "web",
                path: "/a:b"
            }
        );
        for local in ["./a:b", "/a:b", "a", "-", "a/b:c", ":x"] {
            assert_eq!(Place::parse(local), Place::Local(local));
        }
    }

    #[test]
    fn destinations() {
        let file = Source {
            name: "f".to_owned(),
            is_dir: false,
            contents: false,
        };
        let folder = Source {
            name: "d".to_owned(),
            is_dir: true,
            contents: false,
        };
        let contents = Source {
            name: "d".to_owned(),
            is_dir: true,
            contents: true,
        };
        let show = |source: &Source, found, to| {
            target(source, found, to).map_or_else(|e| e.to_string(), |target| format!("{target:?}"))
        };
        let mut lines = Vec::new();
        for (name, source) in [
            ("file", &file),
            ("folder", &folder),
            ("contents", &contents),
        ] {
            for (state, found) in [
                ("missing", None),
                ("a file", Some(false)),
                ("a folder", Some(true)),
            ] {
                for to in ["/x/y", "/x/y/"] {
                    lines.push(format!(
                        "{name} to {to} ({state}): {}",
                        show(source, found, to)
                    ));
                }
            }
        }
        lines.extend(["/", "."].map(|to| show(&file, Some(true), to)));
        insta::assert_snapshot!(lines.join("\n"), @r#"
        file to /x/y (missing): As("/x/y")
        file to /x/y/ (missing): destination directory /x/y/ does not exist
        file to /x/y (a file): As("/x/y")
        file to /x/y/ (a file): /x/y/ is not a directory
        file to /x/y (a folder): As("/x/y/f")
        file to /x/y/ (a folder): As("/x/y/f")
        folder to /x/y (missing): As("/x/y")
        folder to /x/y/ (missing): As("/x/y")
        folder to /x/y (a file): cannot copy a directory to the file /x/y
        folder to /x/y/ (a file): cannot copy a directory to the file /x/y/
        folder to /x/y (a folder): As("/x/y/d")
        folder to /x/y/ (a folder): As("/x/y/d")
        contents to /x/y (missing): As("/x/y")
        contents to /x/y/ (missing): As("/x/y")
        contents to /x/y (a file): cannot copy a directory to the file /x/y
        contents to /x/y/ (a file): cannot copy a directory to the file /x/y/
        contents to /x/y (a folder): Contents("/x/y")
        contents to /x/y/ (a folder): Contents("/x/y")
        As("/f")
        As("./f")
        "#);
    }

    #[test]
    fn links() {
        assert_eq!(follow("/a/l", "b"), "/a/b");
        assert_eq!(follow("/l", "b"), "/b");
        assert_eq!(follow("/a/l", "/b"), "/b");
        assert_eq!(split("/a/b/"), ("/a".to_owned(), "b".to_owned()));
        assert_eq!(last("/a/.", "a"), "a");
        assert_eq!(last("/", "/"), "/");
    }
}
