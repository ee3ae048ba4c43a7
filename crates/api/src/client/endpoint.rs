//! Where an engine is: the words of `DOCKER_HOST`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// A unix socket by its path.
    Unix(PathBuf),
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// A scheme that is not spoken.
    #[error("unable to connect to `{0}`: only unix:// is supported by this version of Corten")]
    Scheme(String),
    /// No scheme at all, or no path.
    #[error("`{0}` is not the address of an engine: expected unix:///path/to/socket")]
    Malformed(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        match text.split_once("://") {
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(PathBuf::from(path))),
            Some(("unix", _)) | None => Err(EndpointError::Malformed(text.to_owned())),
            Some(_) => Err(EndpointError::Scheme(text.to_owned())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_only() {
        let text = "unix:///run/corten/corten.sock";
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        for text in [
            "",
            "/run/x.sock",
            "unix://",
            "tcp://1.2.3.4:2375",
            "ssh://host",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
