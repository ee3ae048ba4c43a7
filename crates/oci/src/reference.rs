//! Names of images: `[registry/]repository[:tag][@digest]`, normalised as Docker does.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Digest, DigestError};

const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_TAG: &str = "latest";
/// Longest repository name, registry included, in bytes (distribution spec).
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// Why a text does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error("an image name must not be empty")]
    Empty,
    /// The repository holds a character that it must not.
    #[error(
        "invalid reference format: repository name `{0}` must be lowercase letters, digits and separators"
    )]
    Repository(String),
    /// The registry is not `host[:port]`.
    #[error("invalid reference format: `{0}` is not a registry host")]
    Registry(String),
    /// The tag holds a character that it must not, or is too long.
    #[error("invalid reference format: `{0}` is not a tag")]
    Tag(String),
    /// The part behind `@` is not a digest.
    #[error("invalid reference format")]
    Digest(#[from] DigestError),
    /// More than 255 bytes.
    #[error("invalid reference format: the repository name is longer than {MAX_NAME} characters")]
    Length,
}

/// A name of an image, with Docker Hub's defaults filled in. Orders by its text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Host and port; `docker.io` where the text named none.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Path on the registry; `library/` is added on Docker Hub.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag. There is always a tag or a digest: a text with neither got `latest`.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that the content must have.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Registry and repository in the short form that people type: `busybox`.
    pub fn familiar_name(&self) -> String {
        match (
            self.registry.as_str(),
            self.repository.strip_prefix("library/"),
        ) {
            (DEFAULT_REGISTRY, Some(short)) if !short.contains('/') => short.to_owned(),
            (DEFAULT_REGISTRY, _) => self.repository.clone(),
            _ => format!("{}/{}", self.registry, self.repository),
        }
    }

    /// The short form with tag and digest: `busybox:latest`.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.familiar_name(), self.suffix())
    }

    /// The same repository by another digest, without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    fn suffix(&self) -> String {
        let tag = self
            .tag
            .as_ref()
            .map(|tag| format!(":{tag}"))
            .unwrap_or_default();
        let digest = self
            .digest
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        tag + &digest
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (name, tag) = split_tag(rest);
        let (registry, path) = split_registry(name);
        if name.len() > MAX_NAME {
            return Err(ReferenceError::Length);
        }
        if !is_registry(registry) {
            return Err(ReferenceError::Registry(registry.to_owned()));
        }
        if !path.split('/').all(is_component) {
            return Err(ReferenceError::Repository(path.to_owned()));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag(tag.to_owned()));
        }
        let registry = match registry {
            "index.docker.io" => DEFAULT_REGISTRY,
            other => other,
        };
        let repository = match registry == DEFAULT_REGISTRY && !path.contains('/') {
            true => format!("library/{path}"),
            false => path.to_owned(),
        };
        let tag = tag.or((digest.is_none()).then_some(DEFAULT_TAG));
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        // A colon before the last slash belongs to the port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (text, None),
    }
}

fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((host, path))
            if host.contains(['.', ':']) || host == "localhost" || has_upper(host) =>
        {
            (host, path)
        }
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn has_upper(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_valid =
        port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let literal = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host_valid = match literal {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }),
    };
    port_valid && host_valid
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !alphanumeric(*first) || !alphanumeric(*last) {
        return false;
    }
    let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    separators.into_iter().all(|separator| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
    })
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, self.suffix())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_the_defaults() {
        for (text, full, short) in [
            (
                "busybox",
                "docker.io/library/busybox:latest",
                "busybox:latest",
            ),
            ("a/b:1.0", "docker.io/a/b:1.0", "a/b:1.0"),
            ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
            (
                "localhost:5000/a__b:x",
                "localhost:5000/a__b:x",
                "localhost:5000/a__b:x",
            ),
            ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
            (
                "index.docker.io/library/x",
                "docker.io/library/x:latest",
                "x:latest",
            ),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(
                (reference.to_string(), reference.familiar()),
                (full.into(), short.into())
            );
        }
    }

    #[test]
    fn a_digest_needs_no_tag() {
        let digest = Digest::of(b"");
        let reference: Reference = format!("a@{digest}").parse().unwrap();
        assert_eq!((reference.tag(), reference.digest()), (None, Some(digest)));
        let both: Reference = format!("a:b@{digest}").parse().unwrap();
        assert_eq!(both.familiar(), format!("a:b@{digest}"));
    }

    #[test]
    fn refuses_what_names_no_image() {
        for text in [
            "",
            "A",
            "a//b",
            "a:",
            "a:-",
            "-a",
            "a..b",
            "a___b",
            "../x",
            "a@sha256:0",
            "a b",
            "a:b:c",
            "/a",
            "a/",
            "x.y:port/a",
            "a\n",
            "http://a",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
        assert!("a".repeat(256).parse::<Reference>().is_err());
        assert!(
            format!("a:{}", "b".repeat(129))
                .parse::<Reference>()
                .is_err()
        );
    }
}
