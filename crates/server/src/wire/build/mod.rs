//! Builds: requests in, events out.

mod legacy;
mod transcript;

use std::os::fd::OwnedFd;
use std::time::{SystemTime, UNIX_EPOCH};

use api::corten::{
    BuildEvent, BuildRequest, BuildResult, Context, Dockerfile, FdIndex, LogStream, Output,
};
use engine::build;
use engine::build::{ContextSource, DockerfileSource, Event, Stream};
use serde_json::json;
use sys::credentials::Caller;

use crate::http::Failure;

pub(crate) use legacy::legacy_request;
pub(crate) use transcript::Transcript;

/// The open files of a request. Each may be named once.
struct Files(Vec<Option<OwnedFd>>);

impl Files {
    fn take(&mut self, index: FdIndex) -> Result<OwnedFd, Failure> {
        let file = self.0.get_mut(index).and_then(Option::take);
        file.ok_or_else(|| Failure::Invalid(format!("there is no open file number {index}")))
    }
}

/// Reads a request of our own. `caller` is whose permissions apply to its folders.
pub(crate) fn build_request(
    wire: BuildRequest,
    fds: Vec<OwnedFd>,
    caller: &Caller,
) -> Result<(build::BuildRequest, ContextSource), Failure> {
    let mut files = Files(fds.into_iter().map(Some).collect());
    if wire.pull {
        return Err(Failure::unsupported("--pull"));
    }
    if !wire.ulimits.is_empty() {
        return Err(Failure::unsupported("--ulimit"));
    }
    let context = match wire.context {
        Context::None => ContextSource::Empty,
        Context::Folder { fd } => ContextSource::Folder {
            folder: files.take(fd)?,
            caller: caller.clone(),
        },
        Context::Tar { fd } => ContextSource::Tar(Box::new(std::fs::File::from(files.take(fd)?))),
    };
    let outputs: Result<Vec<_>, Failure> = wire
        .outputs
        .iter()
        .map(|output| self::output(*output, &mut files, caller))
        .collect();
    let mut outputs = outputs?;
    if outputs.is_empty() {
        outputs.push(build::Output::Image);
    }
    let secrets = wire.secrets.into_iter();
    let request = build::BuildRequest {
        dockerfile: match wire.dockerfile {
            Dockerfile::Context { path } => DockerfileSource::Context(path),
            Dockerfile::Text { name, text } => DockerfileSource::Text { name, text },
        },
        target: wire.target,
        tags: references(&wire.tags)?,
        build_args: wire.build_args,
        labels: wire.labels,
        no_cache: wire.no_cache,
        no_cache_filter: wire.no_cache_filter,
        secrets: secrets
            .map(|(id, secret)| (id, build::Secret(secret.0)))
            .collect(),
        ssh: wire.ssh,
        platform: platform(wire.platform.as_deref())?,
        network: network(&wire.network)?,
        extra_hosts: extra_hosts(&wire.add_hosts)?,
        shm_size: wire.shm_size,
        remote_caches: wire.remote_caches,
        source_date_epoch: wire.source_date_epoch,
        now: now(),
        outputs,
    };
    Ok((request, context))
}

fn output(wire: Output, files: &mut Files, caller: &Caller) -> Result<build::Output, Failure> {
    Ok(match wire {
        Output::Image => build::Output::Image,
        Output::Local { fd } => build::Output::Local {
            folder: files.take(fd)?,
            caller: caller.clone(),
        },
        Output::Tar { fd } => build::Output::Tar {
            file: files.take(fd)?,
        },
        Output::Oci { fd } => build::Output::Oci {
            file: files.take(fd)?,
        },
        Output::Docker { fd } => build::Output::Docker {
            file: files.take(fd)?,
        },
    })
}

/// Seconds since 1970: when an image was truly built.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| super::signed(now.as_secs()))
}

fn references(names: &[String]) -> Result<Vec<oci::Reference>, Failure> {
    let names = names.iter().filter(|name| !name.is_empty());
    let read = names.map(|name| name.parse());
    read.collect::<Result<_, oci::ReferenceError>>()
        .map_err(|error| Failure::Invalid(error.to_string()))
}

fn platform(text: Option<&str>) -> Result<Option<oci::Platform>, Failure> {
    let platform = text.filter(|text| !text.is_empty()).map(str::parse);
    platform
        .transpose()
        .map_err(|error: oci::PlatformError| Failure::Invalid(error.to_string()))
}

