//! An engine with one image behind a socket, and a client of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use api::Client;
use api::client::{Body, ImportOptions};
use engine::{Engine, EngineConfig};
use server::Listener;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// An engine that is served.
pub(crate) struct Served {
    /// A client of it.
    pub(crate) client: Client,
    folder: TempDir,
    stop: CancellationToken,
}

impl Served {
    /// Starts it and imports `small:latest`, an image of one small file.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            root: folder.path().join("root"),
            run_dir: folder.path().join("run"),
            exe: "/nonexistent".into(),
        };
        let engine = Engine::start(config).await.unwrap();
        let address = format!("unix://{}/run/x.sock", folder.path().display());
        let listener = Listener::bind(&address).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(server::serve(
            listener,
            server::routes(engine),
            stop.clone(),
        ));
        let served = Self {
            client: Client::new(address.parse().unwrap()),
            folder,
            stop,
        };
        served.import().await;
        served
    }

    /// Where everything of it is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn import(&self) {
        let options = ImportOptions {
            source: "-".to_owned(),
            repository: Some("small".to_owned()),
            changes: ["CMD [\"/hello\"]", "LABEL a=b", "EXPOSE 80"]
                .map(Into::into)
                .into(),
            message: Some("from a test".to_owned()),
            ..ImportOptions::default()
        };
        let archive = Body::bytes(self.archive());
        let mut lines = self.client.image_import(&options, archive).await.unwrap();
        while let Some(line) = lines.next().await.unwrap() {
            assert_eq!(line.error, None);
        }
    }

    fn archive(&self) -> Vec<u8> {
        let root = self.folder().join("small");
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("hello"), "hello\n").unwrap();
        let words = [
            "--sort=name",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "-cf",
            "-",
            ".",
        ];
        let tar = Command::new("tar")
            .arg("-C")
            .arg(&root)
            .args(words)
            .output();
        tar.unwrap().stdout
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
