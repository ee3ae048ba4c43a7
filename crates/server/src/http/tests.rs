//! The HTTP layer with the client of `api` at the other end. No engine takes part.

use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::OwnedFd;

use api::{Client, Query};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use hyper::Method;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::{Call, Caller, Failure, Fds, Hijack, Listener, Taken, json, read_json, serve};

struct Server {
    client: Client,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix://{}/x.sock", folder.path().display());
        let routes = Router::new()
            .route("/echo", post(echo))
            .route("/files", post(files))
            .route("/who", get(who))
            .route("/stream", post(stream))
            .route("/refuse", get(async || Failure::NotImplemented("that")));
        let stop = CancellationToken::new();
        let listener = Listener::bind(&address).unwrap();
        tokio::spawn(serve(listener, routes, stop.clone()));
        Self {
            client: Client::new(address.parse().unwrap()),
            stop,
            _folder: folder,
        }
    }
}

async fn echo(call: Call, body: Body) -> Result<Response, Failure> {
    let mut document: serde_json::Value = read_json(body).await?;
    document["version"] = call.version.to_string().into();
    document["q"] = call.query.text("q").into();
    Ok(json(&document))
}

/// The content of each file that came along.
async fn files(Fds(fds): Fds, body: Body) -> Result<Response, Failure> {
    let _: serde_json::Value = read_json(body).await?;
    let read = |fd: OwnedFd| {
        let mut text = String::new();
        std::fs::File::from(fd).read_to_string(&mut text).unwrap();
        text
    };
    Ok(json(&fds.into_iter().map(read).collect::<Vec<_>>()))
}

async fn who(Caller(peer): Caller) -> Response {
    json(&[peer.pid, peer.uid])
}

/// Sends back what comes, in capitals, and says goodbye at the end of input.
async fn stream(call: Call, mut request: Request) -> Result<Response, Failure> {
    let hijack = Hijack::of(&mut request);
    hijack.answer(
        call.version,
        false,
        request.into_body(),
        |taken: Taken| async {
            let work = move || {
                let mut socket = std::os::unix::net::UnixStream::from(taken.socket);
                let mut text = taken.sent;
                socket.write_all(b"hello ").unwrap();
                socket.read_to_end(&mut text).unwrap();
                socket.write_all(&text.to_ascii_uppercase()).unwrap();
            };
            tokio::task::spawn_blocking(work).await.unwrap();
        },
    )
}

fn file(text: &str) -> OwnedFd {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file.into()
}

#[tokio::test]
async fn documents_queries_and_versions() {
    let server = Server::start();
    for version in ["1.44", "1.51"] {
        server.client.set_version(version.parse().unwrap());
        let request = server
            .client
            .request(Method::POST, "/echo")
            .query(Query::new().with("q", "a b&c"))
            .json(&serde_json::json!({ "x": 1 }))
            .unwrap();
        let answer: serde_json::Value = request.receive().await.unwrap();
        let expected = serde_json::json!({ "x": 1, "version": version, "q": "a b&c" });
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn errors_are_sentences() {
    let server = Server::start();
    let refused = server.client.request(Method::GET, "/refuse").done().await;
    let error = refused.unwrap_err();
    assert_eq!(error.status(), Some(501));
    assert_eq!(
        error.to_string(),
        "that is not available in this version of Corten"
    );
    let body = api::client::Body::bytes("{");
    let post = server.client.request(Method::POST, "/echo").body(body);
    assert_eq!(post.done().await.unwrap_err().status(), Some(400));
    server.client.set_version("1.99".parse().unwrap());
    let post = server.client.request(Method::POST, "/echo");
    assert_eq!(post.done().await.unwrap_err().status(), Some(400));
}

#[tokio::test]
async fn a_document_may_not_be_endless() {
    let server = Server::start();
    let body = api::client::Body::reader(tokio::io::repeat(b' ').take(64 << 20));
    let post = server.client.request(Method::POST, "/echo").body(body);
    // The server answers before it has read everything: the client may see either.
    let error = post.done().await.unwrap_err();
    assert!(matches!(error.status(), Some(413) | None), "{error}");
}

#[tokio::test]
async fn files_come_with_their_request() {
    let server = Server::start();
    for round in [0, 1, 2, api::corten::MAX_FDS] {
        let texts: Vec<String> = (0..round).map(|n| format!("{round}.{n}")).collect();
        let fds = texts.iter().map(|text| file(text)).collect();
        let request = server.client.request(Method::POST, "/files").fds(fds);
        // Longer than one read.
        let request = request.json(&vec!["x".repeat(1000); 200]).unwrap();
        let answer: Vec<String> = request.receive().await.unwrap();
        assert_eq!(answer, texts);
    }
}

#[tokio::test]
async fn promised_files_that_do_not_come_are_an_error() {
    let server = Server::start();
    let post = server.client.request(Method::POST, "/files");
    let error = post.header("corten-fds", "1").done().await.unwrap_err();
    assert_eq!(error.status(), Some(400));
}

#[tokio::test]
async fn the_peer_is_known() {
    let server = Server::start();
    let peer: [u32; 2] = server
        .client
        .request(Method::GET, "/who")
        .receive()
        .await
        .unwrap();
    assert_eq!(peer[0], std::process::id());
}

#[tokio::test]
async fn an_upgraded_connection_closes_by_halves() {
    let server = Server::start();
    let request = server.client.request(Method::POST, "/stream");
    let mut upgraded = request.upgrade().await.unwrap();
    assert!(upgraded.is_multiplexed);
    upgraded.stream.write_all(b"abc").await.unwrap();
    upgraded.stream.shutdown().await.unwrap();
    let mut text = upgraded.read_ahead.to_vec();
    upgraded.stream.read_to_end(&mut text).await.unwrap();
    assert_eq!(text, b"hello ABC");
}

#[tokio::test]
async fn without_an_upgrade_the_answer_is_the_stream() {
    let server = Server::start();
    let body = api::client::Body::bytes("abc");
    let post = server.client.request(Method::POST, "/stream").body(body);
    let bytes = post.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, "hello ABC");
}

#[tokio::test]
async fn the_end_takes_the_socket_away() {
    let server = Server::start();
    let get = || server.client.request(Method::GET, "/who").done();
    get().await.unwrap();
    server.stop.cancel();
    for _ in 0..200 {
        if get().await.is_err_and(|error| error.is_connect()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the server still answers");
}
