//! Endpoints that Docker does not have.
//!
//! `POST /corten/build`: the body is a [`BuildRequest`] as JSON; descriptors come beside the first
//! byte of the request, and the header [`FDS_HEADER`] says how many. The answer is one
//! [`BuildEvent`] in each line. The last line is a [`BuildEvent::Result`] or a
//! [`BuildEvent::Error`]. Closing the connection cancels the build.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::container::Ulimit;

/// Header that says how many descriptors came with a request.
pub const FDS_HEADER: &str = "corten-fds";

/// The most descriptors that one request may carry.
pub const MAX_FDS: usize = 8;

/// Number of a descriptor among those of the request, from 0.
pub type FdIndex = usize;

/// What to build, from what, and where the result goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuildRequest {
    /// Where `COPY` and `ADD` take files from.
    pub context: Context,
    /// Where the Dockerfile is.
    pub dockerfile: Dockerfile,
    /// Stage to build; the last one where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Names for the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// `--build-arg`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub build_args: BTreeMap<String, String>,
    /// `--label`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Secrets by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Secret>,
    /// Ids of forwarded SSH agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<String>,
    /// Use no earlier result.
    pub no_cache: bool,
    /// Stages that use no earlier result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_cache_filter: Vec<String>,
    /// `default`, `none` or `host`; empty for the default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network: String,
    /// Where the result goes; into the store where nothing is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// The one platform to build for; the host's own where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Seconds since 1970: nothing in the image is newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<i64>,
    /// `--add-host`: `name:address`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_hosts: Vec<String>,
    /// Bytes of `/dev/shm` in steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<u64>,
    /// Limits of processes in steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<Ulimit>,
    /// Look for newer base images.
    pub pull: bool,
    /// `--cache-from` and `--cache-to`, as they were said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remote_caches: Vec<String>,
}

/// Where `COPY` and `ADD` take files from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Context {
    /// Nowhere.
    #[default]
    None,
    /// A folder of this machine, read in place under the caller's permissions.
    Folder {
        /// Opened by the client, `O_PATH` will do.
        fd: FdIndex,
    },
    /// A tar stream, plain or compressed, or a bare Dockerfile.
    Tar {
        /// A file or a pipe, open for reading.
        fd: FdIndex,
    },
}

/// Where the Dockerfile is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Dockerfile {
    /// In the context.
    Context {
        /// Relative path; `Dockerfile` where nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// Sent by the client: read from standard input, or from outside of the context.
    Text {
        /// As shown in errors.
        name: String,
        /// The text.
        text: String,
    },
}

impl Default for Dockerfile {
    fn default() -> Self {
        Self::Context { path: None }
    }
}

/// Where the result goes. Files and folders are opened by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Output {
    /// Into the store.
    Image,
    /// Files, into a folder.
    Local {
        /// The folder.
        fd: FdIndex,
    },
    /// Files, as a tar archive.
    Tar {
        /// A file or a pipe, open for writing.
        fd: FdIndex,
    },
    /// The image as an OCI layout in a tar archive.
    Oci {
        /// A file or a pipe, open for writing.
        fd: FdIndex,
    },
    /// The image as an archive for `docker load`.
    Docker {
        /// A file or a pipe, open for writing.
        fd: FdIndex,
    },
}

/// Bytes that nobody should see: never printed, base64 on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Number of a step within one build.
pub type StepId = usize;

/// Which output stream of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of the answer. Everything about a step comes behind its [`BuildEvent::Step`]. `at` is
/// in nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum BuildEvent {
    /// A step is part of this build.
    Step {
        /// Its number.
        id: StepId,
        /// `[build 2/5] RUN npm ci`.
        name: String,
        /// Steps whose results it needs.
        inputs: Vec<StepId>,
    },
    /// A step began to run.
    Started {
        /// Its number.
        id: StepId,
        /// When.
        at: i64,
    },
    /// Why the step was not in the cache. Not sent for the first build of a step.
    Missed {
        /// Its number.
        id: StepId,
        /// `ran again because package-lock.json changed (a1b2… → c3d4…)`.
        reason: String,
    },
    /// The step's result came from the cache.
    Cached {
        /// Its number.
        id: StepId,
    },
    /// The step ran to its end.
    Completed {
        /// Its number.
        id: StepId,
        /// When.
        at: i64,
    },
    /// The step failed or was cancelled.
    Failed {
        /// Its number.
        id: StepId,
        /// When.
        at: i64,
        /// What went wrong, in one line.
        error: String,
    },
    /// Output of the step's process. Bytes that are no UTF-8 became U+FFFD.
    Log {
        /// Its number.
        id: StepId,
        /// Which stream.
        stream: LogStream,
        /// Not cut at lines.
        text: String,
    },
    /// How far a part of the step is.
    Status {
        /// Its number.
        id: StepId,
        /// What is counted.
        label: String,
        /// Done so far.
        current: u64,
        /// Of how many, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// Something in the Dockerfile is legal but dubious.
    Warning {
        /// With the Dockerfile's line.
        text: String,
    },
    /// The end: it failed.
    Error {
        /// For people; with the Dockerfile's line where there is one, more than one line.
        message: String,
    },
    /// The end: it is built.
    Result(BuildResult),
}

/// What was built.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildResult {
    /// Identifier of the image; none where no output makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// Digest of the image's manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<String>,
    /// The names that were given to it.
    pub tags: Vec<String>,
    /// How many steps came from the cache.
    pub cached: usize,
    /// How many steps ran.
    pub ran: usize,
    /// For `--metadata-file`: `containerimage.digest` and its neighbours.
    pub metadata: BTreeMap<String, serde_json::Value>,
}

/// Answer to `GET /corten/fsck`: what is not as it must be. With the parameter `digests` all
/// content is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FsckReport {
    /// One sentence for each; nothing where all is well.
    pub problems: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_on_the_wire() {
        let request = BuildRequest {
            context: Context::Folder { fd: 0 },
            secrets: BTreeMap::from([("token".to_owned(), Secret(b"hush".to_vec()))]),
            outputs: vec![Output::Image, Output::Tar { fd: 1 }],
            ..BuildRequest::default()
        };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(
            text,
            r#"{"context":{"kind":"folder","fd":0},"dockerfile":{"kind":"context"},"secrets":{"token":"aHVzaA=="},"no_cache":false,"outputs":[{"kind":"image"},{"kind":"tar","fd":1}],"pull":false}"#
        );
        assert_eq!(
            serde_json::from_str::<BuildRequest>(&text).unwrap(),
            request
        );
        assert!(!format!("{request:?}").contains("hush"));
        assert!(serde_json::from_str::<BuildRequest>(r#"{"what":1}"#).is_err());
    }

    #[test]
    fn an_event_on_the_wire() {
        let event = BuildEvent::Result(BuildResult::default());
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.starts_with(r#"{"event":"result","tags":[]"#), "{text}");
        assert_eq!(serde_json::from_str::<BuildEvent>(&text).unwrap(), event);
    }
}