fn network(text: &str) -> Result<build::Network, Failure> {
    match text {
        "" | "default" | "bridge" => Ok(build::Network::Default),
        "none" => Ok(build::Network::None),
        "host" => Ok(build::Network::Host),
        other => Err(Failure::Invalid(format!(
            "network mode {other:?} is not one of default, none and host"
        ))),
    }
}

fn extra_hosts(list: &[String]) -> Result<Vec<(String, String)>, Failure> {
    list.iter()
        .map(|text| {
            let pair = text
                .split_once(['=', ':'])
                .filter(|(name, _)| !name.is_empty());
            let (name, address) =
                pair.ok_or_else(|| Failure::Invalid(format!("bad format for add-host: {text:?}")))?;
            Ok((name.to_owned(), address.to_owned()))
        })
        .collect()
}

/// An event on the wire. `at` is in nanoseconds since 1970.
pub(crate) fn build_event(event: Event, at: i64) -> BuildEvent {
    match event {
        Event::Step { id, name, inputs } => BuildEvent::Step { id, name, inputs },
        Event::Started { id } => BuildEvent::Started { id, at },
        Event::Missed { id, reason } => BuildEvent::Missed { id, reason },
        Event::Cached { id } => BuildEvent::Cached { id },
        Event::Completed { id } => BuildEvent::Completed { id, at },
        Event::Failed { id, error } => BuildEvent::Failed { id, at, error },
        Event::Log { id, stream, bytes } => BuildEvent::Log {
            id,
            stream: match stream {
                Stream::Stdout => LogStream::Stdout,
                Stream::Stderr => LogStream::Stderr,
            },
            text: String::from_utf8_lossy(&bytes).into_owned(),
        },
        Event::Status {
            id,
            label,
            current,
            total,
        } => BuildEvent::Status {
            id,
            label,
            current,
            total,
        },
        Event::Warning { text } => BuildEvent::Warning { text },
    }
}

/// The end of a build that succeeded, with what `--metadata-file` holds.
pub(crate) fn build_result(result: &build::BuildResult) -> BuildResult {
    let tags: Vec<String> = result.tags.iter().map(oci::Reference::familiar).collect();
    let mut metadata = std::collections::BTreeMap::new();
    if let Some(image) = &result.image {
        let digest = image.to_string();
        metadata.insert("containerimage.config.digest".to_owned(), digest.into());
    }
    if let Some(manifest) = &result.manifest {
        let digest = manifest.digest.to_string();
        metadata.insert("containerimage.descriptor".to_owned(), json!(manifest));
        metadata.insert("containerimage.digest".to_owned(), digest.into());
    }
    if !tags.is_empty() {
        metadata.insert("image.name".to_owned(), tags.join(",").into());
    }
    BuildResult {
        image_id: result.image.as_ref().map(ToString::to_string),
        manifest_digest: result.manifest.as_ref().map(|m| m.digest.to_string()),
        tags,
        cached: result.cached,
        ran: result.ran,
        metadata,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: BuildRequest, files: usize) -> Result<build::BuildRequest, String> {
        let open = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let fds = (0..files).map(|_| open()).collect();
        let request = build_request(wire, fds, &Caller::root());
        request
            .map(|(request, _)| request)
            .map_err(|f| f.to_string())
    }

    #[test]
    fn each_open_file_is_named_once() {
        let wire = BuildRequest {
            context: Context::Folder { fd: 0 },
            outputs: vec![Output::Tar { fd: 1 }],
            ..BuildRequest::default()
        };
        assert!(read(wire.clone(), 2).is_ok());
        assert_eq!(
            read(wire.clone(), 1).unwrap_err(),
            "there is no open file number 1"
        );
        let twice = BuildRequest {
            outputs: vec![Output::Tar { fd: 0 }],
            ..wire
        };
        assert!(read(twice, 2).is_err());
    }

    #[test]
    fn values_are_checked() {
        let refused = |change: fn(&mut BuildRequest)| {
            let mut wire = BuildRequest::default();
            change(&mut wire);
            read(wire, 0).unwrap_err()
        };
        refused(|wire| wire.tags = vec!["No Name".into()]);
        refused(|wire| wire.network = "mine".into());
        refused(|wire| wire.platform = Some("a/b/c/d".into()));
        refused(|wire| wire.add_hosts = vec!["x".into()]);
        assert!(refused(|wire| wire.pull = true).contains("--pull"));
        let default = read(BuildRequest::default(), 0).unwrap();
        assert!(matches!(default.outputs[..], [build::Output::Image]));
    }
}
