//! The endpoints: decode a request, call the engine once, encode the answer.
//!
//! One file for each noun, as in the engine. Paths are without their version; [`crate::quirks`]
//! took it off.

mod archive;
mod builds;
mod containers;
mod corten;
mod events;
mod execs;
mod images;
mod legacy;
mod networks;
mod streams;
mod swarm;
mod system;
mod volumes;

use axum::extract::FromRef;
use axum::http::{StatusCode, Uri};
use axum::routing::{any, get, head, post};
use axum::{Router, response::IntoResponse};
use engine::{Builds, Containers, Engine, Events, Execs, Images, Networks, System, Volumes};

use crate::http::{Failure, HandOvers};

/// What handlers choose their services from.
#[derive(Clone)]
pub(crate) struct App {
    engine: Engine,
    hand_overs: HandOvers,
}

impl FromRef<App> for HandOvers {
    fn from_ref(app: &App) -> Self {
        app.hand_overs.clone()
    }
}

macro_rules! services {
    ($($field:ident: $service:ty),*) => {$(
        impl FromRef<App> for $service {
            fn from_ref(app: &App) -> Self {
                app.engine.$field.clone()
            }
        }
    )*};
}

services!(
    builds: Builds,
    containers: Containers,
    events: Events,
    execs: Execs,
    images: Images,
    networks: Networks,
    system: System,
    volumes: Volumes
);

/// Every endpoint.
pub(crate) fn routes(engine: Engine) -> Router {
    let routes = Router::new()
        .merge(system_routes())
        .merge(container_routes())
        .merge(object_routes())
        .merge(swarm::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown);
    routes.with_state(App {
        engine,
        hand_overs: HandOvers::default(),
    })
}

async fn unknown(uri: Uri) -> impl IntoResponse {
    tracing::debug!(path = uri.path(), "no such endpoint");
    let failure = Failure::NotFound("page not found".to_owned());
    (StatusCode::NOT_FOUND, failure)
}

fn system_routes() -> Router<App> {
    Router::new()
        .route("/_ping", get(system::ping))
        .route("/version", get(system::version))
        .route("/info", get(system::info))
        .route("/system/df", get(system::disk_usage))
        .route("/auth", post(system::auth))
        .route("/events", get(events::follow))
        .route("/build", post(builds::build))
        .route("/build/prune", post(builds::prune))
        .route("/build/cancel", post(builds::cancel))
        .route("/corten/build", post(corten::build))
        .route("/corten/fsck", get(corten::fsck))
        .route("/session", any(swarm::no_session))
        .route("/grpc", any(swarm::no_session))
}

fn container_routes() -> Router<App> {
    let name = |verb: &str| format!("/containers/{{name}}{verb}");
    Router::new()
        .route("/containers/json", get(containers::list))
        .route("/containers/create", post(containers::create))
        .route("/containers/prune", post(containers::prune))
        .route(&name(""), axum::routing::delete(containers::remove))
        .route(&name("/json"), get(containers::inspect))
        .route(&name("/start"), post(containers::start))
        .route(&name("/stop"), post(containers::stop))
        .route(&name("/restart"), post(containers::restart))
        .route(&name("/kill"), post(containers::kill))
        .route(&name("/pause"), post(containers::pause))
        .route(&name("/unpause"), post(containers::unpause))
        .route(&name("/rename"), post(containers::rename))
        .route(&name("/resize"), post(containers::resize))
        .route(&name("/wait"), post(containers::wait))
        .route(&name("/top"), get(containers::top))
        .route(&name("/changes"), get(containers::changes))
        .route(&name("/export"), get(archive::export))
        .route(&name("/logs"), get(streams::logs))
        .route(&name("/attach"), post(streams::attach))
        .route(&name("/exec"), post(execs::create))
        .route(
            &name("/archive"),
            head(archive::stat).get(archive::get).put(archive::put),
        )
        .route(&name("/stats"), get(containers::no_stats))
        .route(&name("/update"), post(containers::no_update))
        .route(&name("/attach/ws"), get(containers::no_websocket))
        .route("/commit", post(containers::no_commit))
        .route("/exec/{id}/json", get(execs::inspect))
        .route("/exec/{id}/start", post(execs::start))
        .route("/exec/{id}/resize", post(execs::resize))
}

fn object_routes() -> Router<App> {
    Router::new()
        .route("/images/json", get(images::list))
        .route("/images/create", post(images::create))
        .route("/images/load", post(images::load))
        .route("/images/get", get(images::save))
        .route("/images/prune", post(images::prune))
        .route("/images/search", get(images::no_search))
        // Names of images have slashes in them: the verb is split off by hand.
        .route(
            "/images/{*rest}",
            get(images::get).post(images::post).delete(images::delete),
        )
        .route("/distribution/{*rest}", get(images::no_distribution))
        .route("/networks", get(networks::list))
        .route("/networks/create", post(networks::no_change))
        .route("/networks/prune", post(networks::prune))
        .route(
            "/networks/{name}",
            get(networks::inspect).delete(networks::no_change),
        )
        .route("/networks/{name}/connect", post(networks::no_change))
        .route("/networks/{name}/disconnect", post(networks::no_change))
        .route("/volumes", get(volumes::list))
        .route("/volumes/create", post(volumes::no_create))
        .route("/volumes/prune", post(volumes::prune))
        .route(
            "/volumes/{name}",
            get(volumes::inspect).delete(volumes::remove),
        )
}
