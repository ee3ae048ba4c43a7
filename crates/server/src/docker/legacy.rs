//! `POST /build`: a context as a tar archive, progress as text for people.

use api::jsonmessage::Message;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use engine::build::{BuildError, ContextSource};
use engine::{Build, Builds, Error};
use futures_util::{StreamExt as _, stream};

use crate::http::{Call, Failure, archive, json_lines, sentence};
use crate::wire::{self, Transcript};

pub(crate) async fn build(
    State(builds): State<Builds>,
    call: Call,
    body: Body,
) -> Result<Response, Failure> {
    let request = wire::legacy_request(&call.query)?;
    let context = ContextSource::Tar(Box::new(archive(body)));
    let id = call.query.text("buildid").map(str::to_owned);
    let build = builds.start(id, request, context)?;
    let transcript = Transcript::new(call.query.flag("q"));
    let messages = stream::unfold((Some(build), transcript), next);
    Ok(json_lines(messages.flat_map(stream::iter)))
}

/// A build that goes on, and what was not shown of it.
type Progress = (Option<Build>, Transcript);

/// What comes next. A client that goes away drops the build in it, which cancels it.
async fn next((build, mut transcript): Progress) -> Option<(Vec<Message>, Progress)> {
    let mut build = build?;
    if let Some(event) = build.events.recv().await {
        let messages = transcript.feed(event);
        return Some((messages, (Some(build), transcript)));
    }
    let last = match build.finish().await {
        Ok(result) => transcript.succeed(&result),
        Err(error) => transcript.fail(sentence(&error), exit_code(&error)),
    };
    Some((last, (None, transcript)))
}

/// The legacy builder told the exit code of a failed step.
fn exit_code(error: &Error) -> i64 {
    match error {
        Error::Build(BuildError::Exit { code, .. }) => i64::from(*code),
        _ => 0,
    }
}
