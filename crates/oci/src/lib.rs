//! The vocabulary of images and containers: parse and print, no I/O.
//!
//! Every other crate speaks in these types. Identifiers are parsed once, at the edge, into
//! newtypes; inside there is no digest, reference or platform as a `String`. A digest is always
//! of bytes: [`Raw`] keeps a document together with the exact bytes that its digest was taken of.
//!
//! Runtime documents (`config.json`) are those of the `oci-spec` crate, re-exported as
//! [`runtime`]. Image documents are our own types, because Docker's image config carries fields
//! that the OCI schema does not name (health checks, `ONBUILD`, `SHELL`).

mod config;
mod descriptor;
mod digest;
mod idmap;
mod manifest;
mod platform;
mod raw;
mod reference;

pub use config::{ContainerConfig, Empty, HealthCheck, History, ImageConfig, RootFs};
pub use descriptor::{Descriptor, media_type};
pub use digest::{Algorithm, ChainId, DiffId, Digest, DigestError, Hasher, ImageId};
pub use idmap::{IdMap, IdMapError};
pub use manifest::{Index, Manifest};
pub use oci_spec::runtime;
pub use platform::{Platform, PlatformError};
pub use raw::{Raw, RawError};
pub use reference::{Reference, ReferenceError};
