//! `/images/…`.

use api::ImagesPruned;
use api::image::Deleted;
use api::jsonmessage::Message;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::{ImageListOptions, Images, ImportOptions, Loaded, Removed};
use futures_util::stream;
use oci::Reference;

use crate::http::{Call, Failure, archive, byte_stream, json, json_lines, sentence};
use crate::quirks;
use crate::wire;

type Answer = Result<Response, Failure>;

pub(crate) async fn list(State(images): State<Images>, call: Call) -> Answer {
    let mut filters = call.filters()?;
    // Before filters there was a parameter of its own.
    if let Some(pattern) = call.query.text("filter") {
        filters.add("reference", pattern);
    }
    let options = ImageListOptions {
        all: call.query.flag("all"),
        filters,
    };
    let list = images.list(options).await?;
    let rows = list
        .iter()
        .map(|image| quirks::image_summary(call.version, wire::image_summary(image)));
    Ok(json(&rows.collect::<Vec<_>>()))
}

/// `GET /images/{name}/{verb}`.
pub(crate) async fn get(
    State(images): State<Images>,
    Path(rest): Path<String>,
    call: Call,
) -> Answer {
    let (name, verb) = split(&rest)?;
    check_platform(&call)?;
    match verb {
        "json" => {
            let image = images.inspect(name).await?;
            let document = quirks::image_inspect(call.version, wire::image_inspect(&image));
            Ok(json(&document))
        }
        "history" => {
            let steps = images.history(name).await?;
            let steps = steps.iter().map(wire::history_step);
            Ok(json(&steps.collect::<Vec<_>>()))
        }
        "get" => save_all(&images, vec![name.to_owned()]).await,
        _ => Err(no_page()),
    }
}

/// `POST /images/{name}/{verb}`.
pub(crate) async fn post(
    State(images): State<Images>,
    Path(rest): Path<String>,
    call: Call,
) -> Answer {
    let (name, verb) = split(&rest)?;
    match verb {
        "tag" => {
            let new = reference(call.required("repo")?, call.query.text("tag"))?;
            images.tag(name, new).await?;
            Ok(StatusCode::CREATED.into_response())
        }
        "push" => Err(Failure::NotImplemented("push")),
        _ => Err(no_page()),
    }
}

/// `DELETE /images/{name}`.
pub(crate) async fn delete(
    State(images): State<Images>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    if call.query.text("platforms").is_some() {
        return Err(Failure::unsupported("rmi --platform"));
    }
    let (force, no_prune) = (call.query.flag("force"), call.query.flag("noprune"));
    let removed = images.remove(&name, force, !no_prune).await?;
    Ok(json(&deleted(removed)))
}

fn deleted(removed: Vec<Removed>) -> Vec<Deleted> {
    let entries = removed.into_iter().map(|entry| match entry {
        Removed::Untagged(untagged) => Deleted {
            untagged,
            deleted: String::new(),
        },
        Removed::Deleted(deleted) => Deleted {
            untagged: String::new(),
            deleted,
        },
    });
    entries.collect()
}

/// Which variant of an image is meant: a document. Images have one variant each, that of the host.
fn check_platform(call: &Call) -> Result<(), Failure> {
    for text in call.query.all("platform").filter(|text| !text.is_empty()) {
        let wanted: oci::Platform = serde_json::from_str(text)?;
        if !oci::Platform::host().matches(&wanted) {
            return Err(Failure::unsupported(format!("--platform {wanted}")));
        }
    }
    Ok(())
}

fn split(rest: &str) -> Result<(&str, &str), Failure> {
    rest.rsplit_once('/').ok_or_else(no_page)
}

fn no_page() -> Failure {
    Failure::NotFound("page not found".to_owned())
}

