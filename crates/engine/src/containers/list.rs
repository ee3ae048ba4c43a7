//! Which containers there are.

use std::collections::BTreeMap;

use oci::ImageId;
use store::Tx;

use super::{Container, Containers, ListOptions, Size};
use crate::blocking::blocking;
use crate::rows::Row;
use crate::spec::{LogDriver, NetworkMode};
use crate::{Error, Filters};

const KEYS: [&str; 16] = [
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "label!",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];
const STATUSES: [&str; 7] = [
    "created",
    "running",
    "paused",
    "restarting",
    "removing",
    "exited",
    "dead",
];

impl Containers {
    /// Those that match, newest first.
    pub async fn list(&self, options: ListOptions) -> Result<Vec<Container>, Error> {
        options.filters.check_keys(&KEYS)?;
        let this = self.clone();
        blocking(move || this.list_now(&options)).await
    }

    /// One.
    pub async fn inspect(&self, name: &str, size: bool) -> Result<Container, Error> {
        let (this, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let row = this.0.rows.find(&name)?;
            let sizes = this.sizes(size)?;
            this.describe(row, sizes.as_ref())
        })
        .await
    }

    /// How many there are in each state, by Docker's word for it.
    pub async fn count(&self) -> Result<BTreeMap<&'static str, usize>, Error> {
        let rows = self.0.rows.clone();
        blocking(move || {
            let mut counts = BTreeMap::new();
            for row in rows.all()? {
                *counts.entry(row.document.state.name()).or_default() += 1;
            }
            Ok(counts)
        })
        .await
    }

    fn list_now(&self, options: &ListOptions) -> Result<Vec<Container>, Error> {
        let rows = self.0.rows.all()?;
        let filters = &options.filters;
        let chosen = Chosen::read(self, filters, &rows)?;
        let everything = options.all
            || options.limit.is_some()
            || filters.has("status")
            || filters.has("exited");
        let sizes = self.sizes(options.size)?;
        rows.into_iter()
            .filter(|row| everything || row.document.state.run().is_some())
            .filter(|row| chosen.matches(row, filters))
            .take(options.limit.unwrap_or(usize::MAX))
            .map(|row| self.describe(row, sizes.as_ref()))
            .collect()
    }

    fn sizes(&self, wanted: bool) -> Result<Option<BTreeMap<String, u64>>, Error> {
        match wanted {
            false => Ok(None),
            true => Ok(Some(self.0.store.usage()?.containers.into_iter().collect())),
        }
    }

    fn describe(
        &self,
        row: Row,
        sizes: Option<&BTreeMap<String, u64>>,
    ) -> Result<Container, Error> {
        let document = row.document;
        let id = document.id.as_str();
        let (image, below) = self.0.store.read(|tx| image_name(tx, &document))?;
        let size = sizes.map(|sizes| {
            let writable = sizes.get(id).copied().unwrap_or(0);
            Size {
                writable,
                total: writable + below,
            }
        });
        let has_log = document.options.host.log.driver != LogDriver::None;
        Ok(Container {
            image,
            size,
            execs: self.0.execs.of(id),
            log_path: has_log.then(|| self.0.layout.log(id)),
            folder: self.0.layout.container(id),
            document,
        })
    }
}

/// The image as it was asked for, or its id where that name has gone elsewhere; and its size.
fn image_name(tx: &Tx<'_>, document: &crate::spec::Document) -> store::Result<(String, u64)> {
    let asked = &document.options.image;
    let size = tx.image(&document.image)?.map_or(0, |image| image.size);
    let same = match tx.find_image(asked) {
        Ok(image) => image.id == document.image,
        Err(_) => false,
    };
    Ok((
        if same {
            asked.clone()
        } else {
            document.image.to_string()
        },
        size,
    ))
}

/// Filters that need a look at other things, looked up once.
#[derive(Default)]
struct Chosen {
    ancestors: Vec<ImageId>,
    before: Option<jiff::Timestamp>,
    since: Option<jiff::Timestamp>,
}

impl Chosen {
    fn read(containers: &Containers, filters: &Filters, rows: &[Row]) -> Result<Self, Error> {
        if let Some(wrong) = filters
            .values("status")
            .iter()
            .find(|s| !STATUSES.contains(&s.as_str()))
        {
            return Err(Error::invalid(
                "filter",
                &format!("status={wrong}"),
                STATUSES.join(", "),
            ));
        }
        let mut chosen = Self::default();
        for name in filters.values("ancestor") {
            match containers.0.store.read(|tx| tx.find_image(name)) {
                Ok(image) => chosen.ancestors.push(image.id),
                Err(store::Error::ImageNotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let created = |key: &str| match filters.values(key).first() {
            None => Ok(None),
            Some(name) => {
                let id = containers.0.rows.find(name)?.document.id;
                let row = rows.iter().find(|row| row.document.id == id);
                Ok::<_, Error>(row.map(|row| row.document.created))
            }
        };
        chosen.before = created("before")?;
        chosen.since = created("since")?;
        Ok(chosen)
    }

    fn matches(&self, row: &Row, filters: &Filters) -> bool {
        let document = &row.document;
        let state = &document.state;
        let is_code = |code: &String| {
            state
                .exit()
                .is_some_and(|exit| exit.code.to_string() == *code)
        };
        filters.any("id", |id| document.id.as_str().starts_with(id.as_str()))
            && filters.any("name", |name| names(&document.name, name))
            && filters.any("status", |status| status == state.name())
            && filters.any("exited", is_code)
            && filters.any("network", |name| {
                is_in_network(&document.options.host.network, name)
            })
            && filters.any("volume", |volume| mounts(document, volume))
            && filters.any("expose", |port| exposes(document, port))
            && filters.any("health", |health| health == "none")
            && filters.any("is-task", |value| matches!(value.as_str(), "false" | "0"))
            && !filters.has("publish")
            && filters.labels(&document.process.labels)
            && (!filters.has("ancestor") || self.ancestors.contains(&document.image))
            && self.before.is_none_or(|before| document.created < before)
            && self.since.is_none_or(|since| document.created > since)
    }
}

/// Docker takes the pattern for a regular expression; the parts of one that people use are `^`,
/// `$` and plain text.
fn names(name: &str, pattern: &str) -> bool {
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let (start, pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest.strip_prefix('/').unwrap_or(rest)),
        None => (false, pattern),
    };
    let (end, pattern) = match pattern.strip_suffix('$') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    match (start, end) {
        (true, true) => name == pattern,
        (true, false) => name.starts_with(pattern),
        (false, true) => name.ends_with(pattern),
        (false, false) => name.contains(pattern),
    }
}

fn is_in_network(mode: &NetworkMode, name: &str) -> bool {
    mode.to_string() == name || crate::networks::is_id_of(mode, name)
}

fn mounts(document: &crate::spec::Document, volume: &str) -> bool {
    document.mounts.iter().any(|point| {
        point.volume.as_deref() == Some(volume) || point.mount.target.to_str() == Some(volume)
    })
}

fn exposes(document: &crate::spec::Document, port: &str) -> bool {
    let full = if port.contains('/') {
        port.to_owned()
    } else {
        format!("{port}/tcp")
    };
    document.process.exposed_ports.contains(&full)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn patterns_of_names() {
        for (name, pattern, matches) in [
            ("web", "we", true),
            ("web", "^eb", false),
            ("web", "eb$", true),
            ("web", "^/web$", true),
            ("web2", "^web$", false),
            ("web", "/web", true),
        ] {
            assert_eq!(names(name, pattern), matches, "{name} {pattern}");
        }
    }
}
