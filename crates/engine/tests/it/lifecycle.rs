//! From `create` to `remove`.

use engine::{ErrorKind, LogsOptions, RemoveOptions};

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_tells_its_code() {
    let fixture = Fixture::new().await;
    let (code, output) = fixture
        .run(Fixture::script("echo out; echo err >&2; exit 7"))
        .await;
    assert_eq!(code, 7);
    assert!(
        output.contains("out\n") && output.contains("err\n"),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_a_log_and_goes() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let mut options = Fixture::script("echo one; echo two");
    options.name = Some("web".to_owned());
    fixture.run(options.clone()).await;
    let error = containers.create(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let logs = LogsOptions {
        stdout: true,
        follow: true,
        ..LogsOptions::default()
    };
    let mut lines = containers.logs("web", logs).await.unwrap();
    let mut text = String::new();
    while let Some(line) = lines.next().await {
        text.push_str(&String::from_utf8(line.unwrap().text).unwrap());
    }
    assert_eq!(text, "one\ntwo\n");
    containers
        .remove("/web", RemoveOptions::default())
        .await
        .unwrap();
    let error = containers.inspect("web", false).await.unwrap_err();
    assert_eq!(error.to_string(), "No such container: web");
}
