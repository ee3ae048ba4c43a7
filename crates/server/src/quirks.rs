//! What differs between versions of the API, and what clients expect beside the API. Everything
//! else in this crate speaks [`ApiVersion::MAX`] and knows no other.

use api::ApiVersion;
use api::{image, system};
use axum::extract::Request;
use axum::http::header::{HeaderName, SERVER};
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::http::Failure;

/// The version of Docker whose behaviour is mirrored. Clients compare it: some refuse to work with
/// a product that says 0.1.
pub(crate) const DOCKER_VERSION: &str = "28.5.0";

/// Our own version.
pub(crate) const CORTEN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Which builder plain `docker build` uses: 1 is `POST /build`, 2 would be BuildKit's protocol.
pub(crate) const BUILDER_VERSION: &str = "1";

const V1_42: ApiVersion = ApiVersion::new(1, 42);
const V1_44: ApiVersion = ApiVersion::new(1, 44);
const V1_50: ApiVersion = ApiVersion::new(1, 50);
const V1_51: ApiVersion = ApiVersion::new(1, 51);

/// Takes `/v1.44` off the path. A path without a version is the newest.
pub(crate) fn take_version(request: &mut Request) -> Result<ApiVersion, Failure> {
    let path = request.uri().path();
    let Some((version, rest)) = split_version(path) else {
        return Ok(ApiVersion::MAX);
    };
    if version > ApiVersion::MAX {
        let message = "Maximum supported API version is";
        return Err(Failure::Invalid(format!(
            "client version {version} is too new. {message} {}",
            ApiVersion::MAX
        )));
    }
    if version < ApiVersion::MIN {
        let message = "Minimum supported API version is";
        return Err(Failure::Invalid(format!(
            "client version {version} is too old. {message} {}, please upgrade your client to a \
             newer version",
            ApiVersion::MIN
        )));
    }
    let target = match request.uri().query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    let target = target.parse::<Uri>();
    *request.uri_mut() = target.map_err(|error| Failure::Invalid(error.to_string()))?;
    Ok(version)
}

fn split_version(path: &str) -> Option<(ApiVersion, &str)> {
    let rest = path.strip_prefix("/v")?;
    let (version, _) = rest.split_once('/')?;
    let version = version.parse().ok()?;
    Some((version, &path[path[1..].find('/')? + 1..]))
}

/// Headers that every answer has.
pub(crate) fn common_headers(mut response: Response) -> Response {
    let server = format!("Corten/{CORTEN_VERSION} Docker/{DOCKER_VERSION} (linux)");
    let version = ApiVersion::MAX.to_string();
    let headers = response.headers_mut();
    if let Ok(server) = HeaderValue::from_str(&server) {
        headers.insert(SERVER, server);
    }
    if let Ok(version) = HeaderValue::from_str(&version) {
        headers.insert(HeaderName::from_static("api-version"), version);
    }
    for (name, value) in [("ostype", "linux"), ("docker-experimental", "false")] {
        let value = HeaderValue::from_static(value);
        headers.insert(HeaderName::from_static(name), value);
    }
    response
}

/// From 1.42 on a framed stream says so in its content type.
pub(crate) fn names_framed_streams(version: ApiVersion) -> bool {
    version >= V1_42
}

/// Up to 1.50 nobody counted the containers of an image for a list; up to 1.43 there was a second
/// size.
pub(crate) fn image_summary(version: ApiVersion, mut summary: image::Summary) -> Value {
    if version < V1_51 {
        summary.containers = -1;
    }
    let size = summary.size;
    let mut document = document(&summary);
    if version < V1_44 {
        document.insert("VirtualSize".to_owned(), size.into());
    }
    Value::Object(document)
}

/// Up to 1.51 an image's config has keys for values that it does not have; up to 1.49 even keys
/// that only a container can have.
pub(crate) fn image_inspect(version: ApiVersion, mut inspect: image::Inspect) -> Value {
    if let Value::Object(config) = &mut inspect.config {
        let mut keys = json!({
            "Cmd": null, "Entrypoint": null, "Env": null, "Labels": null, "OnBuild": null,
            "User": "", "Volumes": null, "WorkingDir": "",
        });
        if version < V1_50 {
            merge(
                &mut keys,
                json!({
                    "AttachStderr": false, "AttachStdin": false, "AttachStdout": false,
                    "Domainname": "", "Hostname": "", "Image": "", "OpenStdin": false,
                    "StdinOnce": false, "Tty": false,
                }),
            );
        }
        merge(&mut keys, Value::Object(std::mem::take(config)));
        inspect.config = keys;
    }
    let size = inspect.size;
    let mut document = document(&inspect);
    if version < V1_44 {
        document.insert("VirtualSize".to_owned(), size.into());
    }
    Value::Object(document)
}

/// Up to 1.41 the build cache had a sum of its own.
pub(crate) fn disk_usage(version: ApiVersion, mut usage: system::DiskUsage) -> system::DiskUsage {
    if version < V1_42 {
        let records = usage.build_cache.iter().flatten();
        usage.builder_size = Some(records.map(|record| record.size).sum());
    }
    usage
}

fn document(value: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(document)) => document,
        // Our own types are structs with text keys.
        _ => Map::new(),
    }
}

fn merge(to: &mut Value, from: Value) {
    if let (Value::Object(to), Value::Object(from)) = (to, from) {
        to.extend(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(path: &str) -> Result<(ApiVersion, String), String> {
        let mut request = Request::new(axum::body::Body::empty());
        *request.uri_mut() = path.parse().unwrap();
        match take_version(&mut request) {
            Ok(version) => Ok((version, request.uri().to_string())),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn versions_in_paths() {
        let newest = ApiVersion::MAX;
        assert_eq!(taken("/_ping"), Ok((newest, "/_ping".into())));
        assert_eq!(
            taken("/v1.44/containers/json?all=1"),
            Ok((V1_44, "/containers/json?all=1".into()))
        );
        assert_eq!(taken("/volumes"), Ok((newest, "/volumes".into())));
        assert_eq!(taken("/v1/x"), Ok((newest, "/v1/x".into())));
        assert_eq!(
            taken("/v1.99/info").unwrap_err(),
            "client version 1.99 is too new. Maximum supported API version is 1.51"
        );
        let old = taken("/v1.12/info").unwrap_err();
        assert!(
            old.starts_with(
                "client version 1.12 is too old. Minimum supported API version is 1.40"
            ),
            "{old}"
        );
    }

    #[test]
    fn images_for_old_clients() {
        let image = || image::Inspect {
            config: json!({"Cmd": ["sh"]}),
            size: 5,
            ..image::Inspect::default()
        };
        let new = image_inspect(V1_51, image());
        assert_eq!(new["Config"]["Cmd"], json!(["sh"]));
        assert_eq!(new["Config"]["Env"], Value::Null);
        assert_eq!(new["Config"].get("Tty"), None);
        assert_eq!(new.get("VirtualSize"), None);
        let old = image_inspect(ApiVersion::new(1, 43), image());
        assert_eq!(old["Config"]["Tty"], json!(false));
        assert_eq!(old["VirtualSize"], json!(5));
        let summary = image::Summary {
            containers: 2,
            ..image::Summary::default()
        };
        assert_eq!(image_summary(V1_51, summary.clone())["Containers"], 2);
        assert_eq!(image_summary(V1_50, summary)["Containers"], -1);
    }
}
