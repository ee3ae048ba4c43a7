//! The roles that the integration tests need of a binary: supervisor and init, as the engine starts
//! them, and an engine that works until it is killed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use engine::spec::{CreateOptions, HostOptions, Mount, NetworkMode, ProcessOptions};
use engine::{Engine, EngineConfig, Error, ImportOptions, RemoveOptions, WaitCondition, build};

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let mut args = std::env::args_os().skip(1);
    if name == "/sbin/docker-init" {
        return shim::init(args);
    }
    let role = args.next();
    match role.as_deref().and_then(|role| role.to_str()) {
        Some("shim") => shim::main(args),
        Some("bench") => bench(&args.map(PathBuf::from).collect::<Vec<_>>()),
        Some("work") => work(&args.map(PathBuf::from).collect::<Vec<_>>()),
        _ => ExitCode::FAILURE,
    }
}

/// `work ROOT RUN`: containers come and go until somebody kills us.
fn work(folders: &[PathBuf]) -> ExitCode {
    run(folders, async |engine| {
        say("ready");
        tokio::try_join!(
            short_lives(engine, NetworkMode::None),
            short_lives(engine, NetworkMode::Bridge),
            long_lives(engine),
            builds(engine),
        )
        .map(|_| ())
    })
}

/// Starts an engine in `[root, run]` and does `job` with it.
fn run(folders: &[PathBuf], job: impl AsyncFnOnce(&Engine) -> Result<(), Error>) -> ExitCode {
    let ([root, run_dir], Ok(exe)) = (folders, std::env::current_exe()) else {
        return ExitCode::FAILURE;
    };
    let config = EngineConfig {
        root: root.clone(),
        run_dir: run_dir.clone(),
        exe,
    };
    let Ok(runtime) = engine::runtime() else {
        return ExitCode::FAILURE;
    };
    let result = runtime.block_on(async {
        let begin = Instant::now();
        let engine = Engine::start(config).await?;
        say(&format!("engine started in {:?}", begin.elapsed()));
        job(&engine).await
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error {error}"));
            ExitCode::FAILURE
        }
    }
}

/// `bench ROOT RUN TAR`: what the parts of `run --rm` take, with the image in TAR.
fn bench(folders: &[PathBuf]) -> ExitCode {
    let [root, run_dir, tar] = folders else {
        return ExitCode::FAILURE;
    };
    run(&[root.clone(), run_dir.clone()], async |engine| {
        let archive = std::fs::File::open(tar).map_err(|source| Error::Io {
            action: "opening",
            path: tar.clone(),
            source,
        })?;
        let options = ImportOptions {
            reference: "busybox".parse().ok(),
            ..ImportOptions::default()
        };
        engine.images.import(archive, options).await?;
        for network in [NetworkMode::None, NetworkMode::Bridge] {
            rounds(engine, &network).await?;
        }
        memory();
        tokio::time::sleep(Duration::from_secs(4)).await;
        memory();
        Ok(())
    })
}

async fn rounds(engine: &Engine, network: &NetworkMode) -> Result<(), Error> {
    const ROUNDS: usize = 200;
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let mut options = options("", network.clone());
        options.process.cmd = Some(vec!["/bin/true".to_owned()]);
        options.process.volumes.clear();
        options.host.auto_remove = true;
        let begin = Instant::now();
        let id = engine.containers.create(options).await?.id;
        times[0].push(begin.elapsed());
        let waiter = engine
            .containers
            .wait(id.as_str(), WaitCondition::Removed)
            .await?;
        let begin = Instant::now();
        engine.containers.start(id.as_str()).await?;
        times[1].push(begin.elapsed());
        let begin = Instant::now();
        waiter.ended().await?;
        times[2].push(begin.elapsed());
    }
    for (name, mut times) in ["create", "start", "wait+remove"].into_iter().zip(times) {
        times.sort();
        let (median, late) = (times[ROUNDS / 2], times[ROUNDS * 9 / 10]);
        say(&format!(
            "{network} {name}: median {median:?}, p90 {late:?}"
        ));
    }
    Ok(())
}

fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .filter(|line| line.contains("RSS"))
        .for_each(say);
}

#[expect(clippy::print_stdout, reason = "the test reads it")]
fn say(line: &str) {
    println!("{line}");
    // The test that does not listen any more kills us anyway.
    let _ = std::io::stdout().flush();
}

fn options(script: &str, network: NetworkMode) -> CreateOptions {
    CreateOptions {
        image: "busybox".to_owned(),
        process: ProcessOptions {
            cmd: Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec()),
            volumes: vec!["/data".to_owned()],
            ..ProcessOptions::default()
        },
        host: HostOptions {
            network,
            ..HostOptions::default()
        },
        ..CreateOptions::default()
    }
}

/// `run --rm`, again and again.
async fn short_lives(engine: &Engine, network: NetworkMode) -> Result<(), Error> {
    loop {
        let mut options = options("echo hello", network.clone());
        options.host.auto_remove = true;
        let id = engine.containers.create(options).await?.id;
        let waiter = engine
            .containers
            .wait(id.as_str(), WaitCondition::Removed)
            .await?;
        engine.containers.start(id.as_str()).await?;
        waiter.ended().await?;
    }
}

/// Containers that stay, each second one killed and removed again.
async fn long_lives(engine: &Engine) -> Result<(), Error> {
    loop {
        let mut options = options("echo lives; sleep 1000", NetworkMode::Bridge);
        options.host.mounts = vec![Mount::parse_bind("kept:/kept")?];
        let kept = engine.containers.create(options.clone()).await?.id;
        say(&format!("created {kept}"));
        engine.containers.start(kept.as_str()).await?;
        say(&format!("started {kept}"));
        let gone = engine.containers.create(options).await?.id;
        engine.containers.start(gone.as_str()).await?;
        let force = RemoveOptions {
            force: true,
            volumes: true,
        };
        engine.containers.remove(gone.as_str(), force).await?;
        say(&format!("removed {gone}"));
    }
}

async fn builds(engine: &Engine) -> Result<(), Error> {
    for number in 0_u64.. {
        let text = format!("FROM busybox\nRUN echo {number} > /number\nRUN cat /number\n");
        let request = build::BuildRequest {
            dockerfile: build::DockerfileSource::Text {
                name: "Dockerfile".to_owned(),
                text,
            },
            tags: format!("built:{number}").parse().into_iter().collect(),
            outputs: vec![build::Output::Image],
            no_cache: true,
            ..build::BuildRequest::default()
        };
        let build = engine
            .builds
            .start(None, request, build::ContextSource::Empty)?;
        build.finish().await?;
        say(&format!("built {number}"));
    }
    Ok(())
}
