//! Further processes in running containers.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::blocking::blocking;
use crate::containers::{Containers, running, start_error};
use crate::rows::Row;
use crate::sandbox::plan::{self, Task};
use crate::sandbox::root;
use crate::spec::Attach;
use crate::{Error, Id, detach};

/// How long an exec that ended can be asked for.
const KEEP: Duration = Duration::from_secs(300);
/// Code of an exec whose container was killed under it.
const STATUS_KILLED: u8 = 137;

/// The execs of this engine. They live in memory: they end with their container's run.
#[derive(Debug, Clone)]
pub struct Execs {
    containers: Containers,
}

/// A process that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// Over those of the container.
    pub env: Vec<String>,
    /// The container's own where it is empty.
    pub user: String,
    /// The container's own where it is empty.
    pub working_dir: String,
    /// A terminal instead of pipes.
    pub tty: bool,
    /// Its size at the start: rows, columns.
    pub console_size: Option<(u16, u16)>,
    /// Every capability.
    pub privileged: bool,
    /// Which streams go to the client.
    pub attach: Attach,
    /// Keys that end the attachment.
    pub detach_keys: Option<String>,
}

/// What is known of an exec.
#[derive(Debug, Clone)]
pub struct Exec {
    /// Identifier.
    pub id: Id,
    /// Where it runs.
    pub container: Id,
    /// What was asked for.
    pub options: ExecOptions,
    /// Where it stands.
    pub state: ExecState,
}

/// Where an exec stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecState {
    /// Not yet started.
    Created,
    /// It runs.
    Running {
        /// Process id in the engine's process namespace.
        pid: u32,
    },
    /// It ended, or its start failed.
    Exited {
        /// Exit code.
        code: u8,
    },
}

/// A start that was found possible. The caller answers its client, then hands the connection
/// over.
#[derive(Debug)]
pub struct ExecStart {
    /// Raw bytes of a terminal instead of frames.
    pub tty: bool,
    execs: Execs,
    exec: Exec,
}

/// All execs, by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExecTable(Arc<Mutex<HashMap<String, Entry>>>);

#[derive(Debug)]
struct Entry {
    exec: Exec,
    ended: Option<Instant>,
}

impl ExecTable {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, exec: Exec) {
        let mut table = self.lock();
        table.retain(|_, entry| entry.ended.is_none_or(|ended| ended.elapsed() < KEEP));
        table.insert(exec.id.to_string(), Entry { exec, ended: None });
    }

    fn get(&self, id: &str) -> Result<Exec, Error> {
        let table = self.lock();
        let entry = table
            .get(id)
            .ok_or_else(|| Error::NoSuchExec(id.to_owned()))?;
        Ok(entry.exec.clone())
    }

    /// Moves an exec on from `Created`; only one caller can.
    fn begin(&self, id: &str) -> Result<(), Error> {
        let mut table = self.lock();
        let entry = table
            .get_mut(id)
            .ok_or_else(|| Error::NoSuchExec(id.to_owned()))?;
        match entry.exec.state {
            ExecState::Created => entry.exec.state = ExecState::Running { pid: 0 },
            _ => return Err(Error::ExecRan(id.to_owned())),
        }
        Ok(())
    }

    /// The end may have been told before the start was.
    fn runs(&self, id: &str, pid: u32) {
        if let Some(entry) = self.lock().get_mut(id)
            && let ExecState::Running { pid: known } = &mut entry.exec.state
        {
            *known = pid;
        }
    }

    /// An exec ended.
    pub(crate) fn ended(&self, id: &str, code: u8) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.exec.state = ExecState::Exited { code };
            entry.ended = Some(Instant::now());
        }
    }

    /// A container's run ended, and every exec in it.
    pub(crate) fn container_ended(&self, container: &str) {
        for entry in self.lock().values_mut() {
            let is_running = matches!(entry.exec.state, ExecState::Running { .. });
            if entry.exec.container.as_str() == container && is_running {
                entry.exec.state = ExecState::Exited {
                    code: STATUS_KILLED,
                };
                entry.ended = Some(Instant::now());
            }
        }
    }

    /// A container is gone.
    pub(crate) fn container_removed(&self, container: &str) {
        self.lock()
            .retain(|_, entry| entry.exec.container.as_str() != container);
    }

    /// Ids of a container's execs that have not ended.
    pub(crate) fn of(&self, container: &str) -> Vec<Id> {
        let table = self.lock();
        let own = table
            .values()
            .filter(|entry| entry.exec.container.as_str() == container && entry.ended.is_none());
        own.map(|entry| entry.exec.id.clone()).collect()
    }
}

