//! The image references on a command line.

/// The name under which `tag` and `-t` know an image: `name` without a tag is `name:latest`.
pub(crate) fn with_tag(name: &str) -> (String, String) {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
        _ => (name.to_owned(), "latest".to_owned()),
    }
}

/// A name as errors show it: with its tag.
pub(crate) fn familiar(name: &str) -> String {
    if name.contains('@') || name.starts_with("sha256:") {
        return name.to_owned();
    }
    let (repository, tag) = with_tag(name);
    format!("{repository}:{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(
            with_tag("host:5000/a"),
            ("host:5000/a".to_owned(), "latest".to_owned())
        );
        assert_eq!(with_tag("a:1"), ("a".to_owned(), "1".to_owned()));
    }
}
