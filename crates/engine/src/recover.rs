//! Taking over after an engine that ended or died.
//!
//! | what is found | what is done |
//! |---|---|
//! | a row that runs, its supervisor answers | followed again |
//! | a row that runs, no supervisor | its exit file is read, else the code is 255 |
//! | a row that was starting | its half-made run is ended |
//! | a row that was being removed | the removal is finished |
//! | a folder, socket or volume without a row | removed |
//! | a build step | its control group and cable are removed |

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::Error;
use crate::blocking::blocking;
use crate::containers::Containers;
use crate::error::IoContext as _;
use crate::rows::Row;
use crate::sandbox::groups;
use crate::sandbox::plan::cgroup_path;
use crate::state::{ContainerState, Running};

/// How long a supervisor may take to answer before the engine serves without it.
const PATIENCE: Duration = Duration::from_secs(2);
const SIGKILL: i32 = 9;

impl Containers {
    /// Brings rows and world together again. The time does not depend on images, and on containers
    /// only by one read of their rows.
    pub(crate) async fn recover(&self) -> Result<(), Error> {
        let rows = self.0.rows.clone();
        let rows = blocking(move || rows.all()).await?;
        for endpoint in rows.iter().filter_map(|row| row.document.endpoint.as_ref()) {
            self.0.bridge.adopt(endpoint);
        }
        let known: BTreeSet<String> = rows.iter().map(|row| row.id().to_owned()).collect();
        let open: Vec<Row> = rows.into_iter().filter(is_open).collect();
        let adoptions: Vec<_> = open
            .into_iter()
            .map(|row| {
                let this = self.clone();
                let id = row.id().to_owned();
                (id, tokio::spawn(async move { this.adopt(&row).await }))
            })
            .collect();
        for (id, adoption) in adoptions {
            match tokio::time::timeout(PATIENCE, adoption).await {
                Ok(result) => {
                    if let Err(error) = result? {
                        tracing::error!(container = %id, %error, "it could not be taken over");
                    }
                }
                Err(_) => tracing::warn!(container = %id, "its supervisor does not answer"),
            }
        }
        self.sweep(known);
        Ok(())
    }

    async fn adopt(&self, row: &Row) -> Result<(), Error> {
        self.change(row, |this, _, id| this.adopt_now(id)).await
    }

    fn adopt_now(&self, id: &str) -> Result<(), Error> {
        let row = self.0.rows.get(id)?;
        if matches!(
            row.document.state,
            ContainerState::Removing | ContainerState::Dead
        ) {
            return self.remove_ended(&row, true);
        }
        let asked = shim::Client::connect(self.0.layout.run_dir(), id)
            .and_then(|mut client| Ok((client.state()?, client)));
        match asked {
            Ok((state, client)) => self.take_over(row, &state, client),
            Err(_) => self.end_unseen(row),
        }
    }

    fn take_over(
        &self,
        mut row: Row,
        known: &shim::State,
        mut client: shim::Client,
    ) -> Result<(), Error> {
        let id = row.id().to_owned();
        let started = known
            .started_at
            .as_deref()
            .and_then(|time| time.parse().ok());
        let run = Running {
            pid: known.pid,
            started: started.unwrap_or_else(Timestamp::now),
        };
        let state = match &known.status {
            shim::Status::Running => ContainerState::Running(run),
            shim::Status::Paused => ContainerState::Paused(run),
            shim::Status::Exited(exit) => return self.ended_now(&id, Some(exit.clone())),
            // The engine died between creation and start: nobody waits for it any more.
            shim::Status::Created => {
                // It may have noticed by itself.
                let _ = client.stop(Some(SIGKILL), Some(Some(Duration::ZERO)));
                return self.never_started(row);
            }
        };
        if row.document.state != state {
            row.document.ran = true;
            self.0.rows.set_state(&mut row, state)?;
        }
        match client.subscribe() {
            Ok(events) => self.follow(&id, events),
            // It ended between the two questions.
            Err(_) => self.end_unseen(row)?,
        }
        Ok(())
    }

    /// Nobody supervises it: what is left of it goes, and its end is recorded as far as it is known.
    fn end_unseen(&self, row: Row) -> Result<(), Error> {
        let id = row.id().to_owned();
        let folder = self.0.layout.container(&id);
        let exit = shim::Exit::read(&folder).ok().flatten();
        groups::end(&cgroup_path(&row.document.options.host.cgroup_parent, &id));
        let never_ran = matches!(row.document.state, ContainerState::Starting) && exit.is_none();
        match never_ran {
            true => self.never_started(row),
            false => self.ended_now(&id, exit),
        }
    }

    /// The start that the last engine died in counts for nothing.
    fn never_started(&self, mut row: Row) -> Result<(), Error> {
        self.release_network(&mut row)?;
        match row.document.options.host.auto_remove {
            true => self.remove_ended(&row, true),
            false => self.0.rows.set_state(&mut row, ContainerState::Created),
        }
    }

    /// Removes what has no row, and collects garbage, while the engine serves already.
    fn sweep(&self, known: BTreeSet<String>) {
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            let swept = this
                .sweep_folders(&known)
                .and_then(|()| this.sweep_steps())
                .and_then(|()| this.0.volumes.sweep())
                .and_then(|()| Ok(this.0.store.gc(&store::GcPolicy::default())?));
            if let Err(error) = swept {
                tracing::warn!(%error, "cleaning up after the last engine failed");
            }
        });
    }
}

impl Containers {
    fn sweep_folders(&self, known: &BTreeSet<String>) -> Result<(), Error> {
        // A container that was made since has a row by now.
        let has_row = |id: &str| known.contains(id) || self.0.rows.get(id).is_ok();
        for id in names(&self.0.layout.containers())? {
            if !has_row(&id) {
                groups::end(&cgroup_path("", &id));
                remove(&self.0.layout.container(&id))?;
            }
        }
        for name in names(&self.0.layout.shims())? {
            let id = name.strip_suffix(".sock").unwrap_or(&name);
            if !has_row(id) {
                remove(&self.0.layout.shims().join(&name))?;
            }
        }
        Ok(())
    }

    /// A build step dies with its engine; its folder says what it had.
    fn sweep_steps(&self) -> Result<(), Error> {
        for id in names(&self.0.layout.steps())? {
            let folder = self.0.layout.steps().join(&id);
            if self.0.steps.is_running(&id) {
                continue;
            }
            groups::end(&cgroup_path("", &id));
            if let Ok(device) = fs::read_to_string(folder.join(crate::executor::DEVICE)) {
                network::endpoint::disconnect(&device)?;
            }
            remove(&folder)?;
        }
        Ok(())
    }
}

/// Is there something to bring together?
fn is_open(row: &Row) -> bool {
    !matches!(
        row.document.state,
        ContainerState::Created | ContainerState::Exited(_)
    )
}

fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).at("reading", folder)?;
    Ok(entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect())
}

fn remove(path: &Path) -> Result<(), Error> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.at("removing", path),
    }
}