impl ExecStart {
    /// Starts the process on the connection, with what the client had already sent. The caller
    /// may keep a copy of the connection to tell the client of an error.
    pub async fn hand_over(self, connection: OwnedFd, sent: Vec<u8>) -> Result<(), Error> {
        self.execs.run(&self.exec, Some((connection, sent))).await
    }
}

impl Execs {
    pub(crate) fn new(containers: Containers) -> Self {
        Self { containers }
    }

    fn table(&self) -> &ExecTable {
        &self.containers.0.execs
    }

    /// Prepares a process in a running container.
    pub async fn create(&self, container: &str, options: ExecOptions) -> Result<Id, Error> {
        let row = self.containers.find(container).await?;
        running(&row)?;
        if options.cmd.is_empty() {
            return Err(Error::BadRequest("No exec command specified"));
        }
        detach::parse(options.detach_keys.as_deref())?;
        let id = Id::random()?;
        let action = format!("exec_create: {}", options.cmd.join(" "));
        self.table().add(Exec {
            id: id.clone(),
            container: row.document.id.clone(),
            options,
            state: ExecState::Created,
        });
        self.containers
            .publish(&row, action, &[("execID", id.to_string())]);
        Ok(id)
    }

    /// Checks that it can be started with streams.
    pub async fn start(
        &self,
        id: &str,
        console_size: Option<(u16, u16)>,
    ) -> Result<ExecStart, Error> {
        let mut exec = self.table().get(id)?;
        running(&self.containers.find(exec.container.as_str()).await?)?;
        self.table().begin(id)?;
        exec.options.console_size = console_size.or(exec.options.console_size);
        Ok(ExecStart {
            tty: exec.options.tty,
            execs: self.clone(),
            exec,
        })
    }

    /// Starts it without streams.
    pub async fn start_detached(&self, id: &str) -> Result<(), Error> {
        let exec = self.table().get(id)?;
        running(&self.containers.find(exec.container.as_str()).await?)?;
        self.table().begin(id)?;
        self.run(&exec, None).await
    }

    /// Sets the size of its terminal.
    pub async fn resize(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let exec = self.table().get(id)?;
        let id = id.to_owned();
        let size = shim::Size { columns, rows };
        self.containers
            .ask(exec.container.as_str(), move |shim| {
                shim.resize(Some(&id), size)
            })
            .await
    }

    /// What is known of it. A client asks as soon as its stream ends, which may be before the
    /// event of the end was read, so the supervisor is asked as well.
    pub async fn inspect(&self, id: &str) -> Result<Exec, Error> {
        let exec = self.table().get(id)?;
        if !matches!(exec.state, ExecState::Running { .. }) {
            return Ok(exec);
        }
        let known = self
            .containers
            .ask(exec.container.as_str(), shim::Client::state)
            .await;
        if let Ok(state) = known {
            let own = state.execs.into_iter().find(|exec| exec.id == id);
            if let Some(code) = own.and_then(|exec| exec.code) {
                self.table()
                    .ended(id, u8::try_from(code).unwrap_or(u8::MAX));
            }
        }
        self.table().get(id)
    }

