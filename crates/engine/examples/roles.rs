//! The roles that the integration tests need of a binary: supervisor and init, as the engine starts
//! them, and an engine that works until it is killed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use engine::spec::{CreateOptions, HostOptions, Mount, NetworkMode, ProcessOptions};
use engine::{Engine, EngineConfig, Error, RemoveOptions, WaitCondition, build};

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let mut args = std::env::args_os().skip(1);
    if name == "/sbin/docker-init" {
        return shim::init(args);
    }
    let role = args.next();
    match role.as_deref().and_then(|role| role.to_str()) {
        Some("shim") => shim::main(args),
        Some("work") => work(&args.map(PathBuf::from).collect::<Vec<_>>()),
        _ => ExitCode::FAILURE,
    }
}

/// `work ROOT RUN`: containers come and go until somebody kills us.
fn work(folders: &[PathBuf]) -> ExitCode {
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
        let engine = Engine::start(config).await?;
        say("ready");
        tokio::try_join!(
            short_lives(&engine, NetworkMode::None),
            short_lives(&engine, NetworkMode::Bridge),
            long_lives(&engine),
            builds(&engine),
        )
        .map(|_| ())
    });
    if let Err(error) = result {
        say(&format!("error {error}"));
    }
    ExitCode::FAILURE
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
