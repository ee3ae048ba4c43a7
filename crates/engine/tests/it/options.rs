//! What the options of a container do to it.

use engine::spec::{CreateOptions, Mount, NetworkMode, Resources, SeccompChoice, Ulimit};
use engine::{ErrorKind, RemoveOptions};

use crate::fixture::Fixture;

/// Runs a script with options changed by `change`.
async fn output(script: &str, change: impl FnOnce(&mut CreateOptions)) -> (u8, String) {
    let fixture = Fixture::new().await;
    let mut options = Fixture::script(script);
    change(&mut options);
    fixture.run(options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_environment() {
    let script = "id; echo $HOME; echo $A; pwd; hostname; umask";
    let (code, text) = output(script, |options| {
        options.process.user = "app".into();
        options.process.env = vec!["A=b c".into()];
        options.process.working_dir = "/new/folder".into();
        options.process.hostname = "box".into();
        options.host.group_add = vec!["wheel".into()];
    })
    .await;
    let expected = "uid=1000(app) gid=1000(app) groups=10(wheel),1000(app)\n/home/app\nb c\n/new/folder\nbox\n0022\n";
    assert_eq!((code, text.as_str()), (0, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_privileges() {
    let script = "ulimit -n; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; \
        touch /x 2>&1; cat /proc/1/oom_score_adj";
    let (_, text) = output(script, |options| {
        let host = &mut options.host;
        host.ulimits = vec![Ulimit {
            name: "nofile".into(),
            soft: 100,
            hard: 200,
        }];
        host.cap_drop = vec!["ALL".into()];
        host.cap_add = vec!["CHOWN".into()];
        host.security.no_new_privileges = true;
        host.read_only = true;
        host.oom_score_adj = 123;
        host.resources = Resources {
            memory: Some(64 << 20),
            nano_cpus: Some(500_000_000),
            pids_limit: Some(50),
            ..Resources::default()
        };
    })
    .await;
    for line in [
        "100\n",
        "CapEff:\t0000000000000001",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "Read-only file system",
        "123",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seccomp_can_be_unconfined() {
    let (_, text) = output("grep Seccomp: /proc/self/status", |options| {
        options.host.security.seccomp = SeccompChoice::Unconfined;
    })
    .await;
    assert_eq!(text, "Seccomp:\t0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_reaps() {
    let script = "cat /proc/1/cmdline | tr '\\0' ' '; (sleep 0.05 &); sleep 0.2; ps | grep -c '[s]leep' ; exit 9";
    let (code, text) = output(script, |options| options.host.init = true).await;
    assert_eq!(code, 9, "{text}");
    assert!(text.starts_with("/sbin/docker-init -- "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mounts_of_all_kinds() {
    let fixture = Fixture::new().await;
    let folder = fixture.folder.path().join("shared");
    let mut options = Fixture::script(
        "cat /data/seed; echo new > /data/new; echo host > /b/file; touch /ro/x 2>&1; \
         grep ' /t ' /proc/mounts | cut -d' ' -f3; ls /anonymous",
    );
    let path = folder.to_str().unwrap();
    options.host.mounts = vec![
        Mount::parse_bind("named:/data").unwrap(),
        Mount::parse_bind(&format!("{path}:/b")).unwrap(),
        Mount::parse_bind(&format!("{path}:/ro:ro")).unwrap(),
        Mount::parse_tmpfs("/t", "size=1m").unwrap(),
    ];
    options.process.volumes = vec!["/anonymous".into()];
    options.name = Some("first".into());
    let (_, text) = fixture.run(options).await;
    assert_eq!(
        text,
        "from the image\ntouch: /ro/x: Read-only file system\ntmpfs\n"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("file")).unwrap(),
        "host\n"
    );
    let mut second = Fixture::script("cat /data/new /data/seed");
    second.host.mounts = vec![Mount::parse_bind("named:/data:ro").unwrap()];
    let (_, text) = fixture.run(second).await;
    assert_eq!(text, "new\nfrom the image\n");
    let volumes = fixture
        .engine
        .volumes
        .list(engine::Filters::default(), false);
    assert_eq!(volumes.await.unwrap().len(), 2);
    let remove = RemoveOptions {
        volumes: true,
        ..RemoveOptions::default()
    };
    fixture
        .engine
        .containers
        .remove("first", remove)
        .await
        .unwrap();
    fixture.settle().await;
    let volumes = fixture
        .engine
        .volumes
        .list(engine::Filters::default(), false);
    let names: Vec<String> = volumes.await.unwrap().into_iter().map(|v| v.name).collect();
    assert_eq!(names, ["named"]);
}

/// A name that this machine can resolve: where it takes its packages from.
fn mirror() -> String {
    let folder = std::fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten();
    let files = folder
        .map(|entry| entry.path())
        .chain(["/etc/apt/sources.list".into()]);
    let mut texts = files.filter_map(|file| std::fs::read_to_string(file).ok());
    let host = texts.find_map(|text| {
        let (_, rest) = text
            .split_once("URIs: http://")
            .or_else(|| text.split_once("deb http://"))?;
        rest.split('/').next().map(str::to_owned)
    });
    host.unwrap_or_else(|| panic!("apt has no mirror"))
}

#[tokio::test(flavor = "multi_thread")]
async fn networks() {
    let script = format!(
        "ip -4 addr show eth0; ip route; cat /etc/hosts; nslookup {}",
        mirror()
    );
    let (code, text) = output(&script, |options| {
        options.host.network = NetworkMode::Bridge;
        options.process.hostname = "box".into();
    })
    .await;
    assert!(
        text.contains("default via") && text.contains("\tbox"),
        "{text}"
    );
    assert_eq!(code, 0, "{text}");
    let (_, text) = output("ip -4 addr show lo; ls /sys/class/net", |_| {}).await;
    assert!(
        text.contains("127.0.0.1/8") && !text.contains("eth0"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_the_network_of_another() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    let mut first = Fixture::script("sleep 60");
    first.name = Some("first".into());
    first.host.network = NetworkMode::Bridge;
    first.process.hostname = "first".into();
    containers.create(first).await.unwrap();
    containers.start("first").await.unwrap();
    let mut second = Fixture::script("cat /sys/class/net/eth0/address; hostname");
    second.host.network = NetworkMode::Container("first".into());
    let (_, text) = fixture.run(second).await;
    let first = containers.inspect("first", false).await.unwrap().document;
    assert!(text.contains(&first.endpoint.unwrap().mac), "{text}");
    let kill = RemoveOptions {
        force: true,
        volumes: true,
    };
    containers.remove("first", kill).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_cannot_start() {
    let fixture = Fixture::new().await;
    let containers = &fixture.engine.containers;
    for (program, code) in [("/bin/what", 127), ("what", 127), ("/etc/passwd", 126)] {
        let mut options = Fixture::script("");
        options.process.cmd = Some(vec![program.into()]);
        options.host.network = NetworkMode::Bridge;
        let id = containers.create(options).await.unwrap().id;
        let error = containers.start(id.as_str()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let document = containers
            .inspect(id.as_str(), false)
            .await
            .unwrap()
            .document;
        assert!(document.endpoint.is_none(), "its address is given back");
        let state = document.state;
        assert_eq!(state.exit().map(|exit| exit.code), Some(code), "{error}");
        assert_eq!(state.name(), "created");
        // Nothing of the attempt is in the way of the next one.
        containers.start(id.as_str()).await.unwrap_err();
        containers
            .remove(id.as_str(), RemoveOptions::default())
            .await
            .unwrap();
    }
}
