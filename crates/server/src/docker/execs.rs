//! `/containers/{name}/exec` and `/exec/…`.

use std::io::Write as _;

use api::IdResponse;
use api::exec::{CreateRequest, Inspect, ProcessConfig, StartRequest};
use api::stdcopy;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::spec::Attach;
use engine::{Exec, ExecOptions, ExecStart, ExecState, Execs};

use crate::http::{Call, Failure, Hijack, Taken, json, read_json, sentence};
use crate::wire;

type Answer = Result<Response, Failure>;

pub(crate) async fn create(
    State(execs): State<Execs>,
    Path(name): Path<String>,
    body: Body,
) -> Answer {
    let request: CreateRequest = read_json(body).await?;
    if request.cmd.is_empty() {
        return Err(Failure::Invalid("No exec command specified".to_owned()));
    }
    let options = ExecOptions {
        cmd: request.cmd,
        env: request.env,
        user: request.user,
        working_dir: request.working_dir,
        tty: request.tty,
        console_size: request.console_size.and_then(wire::console_size),
        privileged: request.privileged,
        attach: Attach {
            stdin: request.attach_stdin,
            stdout: request.attach_stdout,
            stderr: request.attach_stderr,
        },
        detach_keys: Some(request.detach_keys).filter(|keys| !keys.is_empty()),
    };
    let id = execs.create(&name, options).await?;
    let document = IdResponse { id: id.to_string() };
    Ok((StatusCode::CREATED, json(&document)).into_response())
}

pub(crate) async fn start(
    State(execs): State<Execs>,
    Path(id): Path<String>,
    call: Call,
    mut request: Request,
) -> Answer {
    let hijack = Hijack::of(&mut request);
    let request: StartRequest = read_json(request.into_body()).await?;
    if request.detach {
        execs.start_detached(&id).await?;
        return Ok(StatusCode::OK.into_response());
    }
    let console_size = request.console_size.and_then(wire::console_size);
    let start = execs.start(&id, console_size).await?;
    let tty = start.tty;
    hijack.answer(call.version, tty, Body::empty(), move |taken| async move {
        hand_over(start, taken).await;
    })
}

/// The answer is out: where the process cannot be started, its own output says so.
async fn hand_over(start: ExecStart, taken: Taken) {
    let tty = start.tty;
    let Taken { socket, sent } = taken;
    let spare = socket.try_clone();
    if let Err(error) = start.hand_over(socket, sent).await {
        let text = format!("{}\r\n", sentence(&error));
        let mut bytes = Vec::new();
        match tty {
            true => bytes.extend_from_slice(text.as_bytes()),
            false => stdcopy::write(stdcopy::Stream::Stdout, text.as_bytes(), &mut bytes),
        }
        if let Ok(socket) = spare {
            // A client that has gone needs no message.
            let _ = std::os::unix::net::UnixStream::from(socket).write_all(&bytes);
        }
    }
}

pub(crate) async fn resize(
    State(execs): State<Execs>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    let (rows, columns) = call.size()?;
    execs.resize(&id, rows, columns).await?;
    Ok(StatusCode::OK.into_response())
}

pub(crate) async fn inspect(State(execs): State<Execs>, Path(id): Path<String>) -> Answer {
    let exec = execs.inspect(&id).await?;
    Ok(json(&wire_exec(&exec)))
}

fn wire_exec(exec: &Exec) -> Inspect {
    let options = &exec.options;
    let (program, arguments) = match options.cmd.split_first() {
        Some((program, arguments)) => (program.clone(), arguments.to_vec()),
        None => (String::new(), Vec::new()),
    };
    let (running, exit_code, pid) = match exec.state {
        ExecState::Created => (false, None, 0),
        ExecState::Running { pid } => (true, None, pid),
        ExecState::Exited { code } => (false, Some(code.into()), 0),
    };
    Inspect {
        id: exec.id.to_string(),
        running,
        exit_code,
        process_config: ProcessConfig {
            tty: options.tty,
            entrypoint: program,
            arguments,
            privileged: options.privileged,
            user: options.user.clone(),
        },
        open_stdin: options.attach.stdin,
        open_stderr: options.attach.stderr,
        open_stdout: options.attach.stdout,
        can_remove: exit_code.is_some(),
        container_id: exec.container.to_string(),
        detach_keys: options.detach_keys.clone().unwrap_or_default(),
        pid: pid.into(),
    }
}
