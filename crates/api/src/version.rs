//! Versions of the API.

use std::fmt;
use std::str::FromStr;

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    major: u16,
    minor: u16,
}

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of the API: expected for example 1.51")]
pub struct ApiVersionError(String);

impl ApiVersion {
    /// The newest that is spoken here, and the one of the types of this crate.
    pub const MAX: Self = Self::new(1, 51);
    /// The oldest that the server answers.
    pub const MIN: Self = Self::new(1, 40);

    /// A version by its parts.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl FromStr for ApiVersion {
    type Err = ApiVersionError;

    fn from_str(text: &str) -> Result<Self, ApiVersionError> {
        let parts = text.split_once('.').and_then(|(major, minor)| {
            Some(Self {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            })
        });
        parts.ok_or_else(|| ApiVersionError(text.to_owned()))
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_number() {
        let of = |text: &str| text.parse::<ApiVersion>().unwrap();
        assert!(of("1.9") < of("1.44"));
        assert!(of("1.51") < of("2.0"));
        assert_eq!(of("1.51").to_string(), "1.51");
        for text in ["", "1", "1.", ".1", "1.x", "v1.44", "1.44.1"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }
}
