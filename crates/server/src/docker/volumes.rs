//! `/volumes/…`.

use api::VolumesPruned;
use api::volume::{List, Volume};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::Volumes;

use crate::http::{Call, Failure, json};
use crate::wire;

type Answer = Result<Response, Failure>;

pub(crate) async fn list(State(volumes): State<Volumes>, call: Call) -> Answer {
    let list = volumes.list(call.filters()?, false).await?;
    Ok(json(&List {
        volumes: list.iter().map(volume).collect(),
        warnings: None,
    }))
}

pub(crate) async fn inspect(State(volumes): State<Volumes>, Path(name): Path<String>) -> Answer {
    let found = volumes.inspect(&name).await?;
    Ok(json(&volume(&found)))
}

pub(crate) async fn prune(State(volumes): State<Volumes>, call: Call) -> Answer {
    let pruned = volumes.prune(call.filters()?).await?;
    Ok(json(&VolumesPruned {
        volumes_deleted: Some(pruned.deleted).filter(|list| !list.is_empty()),
        space_reclaimed: pruned.reclaimed,
    }))
}

pub(crate) async fn remove(
    State(volumes): State<Volumes>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    volumes.delete(&name, call.query.flag("force")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `-v name:/path` makes volumes.
pub(crate) async fn no_create() -> Failure {
    Failure::NotImplemented("making a volume without a container")
}

/// A volume as it is listed and inspected.
pub(crate) fn volume(volume: &engine::Volume) -> Volume {
    // Docker marks volumes without a name of their own by a label.
    let labels = volume
        .anonymous
        .then(|| [("com.docker.volume.anonymous".to_owned(), String::new())].into());
    Volume {
        created_at: wire::rfc3339(Some(volume.created)),
        driver: "local".to_owned(),
        labels,
        mountpoint: volume.path.display().to_string(),
        name: volume.name.clone(),
        options: None,
        scope: "local".to_owned(),
        usage_data: None,
    }
}
