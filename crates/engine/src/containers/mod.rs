//! Containers: from `create` to `remove`.
//!
//! | file | what |
//! |---|---|
//! | `create` | options + image → row, snapshot, folder |
//! | `start` | row → sandbox → supervisor → process |
//! | `end` | the process ended: by itself, by `stop` or by `kill` |
//! | `remove` | row away, then everything that belonged to it |
//! | `wait`, `list`, `logs`, `attach`, `files`, `top` | what one asks of a container |
//!
//! Every change of a container's state happens on a blocking thread under the lock of its handle,
//! so a caller that goes away does not leave it half done.

mod attach;
mod changes;
mod create;
mod end;
mod files;
mod list;
mod logs;
mod remove;
mod start;
mod top;
mod types;
mod wait;

use std::collections::BTreeMap;
use std::sync::Arc;

use store::Store;
use tokio::sync::OwnedMutexGuard;

use crate::blocking::blocking;
use crate::bridge::BridgeNetwork;
use crate::events::{Events, Noun};
use crate::execs::ExecTable;
use crate::executor::Steps;
use crate::handles::{Handle, Handles};
use crate::host::Host;
use crate::layout::Layout;
use crate::rows::{Row, Rows};
use crate::sandbox::filters::SystemCallFilters;
use crate::sandbox::root::Identities;
use crate::spec::CreateOptions;
use crate::state::ContainerState;
use crate::volumes::Volumes;
use crate::{Error, name};

pub use attach::Attachment;
pub use logs::LogStream;
pub(crate) use start::start_error;
pub use types::{
    AttachOptions, Change, ChangeKind, Container, Created, Ended, ListOptions, LogLine,
    LogsOptions, Output, PathStat, ProcessTable, Pruned, PutOptions, RemoveOptions, Size,
    WaitCondition,
};
pub use wait::Waiter;

/// The containers of this engine. A clone is another handle on the same ones.
#[derive(Clone)]
pub struct Containers(pub(crate) Arc<Parts>);

/// What the service uses.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) rows: Rows,
    pub(crate) layout: Layout,
    pub(crate) handles: Handles,
    pub(crate) events: Events,
    pub(crate) volumes: Volumes,
    pub(crate) bridge: BridgeNetwork,
    pub(crate) host: Host,
    pub(crate) filters: SystemCallFilters,
    pub(crate) identities: Identities,
    pub(crate) execs: ExecTable,
    pub(crate) steps: Steps,
}

impl std::fmt::Debug for Containers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Containers")
    }
}

impl Containers {
    /// A row by name, on a blocking thread.
    pub(crate) async fn find(&self, name: &str) -> Result<Row, Error> {
        let (rows, name) = (self.0.rows.clone(), name.to_owned());
        blocking(move || rows.find(&name)).await
    }

    /// Runs `change` on a blocking thread while nobody else changes the container.
    pub(crate) async fn change<T, F>(&self, row: &Row, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Self, &Handle, &str) -> Result<T, Error> + Send + 'static,
    {
        let handle = self.0.handles.of(row.id());
        let guard: OwnedMutexGuard<()> = Arc::clone(&handle.change).lock_owned().await;
        let (this, id) = (self.clone(), row.id().to_owned());
        blocking(move || {
            let _guard = guard;
            change(&this, &handle, &id)
        })
        .await
    }

    /// Asks the supervisor of a running container for something.
    pub(crate) async fn ask<T, F>(&self, id: &str, ask: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut shim::Client) -> Result<T, shim::Error> + Send + 'static,
    {
        let (run_dir, id) = (self.0.layout.run_dir().to_owned(), id.to_owned());
        blocking(move || {
            let answer =
                shim::Client::connect(&run_dir, &id).and_then(|mut client| ask(&mut client));
            answer.map_err(|source| match source {
                // The process ended a moment ago: its end is on its way into the row.
                shim::Error::Gone { .. } | shim::Error::Closed => Error::NotRunning(id),
                source => Error::Shim { id, source },
            })
        })
        .await
    }

    /// Freezes its processes.
    pub async fn pause(&self, name: &str) -> Result<(), Error> {
        let row = self.find(name).await?;
        self.freeze(&row, true).await
    }

    /// Lets its processes go on.
    pub async fn unpause(&self, name: &str) -> Result<(), Error> {
        let row = self.find(name).await?;
        self.freeze(&row, false).await
    }

    async fn freeze(&self, row: &Row, freeze: bool) -> Result<(), Error> {
        self.change(row, move |this, _, id| {
            let mut row = this.0.rows.get(id)?;
            let state = &row.document.state;
            let next = match freeze {
                true => state.paused(id)?,
                false => state.resumed(id)?,
            };
            let shim = shim::Client::connect(this.0.layout.run_dir(), id);
            shim.and_then(|mut client| {
                if freeze {
                    client.pause()
                } else {
                    client.resume()
                }
            })
            .map_err(|source| this.shim_error(id, source))?;
            this.0.rows.set_state(&mut row, next)?;
            this.publish(&row, if freeze { "pause" } else { "unpause" }, &[]);
            Ok(())
        })
        .await
    }

    /// Gives it another name.
    pub async fn rename(&self, name: &str, new: &str) -> Result<(), Error> {
        let row = self.find(name).await?;
        let new = name::check(new)?.to_owned();
        self.change(&row, move |this, _, id| {
            let mut row = this.0.rows.get(id)?;
            if row.document.name == new {
                return Err(Error::BadRequest(
                    "Renaming a container with the same name as its current name",
                ));
            }
            this.0.rows.rename(&row.document.id, &new)?;
            let old = format!("/{}", std::mem::replace(&mut row.document.name, new));
            this.publish(&row, "rename", &[("oldName", old)]);
            Ok(())
        })
        .await
    }

    /// Sets the size of its terminal.
    pub async fn resize(&self, name: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let row = self.find(name).await?;
        running(&row)?;
        self.ask(row.id(), move |shim| {
            shim.resize(None, shim::Size { columns, rows })
        })
        .await?;
        let size = [("height", rows.to_string()), ("width", columns.to_string())];
        self.publish(&row, "resize", &size);
        Ok(())
    }

    pub(crate) fn shim_error(&self, id: &str, source: shim::Error) -> Error {
        match source {
            shim::Error::Gone { .. } | shim::Error::Closed => Error::NotRunning(id.to_owned()),
            source => Error::Shim {
                id: id.to_owned(),
                source,
            },
        }
    }

    /// Reports something that happened to a container.
    pub(crate) fn publish(
        &self,
        row: &Row,
        action: impl Into<std::borrow::Cow<'static, str>>,
        facts: &[(&str, String)],
    ) {
        let document = &row.document;
        let mut attributes: BTreeMap<String, String> = document.process.labels.clone();
        attributes.insert("name".to_owned(), document.name.clone());
        attributes.insert("image".to_owned(), document.options.image.clone());
        for (key, value) in facts {
            attributes.insert((*key).to_owned(), value.clone());
        }
        self.0
            .events
            .publish(Noun::Container, action, row.id(), attributes);
    }
}

/// Process id of the first process; an error where the container does not run.
pub(crate) fn running(row: &Row) -> Result<u32, Error> {
    match &row.document.state {
        ContainerState::Running(run) => Ok(run.pid),
        ContainerState::Paused(_) => Err(Error::Paused(row.id().to_owned())),
        _ => Err(Error::NotRunning(row.id().to_owned())),
    }
}
