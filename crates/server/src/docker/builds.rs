//! `/build`, `/build/prune`, `/build/cancel`.

use api::CachePruned;
use api::build::CacheRecord;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::Builds;

use crate::http::{Call, Failure, json};
use crate::wire;

type Answer = Result<Response, Failure>;

pub(crate) use super::legacy::build;

pub(crate) async fn prune(State(builds): State<Builds>, call: Call) -> Answer {
    let pruned = builds
        .prune(call.query.flag("all"), call.filters()?)
        .await?;
    Ok(json(&CachePruned {
        caches_deleted: Some(pruned.deleted).filter(|list| !list.is_empty()),
        space_reclaimed: pruned.reclaimed,
    }))
}

pub(crate) async fn cancel(State(builds): State<Builds>, call: Call) -> Answer {
    builds.cancel(call.required("id")?)?;
    Ok(StatusCode::OK.into_response())
}

/// A record of the build cache as it is listed.
pub(crate) fn cache_record(record: &engine::CacheRecord) -> CacheRecord {
    CacheRecord {
        id: record.id.clone(),
        parents: Vec::new(),
        kind: "regular".to_owned(),
        description: record.description.clone(),
        in_use: record.in_use,
        shared: false,
        size: wire::signed(record.size),
        created_at: wire::rfc3339(Some(record.created)),
        last_used_at: record.last_used.map(|time| time.to_string()),
        usage_count: i64::try_from(record.usage_count).unwrap_or(i64::MAX),
    }
}