/// `repo` may carry a tag; a tag of its own goes over it.
fn reference(repository: &str, tag: Option<&str>) -> Result<Reference, Failure> {
    let wrong = |error: oci::ReferenceError| Failure::Invalid(error.to_string());
    let name: Reference = repository.parse().map_err(wrong)?;
    match tag {
        None => Ok(name),
        Some(digest) if digest.contains(':') => format!("{}@{digest}", name.familiar_name())
            .parse()
            .map_err(wrong),
        Some(tag) => format!("{}:{tag}", name.familiar_name())
            .parse()
            .map_err(wrong),
    }
}

/// `GET /images/get?names=…`.
pub(crate) async fn save(State(images): State<Images>, call: Call) -> Answer {
    check_platform(&call)?;
    let names: Vec<String> = call.query.all("names").map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Failure::Invalid("no images are named".to_owned()));
    }
    save_all(&images, names).await
}

async fn save_all(images: &Images, names: Vec<String>) -> Answer {
    let bytes = images.save(names).await?;
    Ok(([(CONTENT_TYPE, "application/x-tar")], byte_stream(bytes)).into_response())
}

/// The archive is read while the answer has begun already: a failure is its last line.
pub(crate) async fn load(State(images): State<Images>, call: Call, body: Body) -> Answer {
    check_platform(&call)?;
    let work = async move {
        match images.load(archive(body)).await {
            Ok(loaded) => loaded.iter().map(loaded_line).collect(),
            Err(error) => vec![Message::failure(sentence(&error), 0)],
        }
    };
    Ok(messages(work))
}

fn loaded_line(loaded: &Loaded) -> Message {
    Message::stream(match loaded {
        Loaded::Named(name) => format!("Loaded image: {}\n", name.familiar()),
        Loaded::Unnamed(id) => format!("Loaded image ID: {id}\n"),
    })
}

fn messages(work: impl Future<Output = Vec<Message>> + Send + 'static) -> Response {
    use futures_util::StreamExt as _;
    json_lines(stream::once(work).flat_map(stream::iter))
}

/// `POST /images/create`: an import. A pull is refused before anything is read.
pub(crate) async fn create(State(images): State<Images>, call: Call, body: Body) -> Answer {
    let query = &call.query;
    match query.text("fromSrc") {
        Some("-") => {}
        Some(_) => return Err(Failure::unsupported("import from an address")),
        None => return Err(Failure::NotImplemented("pull")),
    }
    let name = query.text("repo");
    let platform = query.text("platform").map(str::parse);
    let platform = platform
        .transpose()
        .map_err(|error: oci::PlatformError| Failure::Invalid(error.to_string()))?;
    let options = ImportOptions {
        reference: name
            .map(|name| reference(name, query.text("tag")))
            .transpose()?,
        message: query.text("message").unwrap_or_default().to_owned(),
        changes: query.all("changes").map(str::to_owned).collect(),
        platform,
    };
    Ok(messages(async move {
        match images.import(archive(body), options).await {
            Ok(id) => vec![Message::status(id.to_string())],
            Err(error) => vec![Message::failure(sentence(&error), 0)],
        }
    }))
}

pub(crate) async fn prune(State(images): State<Images>, call: Call) -> Answer {
    let (removed, space_reclaimed) = images.prune(call.filters()?).await?;
    Ok(json(&ImagesPruned {
        images_deleted: Some(deleted(removed)).filter(|list| !list.is_empty()),
        space_reclaimed,
    }))
}

pub(crate) async fn no_search() -> Failure {
    Failure::NotImplemented("search")
}

/// Clients ask it before a push, and for digests in trusted pulls.
pub(crate) async fn no_distribution() -> Failure {
    Failure::NotImplemented("asking a registry")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_verbs() {
        assert_eq!(split("a/b/c:1/json").unwrap(), ("a/b/c:1", "json"));
        assert!(split("json").is_err());
        let name = |repo, tag| reference(repo, tag).map(|name| name.familiar()).ok();
        assert_eq!(name("app", None), Some("app:latest".into()));
        assert_eq!(name("app:1", Some("2")), Some("app:2".into()));
        assert_eq!(name("a.io/app", Some("2")), Some("a.io/app:2".into()));
        assert_eq!(name("App", None), None);
    }
}
