//! The end of a run: by itself, by `stop`, by `kill`.

use std::time::Duration;

use jiff::Timestamp;

use super::{Containers, Ended};
use crate::Error;
use crate::handles::Watch;
use crate::readiness::Readiness;
use crate::rows::Row;
use crate::sandbox::{groups, plan};
use crate::signal;
use crate::spec::{Endpoint, stop_timeout};
use crate::state::{ContainerState, Exited};

const SIGKILL: i32 = 9;
/// Code of a container whose end nobody saw.
const STATUS_UNKNOWN: u8 = 255;
/// How long a killed process may take to end.
const GRACE: Duration = Duration::from_secs(10);

impl Containers {
    /// Follows a container's supervisor until the end of the run, in a task of its own.
    pub(crate) fn follow(&self, id: &str, events: shim::Events) {
        let (this, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            let exit = this.until_exit(&id, events).await;
            if let Err(error) = this.ended(&id, exit).await {
                tracing::error!(container = %id, %error, "the end of a run could not be recorded");
            }
        });
    }

    async fn until_exit(&self, id: &str, mut events: shim::Events) -> Option<shim::Exit> {
        let readiness = Readiness::of(&events).ok()?;
        loop {
            let mut ready = readiness.wait().await.ok()?;
            match events.try_next() {
                Ok(shim::Next::Pending) => ready.clear_ready(),
                Ok(shim::Next::Event(shim::Event::Exited(exit))) => return Some(exit),
                Ok(shim::Next::Event(event)) => self.happened(id, event).await,
                // The supervisor was killed, and its container with it.
                Ok(shim::Next::End) | Err(_) => return None,
            }
        }
    }

    async fn happened(&self, id: &str, event: shim::Event) {
        let (action, facts) = match event {
            shim::Event::ExecExited { id: exec, code } => {
                let code = exit_code(code);
                self.0.execs.ended(&exec, code);
                (
                    "exec_die",
                    vec![("execID", exec), ("exitCode", code.to_string())],
                )
            }
            shim::Event::Oom => ("oom", Vec::new()),
            shim::Event::Detached { exec: None } => ("detach", Vec::new()),
            shim::Event::Detached { exec: Some(exec) } => ("exec_detach", vec![("execID", exec)]),
            _ => return,
        };
        if let Ok(row) = self.find(id).await {
            self.publish(&row, action, &facts);
        }
    }

    /// Records the end of a run. Without `exit` nobody told how it ended: the exit file may.
    async fn ended(&self, id: &str, exit: Option<shim::Exit>) -> Result<(), Error> {
        let row = self.find(id).await?;
        self.change(&row, move |this, _, id| this.ended_now(id, exit))
            .await
    }

    /// The same on a blocking thread, under the lock.
    pub(crate) fn ended_now(&self, id: &str, exit: Option<shim::Exit>) -> Result<(), Error> {
        let mut row = self.0.rows.get(id)?;
        let exit = exit.or_else(|| {
            let folder = self.0.layout.container(id);
            shim::Exit::read(&folder).ok().flatten()
        });
        if exit.is_none() {
            // A killed supervisor could not clean up.
            let parent = &row.document.options.host.cgroup_parent;
            groups::end(&plan::cgroup_path(parent, id));
        }
        let exited = exited(&row, exit);
        let ended = Ended {
            code: exited.code,
            error: None,
        };
        let facts = [
            ("exitCode", exited.code.to_string()),
            ("execDuration", duration(&exited).to_string()),
        ];
        let endpoint = row.document.endpoint.take();
        let auto_remove = row.document.options.host.auto_remove;
        row.document.state = row.document.state.exited(exited);
        // A container that is removed anyway needs no record of its end in between.
        let recorded = match auto_remove {
            true => Ok(()),
            false => self.0.rows.update(&row),
        };
        self.0.execs.container_ended(id);
        self.publish(&row, "die", &facts);
        self.0.handles.of(id).ended(ended);
        if let Some(endpoint) = endpoint {
            self.release_later(id, endpoint);
        }
        if auto_remove {
            self.remove_ended(&row, true)?;
        }
        recorded
    }

    /// Pulls the cable of a run that is over. The kernel takes its time for it, and would pull it by
    /// itself when the last process of the namespace is gone, so nobody waits and no row is needed.
    fn release_later(&self, id: &str, endpoint: Endpoint) {
        let (bridge, id) = (self.0.bridge.clone(), id.to_owned());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = bridge.release(&endpoint) {
                tracing::warn!(container = %id, %error, "its cable could not be pulled");
            }
        });
    }

    /// Asks it to stop, then kills it. `timeout` in seconds over that of the container; negative
    /// waits for ever.
    pub async fn stop(
        &self,
        name: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), Error> {
        let signal = signal.map(signal::parse).transpose()?;
        let row = self.find(name).await?;
        let handle = self.0.handles.of(row.id());
        let mut watch = handle.progress();
        if let ContainerState::Paused(_) = row.document.state {
            self.freeze(&row, false).await?;
        } else if row.document.state.run().is_none() {
            return Err(Error::AlreadyIs(row.id().to_owned(), "stopped"));
        }
        let patience = match timeout {
            Some(_) => stop_timeout(timeout),
            None => stop_timeout(row.document.options.process.stop_timeout),
        };
        let over = timeout.map(|_| patience);
        match self
            .ask(row.id(), move |shim| shim.stop(signal, over))
            .await
        {
            // It ended by itself; the record follows.
            Ok(()) | Err(Error::NotRunning(_)) => {}
            Err(error) => return Err(error),
        }
        let limit = patience.map(|patience| patience + GRACE);
        if wait_for_end(&mut watch, limit).await.is_none() {
            self.kill_and_wait(&row, watch).await?;
        }
        self.publish(&row, "stop", &[]);
        Ok(())
    }

    /// Stops it, if it runs, and starts it.
    pub async fn restart(
        &self,
        name: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<(), Error> {
        let row = self.find(name).await?;
        match self.stop(row.id(), signal, timeout).await {
            Ok(()) | Err(Error::AlreadyIs(..)) => {}
            Err(error) => return Err(error),
        }
        self.start(row.id()).await?;
        self.publish(&row, "restart", &[]);
        Ok(())
    }

    /// Sends a signal to its first process; SIGKILL where nothing is said.
    pub async fn kill(&self, name: &str, signal: Option<&str>) -> Result<(), Error> {
        let signal = signal.map_or(Ok(SIGKILL), signal::parse)?;
        let row = self.find(name).await?;
        if row.document.state.run().is_none() {
            return Err(Error::NotRunning(row.id().to_owned()));
        }
        let watch = self.0.handles.of(row.id()).progress();
        if signal == SIGKILL {
            self.kill_and_wait(&row, watch).await?;
        } else {
            self.ask(row.id(), move |shim| shim.signal(None, signal))
                .await?;
        }
        self.publish(&row, "kill", &[("signal", signal.to_string())]);
        Ok(())
    }

    /// Kills it and waits until its end is recorded.
    pub(crate) async fn kill_and_wait(&self, row: &Row, mut watch: Watch) -> Result<(), Error> {
        let paused = matches!(row.document.state, ContainerState::Paused(_));
        let asked = self.ask(row.id(), move |shim| {
            shim.signal(None, SIGKILL)?;
            // A frozen process of cgroup v1 dies only once it is thawed.
            if paused { shim.resume() } else { Ok(()) }
        });
        match asked.await {
            Ok(()) | Err(Error::NotRunning(_)) => {}
            Err(error) => return Err(error),
        }
        match wait_for_end(&mut watch, Some(GRACE)).await {
            Some(_) => Ok(()),
            None => Err(Error::WillNotDie(row.id().to_owned())),
        }
    }
}

/// Waits for the end of a run, up to a limit.
async fn wait_for_end(watch: &mut Watch, limit: Option<Duration>) -> Option<Ended> {
    match limit {
        None => watch.ended().await,
        Some(limit) => tokio::time::timeout(limit, watch.ended())
            .await
            .ok()
            .flatten(),
    }
}

fn exited(row: &Row, exit: Option<shim::Exit>) -> Exited {
    let started = row.document.state.run().map(|run| run.started);
    let now = Timestamp::now();
    match exit {
        Some(exit) => Exited {
            code: exit_code(exit.code),
            started,
            finished: exit.finished_at.parse().unwrap_or(now),
            oom_killed: exit.oom,
            error: None,
        },
        None => Exited {
            code: STATUS_UNKNOWN,
            started,
            finished: now,
            oom_killed: false,
            error: Some("the supervisor was killed, so the exit code is not known".to_owned()),
        },
    }
}

fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(STATUS_UNKNOWN)
}

fn duration(exited: &Exited) -> i64 {
    let started = exited.started.unwrap_or(exited.finished);
    exited.finished.as_second() - started.as_second()
}
