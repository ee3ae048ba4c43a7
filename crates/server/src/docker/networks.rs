//! `/networks/…`: the ones that are always there.

use api::NetworksPruned;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::Networks;

use crate::http::{Call, Failure, json};
use crate::wire;

type Answer = Result<Response, Failure>;

pub(crate) async fn list(State(networks): State<Networks>, call: Call) -> Answer {
    let list = networks.list(call.filters()?).await?;
    let rows = list.iter().map(|network| {
        // Members are only shown for one network at a time.
        let mut row = wire::network(network);
        row.containers.clear();
        row
    });
    Ok(json(&rows.collect::<Vec<_>>()))
}

pub(crate) async fn inspect(State(networks): State<Networks>, Path(name): Path<String>) -> Answer {
    let network = networks.inspect(&name).await?;
    Ok(json(&wire::network(&network)))
}

/// The networks that are there cannot be pruned.
pub(crate) async fn prune() -> Response {
    json(&NetworksPruned::default())
}

pub(crate) async fn no_change() -> Failure {
    Failure::NotImplemented("making and changing networks")
}
