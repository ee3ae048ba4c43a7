//! Streams of containers: `/containers/{name}/logs` and `/attach`.

use api::stdcopy::{self, MULTIPLEXED, RAW};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::spec::Attach;
use engine::{AttachOptions, Containers, LogLine, LogStream, LogsOptions, Output};

use crate::http::{Call, Failure, HandOvers, Hijack, Taken, sentence};
use crate::quirks;

type Answer = Result<Response, Failure>;

pub(crate) async fn logs(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let query = &call.query;
    let options = LogsOptions {
        follow: query.flag("follow"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        since: time(&call, "since")?,
        until: time(&call, "until")?,
        // Docker takes anything that is no number for all.
        tail: query.text("tail").and_then(|text| text.parse().ok()),
    };
    if !options.stdout && !options.stderr {
        return Err(Failure::Invalid(
            "Bad parameters: you must choose at least one stream".to_owned(),
        ));
    }
    let timestamps = query.flag("timestamps");
    let lines = containers.logs(&name, options).await?;
    let content_type = match lines.tty || !quirks::names_framed_streams(call.version) {
        true => RAW,
        false => MULTIPLEXED,
    };
    let body = log_body(lines, timestamps);
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}

/// `0` is how clients say that nothing was said.
fn time(call: &Call, name: &'static str) -> Result<Option<jiff::Timestamp>, Failure> {
    match call.query.text(name) {
        None | Some("0") => Ok(None),
        Some(text) => Ok(Some(engine::parse_time(text)?)),
    }
}

fn log_body(lines: LogStream, timestamps: bool) -> Body {
    let framed = !lines.tty;
    let chunks = futures_util::stream::unfold(lines, move |mut lines| async move {
        let chunk = match lines.next().await? {
            Ok(line) => Ok(print(&line, framed, timestamps)),
            Err(error) => Err(error),
        };
        Some((chunk, lines))
    });
    Body::from_stream(chunks)
}

fn print(line: &LogLine, framed: bool, timestamps: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(line.text.len() + 48);
    if timestamps {
        // Always nine digits: columns stay in line.
        text.extend_from_slice(format!("{:.9} ", line.time).as_bytes());
    }
    text.extend_from_slice(&line.text);
    if !framed {
        return text;
    }
    let stream = match line.output {
        Output::Stdout => stdcopy::Stream::Stdout,
        Output::Stderr => stdcopy::Stream::Stderr,
    };
    let mut frame = Vec::with_capacity(stdcopy::HEAD + text.len());
    stdcopy::write(stream, &text, &mut frame);
    frame
}

pub(crate) async fn attach(
    State(containers): State<Containers>,
    State(hand_overs): State<HandOvers>,
    Path(name): Path<String>,
    call: Call,
    mut request: Request,
) -> Answer {
    let query = &call.query;
    let options = AttachOptions {
        streams: Attach {
            stdin: query.flag("stdin"),
            stdout: query.flag("stdout"),
            stderr: query.flag("stderr"),
        },
        logs: query.flag("logs"),
        stream: query.flag("stream"),
        detach_keys: query.text("detachKeys").map(str::to_owned),
    };
    let attachment = containers.attach(&name, options).await?;
    let tty = attachment.tty;
    let hijack = Hijack::of(&mut request);
    let promise = hand_overs.promise();
    hijack.answer(
        call.version,
        tty,
        request.into_body(),
        move |taken| async move {
            let Taken { socket, sent } = taken;
            let _promise = promise;
            if let Err(error) = attachment.hand_over(socket, sent).await {
                tracing::warn!(error = sentence(&error), container = name, "attach failed");
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line = LogLine {
            output: Output::Stderr,
            time: jiff::Timestamp::new(1, 500_000_000).unwrap(),
            text: b"hi\n".to_vec(),
        };
        assert_eq!(print(&line, false, false), b"hi\n");
        assert_eq!(print(&line, true, false), b"\x02\0\0\0\0\0\0\x03hi\n");
        let text = String::from_utf8(print(&line, false, true)).unwrap();
        assert_eq!(text, "1970-01-01T00:00:01.500000000Z hi\n");
    }
}