    async fn run(&self, exec: &Exec, client: Option<(OwnedFd, Vec<u8>)>) -> Result<(), Error> {
        let row = self.containers.find(exec.container.as_str()).await?;
        let (containers, own, of) = (self.containers.clone(), exec.clone(), row.clone());
        let started = blocking(move || containers.exec_now(&of, &own, client)).await;
        match started {
            Ok(pid) => {
                self.table().runs(exec.id.as_str(), pid);
                let action = format!("exec_start: {}", exec.options.cmd.join(" "));
                self.containers
                    .publish(&row, action, &[("execID", exec.id.to_string())]);
                Ok(())
            }
            Err(error) => {
                let code = match &error {
                    Error::StartFailed { code, .. } => *code,
                    _ => 126,
                };
                self.table().ended(exec.id.as_str(), code);
                Err(error)
            }
        }
    }
}

impl Containers {
    fn exec_now(
        &self,
        row: &Row,
        exec: &Exec,
        client: Option<(OwnedFd, Vec<u8>)>,
    ) -> Result<u32, Error> {
        let process = self.exec_process(row, exec)?;
        let options = &exec.options;
        let (stream, early_input) = match client {
            Some((stream, sent)) => (Some(stream), sent),
            None => (None, Vec::new()),
        };
        let has = stream.is_some();
        let request = shim::Exec {
            id: exec.id.to_string(),
            process,
            attach: shim::Attach {
                streams: shim::Streams {
                    stdin: has && options.attach.stdin,
                    stdout: has && options.attach.stdout,
                    stderr: has && options.attach.stderr,
                },
                detach_keys: detach::parse(options.detach_keys.as_deref())?,
                early_input,
            },
        };
        let mut shim = shim::Client::connect(self.0.layout.run_dir(), row.id())
            .map_err(|source| self.shim_error(row.id(), source))?;
        let stream = stream.as_ref().map(|stream| stream.as_fd());
        shim.exec(&request, stream).map_err(|error| match error {
            shim::Error::Gone { .. } | shim::Error::Closed => self.shim_error(row.id(), error),
            error => start_error(&error),
        })
    }

    fn exec_process(&self, row: &Row, exec: &Exec) -> Result<oci::runtime::Process, Error> {
        let document = &row.document;
        let options = &exec.options;
        let pid = running(row)?;
        let mut host = document.options.host.clone();
        host.privileged |= options.privileged;
        let user = match options.user.as_str() {
            "" => document.process.user.as_str(),
            user => user,
        };
        let identity = root::identity(&root::of_process(pid)?, user, &host.group_add)?;
        let mut env = document.process.env.clone();
        for line in &options.env {
            let key = line.split_once('=').map_or(line.as_str(), |(key, _)| key);
            env.retain(|known| known.split_once('=').is_none_or(|(known, _)| known != key));
            if line.contains('=') {
                env.push(line.clone());
            }
        }
        let task = Task {
            args: &options.cmd,
            env: &env,
            cwd: match options.working_dir.as_str() {
                "" => &document.process.working_dir,
                folder => folder,
            },
            identity: &identity,
            tty: options.tty,
            console_size: options.console_size,
        };
        plan::process(&task, &host, &self.hostname(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(id: &str) -> Exec {
        Exec {
            id: Id::from(id.to_owned()),
            container: Id::from("c".to_owned()),
            options: ExecOptions::default(),
            state: ExecState::Created,
        }
    }

    #[test]
    fn starts_once_and_ends() {
        let table = ExecTable::default();
        table.add(exec("a"));
        table.begin("a").unwrap();
        assert!(table.begin("a").is_err());
        table.ended("a", 7);
        // The answer to the start may come after the end.
        table.runs("a", 12);
        assert_eq!(table.get("a").unwrap().state, ExecState::Exited { code: 7 });
        assert!(table.of("c").is_empty());
    }

    #[test]
    fn ends_with_its_container() {
        let table = ExecTable::default();
        table.add(exec("a"));
        table.add(exec("b"));
        table.begin("a").unwrap();
        table.container_ended("c");
        assert_eq!(
            table.get("a").unwrap().state,
            ExecState::Exited { code: 137 }
        );
        assert_eq!(table.of("c").len(), 1);
        table.container_removed("c");
        assert!(table.get("b").is_err());
    }
}
