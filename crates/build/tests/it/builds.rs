//! What holds across builds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use build::{BuildRequest, ContextSource, Event, Secret};
use sys::credentials::Caller;
use tokio_util::sync::CancellationToken;

use crate::machine::{Machine, folder, request, write_files};

const NODE: &str =
    "FROM base\nWORKDIR /app\nCOPY package*.json ./\nRUN write installed yes\nCOPY . .\nRUN true\n";

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("package.json", "{}"),
        ("package-lock.json", "1"),
        ("src/main.js", "hello"),
    ];
    write_files(folder.path(), &files);
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_again_and_every_miss_is_explained() {
    let machine = Machine::new();
    let project = project();
    let first = machine.build_folder(NODE, project.path()).await;
    assert_eq!((first.reasons().len(), machine.runs()), (0, 2));
    let again = machine.build_folder(NODE, project.path()).await;
    assert_eq!((again.image(), machine.runs()), (first.image(), 2));
    assert_eq!(again.result.as_ref().unwrap().ran, 0, "{:?}", again.events);

    write_files(project.path(), &[("src/main.js", "changed")]);
    let source = machine.build_folder(NODE, project.path()).await;
    assert_eq!(machine.runs(), 3);
    assert_eq!(
        source.reasons(),
        [
            "ran again because src/main.js changed (2cf2… → d67e…)",
            "ran again because src/main.js changed (2cf2… → d67e…) in `[5/6] COPY . .`",
        ]
    );

    write_files(project.path(), &[("package-lock.json", "2")]);
    let lock = machine.build_folder(NODE, project.path()).await;
    let install = "ran again because package-lock.json changed (6b86… → d473…) in `[3/6] COPY package*.json ./`";
    assert_eq!(lock.reasons()[1], install);

    let edited = NODE.replace("RUN true", "RUN echo hi");
    let edited = machine.build_folder(&edited, project.path()).await;
    assert_eq!(
        edited.reasons(),
        ["ran again because the command changed (true → echo hi)"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_files_give_the_same_digest_whenever_and_wherever() {
    let mut images = Vec::new();
    for age in [0, 1000] {
        let machine = Machine::new();
        let project = project();
        let time = SystemTime::now() - Duration::from_secs(age);
        for name in ["package.json", "package-lock.json", "src/main.js", "src"] {
            let file = fs::File::open(project.path().join(name)).unwrap();
            file.set_modified(time).unwrap();
        }
        let built = machine.build_folder(NODE, project.path()).await;
        images.push(built.image());
    }
    assert_eq!(images[0], images[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_leaves_nothing_running() {
    let machine = Machine::new();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.cancel();
    });
    let request = request("FROM base\nRUN echo on && hang\n");
    let built = machine
        .build_until(request, ContextSource::Empty, cancel)
        .await;
    assert_eq!(built.error(), "the build was cancelled");
    assert_eq!(machine.sandbox.killed.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_steps_of_parallel_builds_run_once() {
    let machine = Arc::new(Machine::new());
    let text = "FROM base\nRUN write /a 1\nRUN write /b 2\n";
    let (one, two) = tokio::join!(machine.build_text(text), machine.build_text(text));
    assert_eq!(one.image(), two.image());
    assert_eq!(machine.runs(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cache_runs_everything_and_what_follows() {
    let machine = Machine::new();
    let text = "FROM base AS a\nRUN write /a 1\nFROM a AS b\nRUN write /b 2\n";
    machine.build_text(text).await;
    let filtered = BuildRequest {
        no_cache_filter: vec!["a".to_owned()],
        ..request(text)
    };
    let built = machine.build(filtered, ContextSource::Empty).await;
    assert_eq!(machine.runs(), 4, "{:?}", built.reasons());
    let again = machine.build_text(text).await;
    assert_eq!((machine.runs(), again.image()), (4, built.image()));
    let all = BuildRequest {
        no_cache: true,
        ..request(text)
    };
    machine.build(all, ContextSource::Empty).await;
    assert_eq!(machine.runs(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_reach_the_step_and_nothing_else() {
    let machine = Machine::new();
    let text = "FROM base\nRUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN \
        cat /run/secrets/token && env TOKEN\n";
    let mut with = request(text);
    with.secrets
        .insert("token".to_owned(), Secret(b"hush".to_vec()));
    let first = machine.build(with, ContextSource::Empty).await;
    assert_eq!(first.output(), "hush|hush", "{:?}", first.result);
    assert_eq!(machine.layers(&first.image()), "", "not even a folder");
    let mut other = request(text);
    other
        .secrets
        .insert("token".to_owned(), Secret(b"changed".to_vec()));
    let second = machine.build(other, ContextSource::Empty).await;
    assert_eq!((second.image(), machine.runs()), (first.image(), 1));
    let missing = request("FROM base\nRUN --mount=type=secret,id=x,required true\n");
    let missing = machine.build(missing, ContextSource::Empty).await;
    assert!(
        missing.error().contains("secret x: not found"),
        "{}",
        missing.error()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_mounts_outlive_builds() {
    let machine = Machine::new();
    let write = "FROM base\nRUN --mount=type=cache,target=/cache write /cache/x kept\n";
    let built = machine.build_text(write).await;
    assert!(
        !machine.layers(&built.image()).contains("cache"),
        "no trace in the layer"
    );
    let read = "FROM base\nRUN --mount=type=cache,target=/cache cat /cache/x\n";
    assert_eq!(machine.build_text(read).await.output(), "kept");
    let other = "FROM base\nRUN --mount=type=cache,id=other,target=/cache cat /cache/x\n";
    assert!(machine.build_text(other).await.result.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_mounts_show_stages_and_the_context() {
    let machine = Machine::new();
    let project = project();
    let text = "FROM base AS made\nRUN write /out.txt made\nFROM base\n\
        RUN --mount=type=bind,from=made,source=/out.txt,target=/in.txt cat /in.txt\n\
        RUN --mount=type=bind,source=src,target=/src cat /src/main.js\n\
        RUN --mount=target=/all cat /all/package.json\n";
    let built = machine.build_folder(text, project.path()).await;
    assert_eq!(built.output(), "made|hello|{}", "{:?}", built.result);
    let runs = machine.runs();
    let again = machine.build_folder(text, project.path()).await;
    assert_eq!((machine.runs(), again.image()), (runs, built.image()));
    write_files(project.path(), &[("src/main.js", "changed")]);
    machine.build_folder(text, project.path()).await;
    assert_eq!(
        machine.runs(),
        runs + 2,
        "only what mounts the changed file"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tar_or_a_dockerfile_may_come_as_a_stream() {
    let machine = Machine::new();
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in [
        ("Dockerfile", "FROM base\nCOPY f /f\nRUN cat /f\n"),
        ("f", "from a tar"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let tar = std::io::Cursor::new(tar.into_inner().unwrap());
    let mut from_context = request("");
    from_context.dockerfile = build::DockerfileSource::Context(None);
    let built = machine
        .build(from_context, ContextSource::Tar(Box::new(tar)))
        .await;
    assert_eq!(built.output(), "from a tar", "{:?}", built.result);

    let mut from_stream = request("");
    from_stream.dockerfile = build::DockerfileSource::Context(None);
    let text = std::io::Cursor::new(b"FROM base\nRUN echo alone\n".to_vec());
    let built = machine
        .build(from_stream, ContextSource::Tar(Box::new(text)))
        .await;
    assert_eq!(built.output(), "alone", "{:?}", built.result);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_shows_its_lines() {
    let machine = Machine::new();
    let built = machine
        .build_text("FROM base\nRUN echo hi && exit 3\n")
        .await;
    let expected = "Dockerfile:2\n--------------------\n   1 |     FROM base\n   \
        2 | >>> RUN echo hi && exit 3\n--------------------\n\
        process \"/bin/sh -c echo hi && exit 3\" did not complete successfully: exit code: 3";
    assert_eq!(built.error(), expected);
    let failed = built
        .events
        .iter()
        .any(|event| matches!(event, Event::Failed { .. }));
    assert!(failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_that_are_selected_are_read() {
    let machine = Machine::new();
    let project = project();
    // A fifo would block whoever reads it.
    let fifo = project.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let built = machine
        .build_folder("FROM base\nCOPY src /src\n", project.path())
        .await;
    built.result.unwrap();
    let ignored = "FROM base\nCOPY package.json /\n";
    write_files(project.path(), &[(".dockerignore", "package*\n")]);
    let built = machine
        .build(request(ignored), folder(project.path()))
        .await;
    let error = built.error();
    assert!(
        error.contains("\"package.json\" not found in the build context"),
        "{error}"
    );
    assert!(error.contains(".dockerignore leaves it out"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_context_is_read_with_the_callers_permissions() {
    let machine = Machine::new();
    let project = project();
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.path(), open).unwrap();
    let secret = project.path().join("src/secret");
    fs::write(&secret, "x").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let as_somebody = |text: &str| {
        let context = ContextSource::Folder {
            folder: fs::File::open(project.path()).unwrap().into(),
            caller: Caller {
                uid: 4711,
                gid: 4711,
                groups: Vec::new(),
            },
        };
        machine.build(request(text), context)
    };
    let allowed = as_somebody("FROM base\nCOPY package.json /\n").await;
    let layers = machine.layers(&allowed.image());
    assert!(
        layers.contains("Regular 644 0:0 2 @315532801 package.json"),
        "{layers}"
    );
    let refused = as_somebody("FROM base\nCOPY src /src\n").await;
    assert!(
        refused
            .error()
            .contains("cannot read src/secret: Permission denied"),
        "{}",
        refused.error()
    );
}

/// A project that changes in random ways, built after each change with all that earlier builds
/// left: the image is the same as without any of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_the_cache_is_what_would_be_built() {
    let cached = Machine::new();
    let project = project();
    let mut random = 42_u64;
    let mut below = |limit: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    for round in 0..30 {
        let file = [
            "package.json",
            "package-lock.json",
            "src/main.js",
            "src/new",
        ][usize::try_from(below(4)).unwrap()];
        write_files(project.path(), &[(file, &below(3).to_string())]);
        let lines = [
            "WORKDIR /app",
            "COPY package*.json ./",
            "RUN write /installed yes",
            "COPY --link src /src",
            "COPY --chmod=700 src /private",
            "RUN write /out two",
            "ENV A=1",
        ];
        let chosen = lines
            .into_iter()
            .filter(|_| below(4) > 0)
            .collect::<Vec<_>>()
            .join("\n");
        let text = format!(
            "FROM base AS one\n{chosen}\nFROM base\nCOPY --from=one / /all/\nRUN write /x y\n"
        );
        let with = cached.build_folder(&text, project.path()).await;
        let without = Machine::new().build_folder(&text, project.path()).await;
        assert_eq!(with.image(), without.image(), "round {round}: {text}");
    }
}
