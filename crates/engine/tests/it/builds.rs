//! Builds whose steps run in real sandboxes.

use engine::build::{BuildRequest, BuildResult, ContextSource, DockerfileSource, Event, Output};
use engine::{Error, ErrorKind, ImportOptions};

use crate::fixture::{Fixture, busybox};

/// Builds a Dockerfile without a context: the result and what its steps printed.
async fn build(fixture: &Fixture, text: &str) -> (Result<BuildResult, Error>, String) {
    let request = BuildRequest {
        dockerfile: DockerfileSource::Text {
            name: "Dockerfile".into(),
            text: text.into(),
        },
        tags: vec!["built".parse().unwrap()],
        outputs: vec![Output::Image],
        now: 1_700_000_000,
        ..BuildRequest::default()
    };
    let builds = &fixture.engine.builds;
    let mut build = builds.start(None, request, ContextSource::Empty).unwrap();
    let mut log = Vec::new();
    while let Some(event) = build.events.recv().await {
        if let Event::Log { bytes, .. } = event {
            log.extend(bytes);
        }
    }
    (build.finish().await, String::from_utf8(log).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_and_the_image_too() {
    let fixture = Fixture::new().await;
    let text = "FROM busybox\nRUN echo step; id -u; mkdir /made; echo content > /made/file\n\
        RUN --mount=type=tmpfs,target=/t --network=none touch /t/x; ip addr show lo\n\
        RUN --mount=type=bind,from=busybox,source=/etc,target=/e cat /e/group\n\
        CMD [\"/bin/cat\", \"/made/file\"]\n";
    let (result, log) = build(&fixture, text).await;
    result.unwrap();
    assert!(log.contains("step\n0\n"), "{log}");
    assert!(
        log.contains("127.0.0.1/8") && log.contains("wheel"),
        "{log}"
    );
    let mut options = Fixture::script("");
    options.image = "built".into();
    options.process.cmd = None;
    let (code, output) = fixture.run(options).await;
    assert_eq!((code, output.as_str()), (0, "content\n"));
    let (again, log) = build(&fixture, text).await;
    assert_eq!((again.unwrap().ran, log.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_and_one_that_is_cancelled() {
    let fixture = Fixture::new().await;
    let (result, _) = build(&fixture, "FROM busybox\nRUN exit 3\n").await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("exit code: 3"), "{error}");
    let request = BuildRequest {
        dockerfile: DockerfileSource::Text {
            name: "Dockerfile".into(),
            text: "FROM busybox\nRUN echo begun; sleep 60\n".into(),
        },
        ..BuildRequest::default()
    };
    let builds = &fixture.engine.builds;
    let id = Some("mine".to_owned());
    let mut build = builds.start(id, request, ContextSource::Empty).unwrap();
    while let Some(event) = build.events.recv().await {
        if matches!(event, Event::Log { .. }) {
            builds.cancel("mine").unwrap();
        }
    }
    assert_eq!(
        build.finish().await.unwrap_err().kind(),
        ErrorKind::Cancelled
    );
    assert!(builds.cancel("mine").is_err());
    fixture.settle().await;
    let steps = fixture.folder.path().join("run/steps");
    assert_eq!(std::fs::read_dir(steps).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_with_changes() {
    let fixture = Fixture::new().await;
    let options = ImportOptions {
        reference: Some("changed".parse().unwrap()),
        changes: vec!["CMD [\"sh\"]".into(), "ENV A=b".into()],
        ..ImportOptions::default()
    };
    let images = &fixture.engine.images;
    let id = images
        .import(std::io::Cursor::new(busybox()), options)
        .await
        .unwrap();
    let image = images.inspect("changed").await.unwrap();
    assert_eq!(image.id, id);
    assert_eq!(image.config.config.cmd, Some(vec!["sh".to_owned()]));
    assert!(image.config.config.env.contains(&"A=b".to_owned()));
    let options = ImportOptions {
        changes: vec!["RUN true".into()],
        ..ImportOptions::default()
    };
    let error = images
        .import(std::io::Cursor::new(busybox()), options)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
