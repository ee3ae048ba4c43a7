//! What an engine without swarm, plugins and BuildKit answers.

use axum::Router;
use axum::response::Response;
use axum::routing::{any, get};

use super::App;
use crate::http::{Failure, json};

/// Endpoints of swarm and plugins.
pub(crate) fn routes() -> Router<App> {
    let mut routes = Router::new()
        .route("/plugins", get(no_plugins))
        .route("/plugins/{*rest}", any(no_plugin));
    for noun in ["swarm", "nodes", "services", "tasks", "secrets", "configs"] {
        routes = routes
            .route(&format!("/{noun}"), any(no_swarm))
            .route(&format!("/{noun}/{{*rest}}"), any(no_swarm));
    }
    routes
}

async fn no_swarm() -> Failure {
    Failure::Unavailable(
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
         connect this node to swarm and try again.",
    )
}

async fn no_plugins() -> Response {
    json(&[(); 0])
}

async fn no_plugin() -> Failure {
    Failure::NotFound("plugin not found".to_owned())
}

/// BuildKit's protocol. Clients that get this answer can build with `DOCKER_BUILDKIT=0`.
pub(crate) async fn no_session() -> Failure {
    Failure::NotImplemented("BuildKit's protocol (build with DOCKER_BUILDKIT=0)")
}
