//! From a connection to the handlers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::ApiVersion;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use super::stream::FdQueue;
use super::{Caller, Listener, Stream};
use crate::quirks;

/// The most connections at a time. Each attach, wait and stream of events holds one.
const CONNECTIONS: usize = 4096;

/// How long a connection may be silent before a request and within its head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// How long running requests may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// Answers on `listener` until `stop`. What runs then has a moment to end.
pub async fn serve(listener: Listener, routes: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((socket, _)) => {
                // Where all places are taken the next ones wait in the queue of the socket.
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    break;
                };
                let (routes, stop) = (routes.clone(), stop.clone());
                tasks.spawn(async move {
                    converse(socket, routes, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: give others time to close some.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    let _ = tokio::time::timeout(GRACE, tasks.wait()).await;
}

async fn converse(socket: UnixStream, routes: Router, stop: CancellationToken) {
    let caller = match sys::socket::peer(&socket) {
        Ok(peer) => Caller(peer),
        Err(error) => {
            tracing::warn!(%error, "a peer without credentials");
            return;
        }
    };
    let stream = Stream::new(socket);
    let fds = stream.fds();
    let service = service_fn(move |request| {
        let (routes, caller, fds) = (routes.clone(), caller.clone(), fds.clone());
        async move { Ok::<_, Infallible>(answer(request, routes, caller, fds).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(stream, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        // Clients that hang up in the middle are everyday life.
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(
    request: Request<Incoming>,
    mut routes: Router,
    caller: Caller,
    fds: FdQueue,
) -> Response {
    let mut request = request.map(Body::new);
    let response = match quirks::take_version(&mut request) {
        Err(failure) => failure.into_response(),
        Ok(version) => {
            request.extensions_mut().insert::<ApiVersion>(version);
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(fds.clone());
            match routes.call(request).await {
                Ok(response) => response,
            }
        }
    };
    fds.clear();
    quirks::common_headers(response)
}
