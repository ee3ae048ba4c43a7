//! A data root in a temporary folder, a base image, and what a build leaves as text.

use std::fmt::Write as _;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use build::{
    BuildError, BuildRequest, BuildResult, Builder, BuilderOptions, ContextSource,
    DockerfileSource, Event, Job, Output,
};
use oci::{ImageConfig, ImageId, Platform};
use store::{ImportOptions, Store};
use sys::credentials::Caller;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::sandbox::Interpreter;

pub(crate) struct Machine {
    _folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) builder: Arc<Builder>,
    pub(crate) sandbox: Arc<Interpreter>,
}

/// What a build said and left.
pub(crate) struct Built {
    pub(crate) result: Result<BuildResult, BuildError>,
    pub(crate) events: Vec<Event>,
}

impl Built {
    pub(crate) fn image(&self) -> ImageId {
        self.result.as_ref().unwrap().image.unwrap()
    }

    pub(crate) fn output(&self) -> String {
        let logs = self.events.iter().filter_map(|event| match event {
            Event::Log { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        logs.collect::<Vec<_>>().join("|")
    }

    pub(crate) fn reasons(&self) -> Vec<String> {
        let reasons = self.events.iter().filter_map(|event| match event {
            Event::Missed { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        reasons.collect()
    }

    pub(crate) fn error(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }
}

/// A file system with users, a link and a bit of everything.
fn base_tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, mode: u32, body: &str, link: &str| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1000);
        header.set_size(body.len() as u64);
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        tar.append_data(&mut header, path, body.as_bytes()).unwrap();
    };
    use tar::EntryType::{Directory, Regular, Symlink};
    for folder in ["etc/", "usr/", "usr/bin/", "tmp/", "opt/"] {
        let mode = if folder == "tmp/" { 0o1777 } else { 0o755 };
        add(folder, Directory, mode, "", "");
    }
    let users = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n";
    add("etc/passwd", Regular, 0o644, users, "");
    add(
        "etc/group",
        Regular,
        0o644,
        "root:x:0:\napp:x:1001:\nweb:x:33:\n",
        "",
    );
    add("bin", Symlink, 0o777, "", "usr/bin");
    add("opt/old", Regular, 0o600, "old", "");
    tar.into_inner().unwrap()
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("data")).unwrap();
        let options = ImportOptions {
            config: ImageConfig {
                created: Some("2020-01-01T00:00:00Z".to_owned()),
                platform: Platform::host(),
                ..ImageConfig::default()
            },
            message: "base".to_owned(),
            tag: Some("base".parse().unwrap()),
            built_at: SystemTime::UNIX_EPOCH,
        };
        let lease = store.lease();
        store
            .import(&mut base_tar().as_slice(), &options, &lease)
            .unwrap();
        let sandbox = Arc::new(Interpreter::default());
        let options = BuilderOptions {
            run_dir: folder.path().join("run"),
            parallelism: 4,
        };
        let executor: Arc<dyn build::Executor> = Arc::<Interpreter>::clone(&sandbox);
        let builder = Arc::new(Builder::new(store.clone(), executor, options));
        Self {
            _folder: folder,
            store,
            builder,
            sandbox,
        }
    }

    pub(crate) fn runs(&self) -> usize {
        self.sandbox.runs.load(Ordering::SeqCst)
    }

    pub(crate) async fn build(&self, request: BuildRequest, context: ContextSource) -> Built {
        self.build_until(request, context, CancellationToken::new())
            .await
    }

    pub(crate) async fn build_until(
        &self,
        request: BuildRequest,
        context: ContextSource,
        cancel: CancellationToken,
    ) -> Built {
        let (sender, mut receiver) = mpsc::channel(16);
        let job = Job {
            request,
            context,
            events: sender,
            cancel,
        };
        let collect = async {
            let mut events = Vec::new();
            while let Some(event) = receiver.recv().await {
                events.push(event);
            }
            events
        };
        let (result, events) = tokio::join!(self.builder.build(job), collect);
        Built { result, events }
    }

    /// Builds the folder `context` with this Dockerfile.
    pub(crate) async fn build_folder(&self, dockerfile: &str, context: &Path) -> Built {
        self.build(request(dockerfile), folder(context)).await
    }

    /// Builds without a context.
    pub(crate) async fn build_text(&self, dockerfile: &str) -> Built {
        self.build(request(dockerfile), ContextSource::Empty).await
    }

    /// Config and layers of an image as text.
    pub(crate) fn describe(&self, id: &ImageId) -> String {
        let config = self.store.image_config(id).unwrap();
        let base = self.base_layers();
        let mut value = serde_json::to_value(&config).unwrap();
        value["rootfs"]["diff_ids"] = format!("{} layers", config.rootfs.diff_ids.len()).into();
        value["architecture"] = "(host)".into();
        let mut text = serde_json::to_string_pretty(&value).unwrap() + "\n";
        for diff_id in config
            .rootfs
            .diff_ids
            .iter()
            .filter(|id| !base.contains(id))
        {
            text += "layer\n";
            let mut archive = tar::Archive::new(self.store.open_blob(&diff_id.0).unwrap());
            for entry in archive.entries().unwrap() {
                let entry = entry.unwrap();
                let header = entry.header();
                let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
                let path = entry.path().unwrap().display().to_string();
                let kind = header.entry_type();
                let link = entry.link_name().unwrap();
                let link = link
                    .map(|link| format!(" -> {}", link.display()))
                    .unwrap_or_default();
                let (mode, size) = (header.mode().unwrap(), entry.size());
                let mtime = header.mtime().unwrap();
                writeln!(
                    text,
                    "  {kind:?} {mode:o} {uid}:{gid} {size} @{mtime} {path}{link}"
                )
                .unwrap();
            }
        }
        text
    }

    /// The layers alone.
    pub(crate) fn layers(&self, id: &ImageId) -> String {
        let text = self.describe(id);
        text.split_once("\n}\n")
            .map_or(text.clone(), |(_, layers)| layers.to_owned())
    }

    fn base_layers(&self) -> Vec<oci::DiffId> {
        let base = self.store.read(|tx| tx.find_image("base")).unwrap();
        self.store.image_config(&base.id).unwrap().rootfs.diff_ids
    }
}

pub(crate) fn request(dockerfile: &str) -> BuildRequest {
    BuildRequest {
        dockerfile: DockerfileSource::Text {
            name: "Dockerfile".to_owned(),
            text: dockerfile.to_owned(),
        },
        now: 1_700_000_000,
        outputs: vec![Output::Image],
        ..BuildRequest::default()
    }
}

pub(crate) fn folder(path: &Path) -> ContextSource {
    let folder: OwnedFd = fs::File::open(path).unwrap().into();
    ContextSource::Folder {
        folder,
        caller: Caller::root(),
    }
}

/// Writes files below `folder`.
pub(crate) fn write_files(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
