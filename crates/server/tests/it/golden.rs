//! A folder for each request, in order: `request` has the method, the target and, behind an empty
//! line, the body; `response` has the status and the answer. `UPDATE_GOLDENS=1` writes answers.

use std::fs;
use std::path::{Path, PathBuf};

use api::Query;
use api::client::{Body, ClientError};
use hyper::Method;
use serde_json::Value;

use crate::normal::Normal;
use crate::served::Served;

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_its_answer() {
    let served = Served::start().await;
    let mut normal = Normal::of(served.folder());
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut wrong = Vec::new();
    for folder in folders() {
        let request = fs::read_to_string(folder.join("request")).unwrap();
        let answer = ask(&served, &request, &mut normal).await;
        let golden = folder.join("response");
        if update {
            fs::write(&golden, &answer).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if answer != expected {
            let name = folder.file_name().unwrap().display();
            wrong.push(format!("== {name}\n{answer}-- instead of\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(root).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

async fn ask(served: &Served, request: &str, normal: &mut Normal) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (method, target) = head.trim().split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // A version in the path is part of what is tested.
    let (version, path) = match path.strip_prefix("/v1.") {
        Some(rest) => path[2..].split_at(2 + rest.find('/').unwrap()),
        None => ("1.51", path),
    };
    served.client.set_version(version.parse().unwrap());
    let asked = served
        .client
        .request(method, path)
        .query(Query::parse(query));
    let asked = asked.body(Body::bytes(body.trim().to_owned()));
    match asked.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let stat = response.header("x-docker-container-path-stat").is_some();
            let bytes = response.bytes().await.unwrap();
            let note = if stat {
                " with the facts of a path"
            } else {
                ""
            };
            format!("{status}{note}\n{}", print(&bytes, normal))
        }
        Err(ClientError::Api(error)) => {
            format!("{}\n{}\n", error.status, normal.text(&error.message))
        }
        Err(error) => panic!("{target}: {error}"),
    }
}

fn print(bytes: &[u8], normal: &mut Normal) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut printed = String::new();
    for document in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let Ok(mut document) = document else {
            return normal.text(&text) + "\n";
        };
        normal.document(&mut document);
        printed += &serde_json::to_string_pretty(&document).unwrap();
        printed.push('\n');
    }
    printed
}
