//! `/containers/…` but for streams and archives.

use api::ContainersPruned;
use api::container::{Change, CreateRequest, Created, Top, WaitError, WaitResponse};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::{ChangeKind, Containers, ListOptions, Networks, RemoveOptions, WaitCondition};
use jiff::Timestamp;

use crate::http::{Call, Failure, HandOvers, json, json_lines, read_json, sentence};
use crate::wire::{self, NetworkIds};

type Answer = Result<Response, Failure>;

pub(crate) async fn list(
    State(containers): State<Containers>,
    State(networks): State<Networks>,
    call: Call,
) -> Answer {
    let options = ListOptions {
        all: call.query.flag("all"),
        // Old clients say -1 or 0 for no limit.
        limit: call
            .query
            .number::<i64>("limit")?
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|&limit| limit > 0),
        size: call.query.flag("size"),
        filters: call.filters()?,
    };
    let list = containers.list(options).await?;
    let networks = network_ids(&networks).await?;
    let now = Timestamp::now();
    let rows = list.iter();
    let rows: Vec<_> = rows
        .map(|container| wire::summary(container, &networks, now))
        .collect();
    Ok(json(&rows))
}

async fn network_ids(networks: &Networks) -> Result<NetworkIds, Failure> {
    let list = networks.list(engine::Filters::default()).await?;
    Ok(NetworkIds::of(&list))
}

pub(crate) async fn create(State(containers): State<Containers>, call: Call, body: Body) -> Answer {
    let request: CreateRequest = read_json(body).await?;
    let (name, platform) = (call.query.text("name"), call.query.text("platform"));
    let options = wire::create_options(name, platform, request)?;
    let created = containers.create(options).await?;
    let document = Created {
        id: created.id.to_string(),
        warnings: created.warnings,
    };
    Ok((StatusCode::CREATED, json(&document)).into_response())
}

pub(crate) async fn inspect(
    State(containers): State<Containers>,
    State(networks): State<Networks>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let container = containers.inspect(&name, call.query.flag("size")).await?;
    let networks = network_ids(&networks).await?;
    Ok(json(&wire::inspect(&container, &networks)))
}

pub(crate) async fn start(
    State(containers): State<Containers>,
    State(hand_overs): State<HandOvers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    if call.query.text("checkpoint").is_some() {
        return Err(Failure::unsupported("--checkpoint"));
    }
    hand_overs.settled().await;
    containers.start(&name).await?;
    done()
}

pub(crate) async fn stop(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let timeout = call.query.number("t")?;
    finish(async move {
        let signal = call.query.text("signal");
        containers.stop(&name, signal, timeout).await
    })
    .await?;
    done()
}

pub(crate) async fn restart(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let timeout = call.query.number("t")?;
    finish(async move {
        let signal = call.query.text("signal");
        containers.restart(&name, signal, timeout).await
    })
    .await?;
    done()
}

pub(crate) async fn kill(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    containers.kill(&name, call.query.text("signal")).await?;
    done()
}

pub(crate) async fn pause(
    State(containers): State<Containers>,
    Path(name): Path<String>,
) -> Answer {
    containers.pause(&name).await?;
    done()
}

pub(crate) async fn unpause(
    State(containers): State<Containers>,
    Path(name): Path<String>,
) -> Answer {
    containers.unpause(&name).await?;
    done()
}

pub(crate) async fn rename(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    containers.rename(&name, call.required("name")?).await?;
    done()
}

pub(crate) async fn resize(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let (rows, columns) = call.size()?;
    containers.resize(&name, rows, columns).await?;
    Ok(StatusCode::OK.into_response())
}

pub(crate) async fn remove(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    if call.query.flag("link") {
        return Err(Failure::unsupported("rm --link"));
    }
    let options = RemoveOptions {
        force: call.query.flag("force"),
        volumes: call.query.flag("v"),
    };
    finish(async move { containers.remove(&name, options).await }).await?;
    done()
}

/// The head of the answer goes out at once: a client that has it knows that the wait is
/// registered, and starts the container only then.
pub(crate) async fn wait(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let condition = match call.query.text("condition") {
        None | Some("not-running") => WaitCondition::NotRunning,
        Some("next-exit") => WaitCondition::NextExit,
        Some("removed") => WaitCondition::Removed,
        Some(other) => {
            return Err(Failure::Invalid(format!("invalid condition: {other:?}")));
        }
    };
    let waiter = containers.wait(&name, condition).await?;
    Ok(json_lines(futures_util::stream::once(async move {
        match waiter.ended().await {
            Ok(ended) => WaitResponse {
                status_code: ended.code.into(),
                error: ended.error.map(|message| WaitError { message }),
            },
            Err(error) => WaitResponse {
                status_code: -1,
                error: Some(WaitError {
                    message: sentence(&error),
                }),
            },
        }
    })))
}

pub(crate) async fn top(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let arguments = call.query.text("ps_args").unwrap_or("-ef");
    let table = containers.top(&name, arguments).await?;
    Ok(json(&Top {
        processes: table.processes,
        titles: table.titles,
    }))
}

pub(crate) async fn changes(
    State(containers): State<Containers>,
    Path(name): Path<String>,
) -> Answer {
    let changes = containers.changes(&name).await?;
    let changes = changes.into_iter().map(|change| Change {
        kind: match change.kind {
            ChangeKind::Modified => 0,
            ChangeKind::Added => 1,
            ChangeKind::Deleted => 2,
        },
        path: change.path,
    });
    Ok(json(&changes.collect::<Vec<_>>()))
}

pub(crate) async fn prune(State(containers): State<Containers>, call: Call) -> Answer {
    let pruned = containers.prune(call.filters()?).await?;
    Ok(json(&ContainersPruned {
        containers_deleted: Some(pruned.deleted).filter(|list| !list.is_empty()),
        space_reclaimed: pruned.reclaimed,
    }))
}

/// Goes on where the client does not wait: a container that was asked to stop is killed after its
/// time even then.
async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, engine::Error>> + Send + 'static,
) -> Result<T, Failure> {
    let result = tokio::spawn(work).await;
    Ok(result.map_err(engine::Error::from)??)
}

fn done() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn no_stats() -> Failure {
    Failure::NotImplemented("stats")
}

pub(crate) async fn no_update() -> Failure {
    Failure::NotImplemented("update")
}

pub(crate) async fn no_commit() -> Failure {
    Failure::NotImplemented("commit")
}

pub(crate) async fn no_websocket() -> Failure {
    Failure::NotImplemented("attach over a websocket")
}
