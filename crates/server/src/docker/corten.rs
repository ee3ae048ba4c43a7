//! Our own endpoints: see [`api::corten`].

use api::corten::{BuildEvent, BuildRequest, FsckReport};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use engine::{Build, Builds, System};
use futures_util::stream;

use crate::http::{Call, Caller, Failure, Fds, json, json_lines, read_json, sentence};
use crate::wire;

pub(crate) async fn build(
    State(builds): State<Builds>,
    Caller(peer): Caller,
    Fds(fds): Fds,
    body: Body,
) -> Result<Response, Failure> {
    let request: BuildRequest = read_json(body).await?;
    let caller = sys::credentials::Caller {
        uid: peer.uid,
        gid: peer.gid,
        groups: peer.groups,
    };
    let (request, context) = wire::build_request(request, fds, &caller)?;
    let build = builds.start(None, request, context)?;
    Ok(json_lines(stream::unfold(Some(build), next)))
}

/// The next line. A client that goes away drops the build in it, which cancels it.
async fn next(build: Option<Build>) -> Option<(BuildEvent, Option<Build>)> {
    let mut build = build?;
    if let Some(event) = build.events.recv().await {
        let at = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        return Some((wire::build_event(event, at), Some(build)));
    }
    let last = match build.finish().await {
        Ok(result) => BuildEvent::Result(wire::build_result(&result)),
        Err(error) => BuildEvent::Error {
            message: sentence(&error),
        },
    };
    Some((last, None))
}

pub(crate) async fn fsck(State(system): State<System>, call: Call) -> Result<Response, Failure> {
    let problems = system.fsck(call.query.flag("digests")).await?;
    Ok(json(&FsckReport {
        problems: problems.iter().map(ToString::to_string).collect(),
    }))
}
