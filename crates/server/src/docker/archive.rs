//! Files in and out of containers: `/containers/{name}/archive` and `/export`.

use api::container::PathStat;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Containers, PutOptions};

use crate::http::{Call, Failure, archive, byte_stream};
use crate::wire;

type Answer = Result<Response, Failure>;

const TAR: &str = "application/x-tar";

pub(crate) async fn stat(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let stat = containers.stat_path(&name, call.required("path")?).await?;
    Ok(stat_header(&stat)?.into_response())
}

pub(crate) async fn get(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
) -> Answer {
    let path = call.required("path")?;
    let (stat, bytes) = containers.get_archive(&name, path).await?;
    let head = (stat_header(&stat)?, [(CONTENT_TYPE, TAR)]);
    Ok((head.0, head.1, byte_stream(bytes)).into_response())
}

pub(crate) async fn put(
    State(containers): State<Containers>,
    Path(name): Path<String>,
    call: Call,
    body: Body,
) -> Answer {
    let options = PutOptions {
        no_overwrite_dir_non_dir: call.query.flag("noOverwriteDirNonDir"),
        copy_uid_gid: call.query.flag("copyUIDGID"),
    };
    let path = call.required("path")?;
    containers
        .put_archive(&name, path, options, archive(body))
        .await?;
    Ok(StatusCode::OK.into_response())
}

pub(crate) async fn export(
    State(containers): State<Containers>,
    Path(name): Path<String>,
) -> Answer {
    let bytes = containers.export(&name).await?;
    Ok(([(CONTENT_TYPE, TAR)], byte_stream(bytes)).into_response())
}

fn stat_header(stat: &engine::PathStat) -> Result<[(HeaderName, String); 1], Failure> {
    let document = PathStat {
        name: stat.name.clone(),
        size: wire::signed(stat.size),
        mode: go_mode(stat.mode),
        mtime: wire::rfc3339(Some(stat.modified)),
        link_target: stat.link_target.clone(),
    };
    let text = STANDARD.encode(serde_json::to_vec(&document)?);
    Ok([(
        HeaderName::from_static("x-docker-container-path-stat"),
        text,
    )])
}

/// Go has bits of its own for the type of a file and for set-user-id and its like.
fn go_mode(mode: u32) -> u32 {
    const KINDS: [(u32, u32); 6] = [
        (0o040_000, PathStat::GO_DIR),
        (0o120_000, PathStat::GO_SYMLINK),
        (0o060_000, 1 << 26),
        (0o020_000, 1 << 26 | 1 << 21),
        (0o010_000, 1 << 25),
        (0o140_000, 1 << 24),
    ];
    const BITS: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let kind = KINDS.iter().find(|(bits, _)| mode & 0o170_000 == *bits);
    let bits = BITS.iter().filter(|(bit, _)| mode & bit != 0);
    let bits = bits.fold(0, |sum, (_, go)| sum | go);
    kind.map_or(0, |(_, go)| *go) | bits | (mode & 0o777)
}

#[cfg(test)]
mod tests {
    use super::go_mode;

    #[test]
    fn gos_modes() {
        assert_eq!(go_mode(0o100_644), 0o644);
        assert_eq!(go_mode(0o040_755), 2_147_484_141);
        assert_eq!(go_mode(0o120_777), 134_218_239);
        assert_eq!(go_mode(0o104_755), (1 << 23) | 0o755);
        assert_eq!(go_mode(0o041_777), (1 << 31) | (1 << 20) | 0o777);
        assert_eq!(go_mode(0o020_666), (1 << 26) | (1 << 21) | 0o666);
    }
}
