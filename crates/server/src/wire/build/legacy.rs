//! The parameters of `POST /build`.

use std::collections::BTreeMap;

use api::Query;
use engine::build::{BuildRequest, DockerfileSource, Output};
use serde::de::DeserializeOwned;

use super::{extra_hosts, network, now, platform, references};
use crate::http::Failure;

/// Reads the parameters. `rm` and `forcerm` say nothing here: no step leaves a container behind.
pub(crate) fn legacy_request(query: &Query) -> Result<BuildRequest, Failure> {
    refuse_unsupported(query)?;
    let args: BTreeMap<String, Option<String>> = json(query, "buildargs")?;
    let tags: Vec<String> = query.all("t").map(str::to_owned).collect();
    let hosts: Vec<String> = query.all("extrahosts").map(str::to_owned).collect();
    Ok(BuildRequest {
        dockerfile: DockerfileSource::Context(query.text("dockerfile").map(str::to_owned)),
        target: query.text("target").map(str::to_owned),
        tags: references(&tags)?,
        // An argument without a value is one that the client did not have either.
        build_args: args
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        labels: json(query, "labels")?,
        no_cache: query.flag("nocache"),
        platform: platform(query.text("platform"))?,
        network: network(query.text("networkmode").unwrap_or_default())?,
        extra_hosts: extra_hosts(&hosts)?,
        shm_size: query.number("shmsize")?.filter(|&bytes: &u64| bytes > 0),
        now: now(),
        outputs: vec![Output::Image],
        ..BuildRequest::default()
    })
}

fn refuse_unsupported(query: &Query) -> Result<(), Failure> {
    if query.text("version") == Some("2") {
        return Err(Failure::NotImplemented(
            "building by BuildKit's protocol (build with DOCKER_BUILDKIT=0)",
        ));
    }
    for (name, option) in [
        ("remote", "building from an address"),
        ("cgroupparent", "--cgroup-parent"),
        ("cpusetcpus", "--cpuset-cpus"),
        ("cpusetmems", "--cpuset-mems"),
    ] {
        if query.text(name).is_some() {
            return Err(Failure::unsupported(option));
        }
    }
    for (name, option) in [("pull", "--pull"), ("squash", "--squash")] {
        if query.flag(name) {
            return Err(Failure::unsupported(option));
        }
    }
    for (name, option) in [
        ("memory", "--memory"),
        ("memswap", "--memory-swap"),
        ("cpushares", "--cpu-shares"),
        ("cpuperiod", "--cpu-period"),
        ("cpuquota", "--cpu-quota"),
    ] {
        if query.number::<i64>(name)?.is_some_and(|number| number != 0) {
            return Err(Failure::unsupported(option));
        }
    }
    for (name, option) in [
        ("cachefrom", "--cache-from"),
        ("securityopt", "--security-opt"),
        ("ulimits", "--ulimit"),
    ] {
        if !json::<Vec<serde_json::Value>>(query, name)?.is_empty() {
            return Err(Failure::unsupported(option));
        }
    }
    Ok(())
}

/// A parameter that is a document; `null` and an empty text stand for nothing.
fn json<T: DeserializeOwned + Default>(query: &Query, name: &str) -> Result<T, Failure> {
    let text = query.text(name).unwrap_or("null");
    let value: Option<T> = serde_json::from_str(text)
        .map_err(|error| Failure::Invalid(format!("invalid query parameter {name}: {error}")))?;
    Ok(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the stock client sends for `docker build -t app --build-arg A=1 .`.
    const PLAIN: &str = "buildargs=%7B%22A%22%3A%221%22%2C%22B%22%3Anull%7D&cachefrom=%5B%5D\
        &cgroupparent=&cpuperiod=0&cpuquota=0&cpusetcpus=&cpusetmems=&cpushares=0\
        &dockerfile=Dockerfile&labels=%7B%7D&memory=0&memswap=0&networkmode=default&rm=1\
        &shmsize=0&t=app&target=&ulimits=null&version=1";

    #[test]
    fn the_stock_clients_parameters() {
        let request = legacy_request(&Query::parse(PLAIN)).unwrap();
        assert_eq!(request.tags[0].familiar(), "app:latest");
        assert_eq!(request.build_args, [("A".into(), "1".into())].into());
        assert_eq!((request.target, request.shm_size), (None, None));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for text in [
            "remote=https://x",
            "version=2",
            "pull=1",
            "squash=1",
            "memory=5",
            "cachefrom=[\"a\"]",
            "ulimits=[{}]",
            "buildargs=[]",
            "t=A B",
        ] {
            assert!(legacy_request(&Query::parse(text)).is_err(), "{text}");
        }
    }
}
