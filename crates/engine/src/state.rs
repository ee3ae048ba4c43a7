//! The life of a container as an enum whose transitions are functions.
//!
//! ```text
//! Created ──▶ Starting ──▶ Running ──exit──▶ Exited ──▶ Starting
//!    │           │          │   ▲              ▲ │
//!    │           │       pause resume          │ │
//!    │           │          ▼   │              │ │
//!    │           │         Paused ──exit───────┤ │
//!    │           └─────────failure─────────────┘ │
//!    └────────remove─────────────────────────────┴──▶ Removing ──▶ (no row)
//! ```
//! `Starting` is written before the first side effect of a start, so that recovery knows where to
//! look. `Dead` is a container whose removal was begun and could not be finished.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Where a container stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerState {
    /// Made and never started.
    Created,
    /// Its first process is being set up.
    Starting,
    /// Its first process runs.
    Running(Running),
    /// Its processes are frozen.
    Paused(Running),
    /// Its first process ended.
    Exited(Exited),
    /// It is being taken away.
    Removing,
    /// It could not be taken away wholly.
    Dead,
}

/// Facts of a run that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Process id of the first process, in the engine's process namespace.
    pub pid: u32,
    /// Start of the run.
    pub started: Timestamp,
}

/// Facts of a run that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Exit code; 128 + signal for a death by signal, 126 and 127 for a failed start, 255 where
    /// it was not seen.
    pub code: u8,
    /// Start of the last run; none where no process ever ran.
    pub started: Option<Timestamp>,
    /// End of the run.
    pub finished: Timestamp,
    /// The kernel killed a process for want of memory.
    pub oom_killed: bool,
    /// Why the start failed.
    pub error: Option<String>,
}

impl ContainerState {
    /// Docker's word for it.
    pub fn name(&self) -> &'static str {
        match self {
            // A container whose start failed was never there as far as Docker is concerned.
            Self::Created | Self::Starting | Self::Exited(Exited { started: None, .. }) => {
                "created"
            }
            Self::Running(_) => "running",
            Self::Paused(_) => "paused",
            Self::Exited(_) => "exited",
            Self::Removing => "removing",
            Self::Dead => "dead",
        }
    }

    /// Facts of the run that goes on, frozen or not.
    pub fn run(&self) -> Option<&Running> {
        match self {
            Self::Running(run) | Self::Paused(run) => Some(run),
            _ => None,
        }
    }

    /// Process id of the first process, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.run().map(|run| run.pid)
    }

    /// Facts of the run that is over.
    pub fn exit(&self) -> Option<&Exited> {
        match self {
            Self::Exited(exited) => Some(exited),
            _ => None,
        }
    }

    /// May it be started? `name` is for the error.
    pub fn check_startable(&self, name: &str) -> Result<(), Error> {
        match self {
            Self::Created | Self::Exited(_) => Ok(()),
            Self::Running(_) => Err(Error::AlreadyIs(name.to_owned(), "started")),
            Self::Paused(_) => Err(Error::Paused(name.to_owned())),
            Self::Starting => Err(Error::Starting(name.to_owned())),
            Self::Removing | Self::Dead => Err(Error::Removing(name.to_owned())),
        }
    }

    /// Its start begins.
    pub fn starting(&self, name: &str) -> Result<Self, Error> {
        self.check_startable(name)?;
        Ok(Self::Starting)
    }

    /// The first process runs.
    pub fn started(&self, name: &str, run: Running) -> Result<Self, Error> {
        match self {
            Self::Starting => Ok(Self::Running(run)),
            _ => Err(Error::NotRunning(name.to_owned())),
        }
    }

    /// The first process ended, or its start failed.
    #[must_use]
    pub fn exited(&self, exited: Exited) -> Self {
        match self {
            Self::Removing | Self::Dead => self.clone(),
            _ => Self::Exited(exited),
        }
    }

    /// The processes were frozen.
    pub fn paused(&self, name: &str) -> Result<Self, Error> {
        match self {
            Self::Running(run) => Ok(Self::Paused(run.clone())),
            Self::Paused(_) => Err(Error::Paused(name.to_owned())),
            _ => Err(Error::NotRunning(name.to_owned())),
        }
    }

    /// The processes go on.
    pub fn resumed(&self, name: &str) -> Result<Self, Error> {
        match self {
            Self::Paused(run) => Ok(Self::Running(run.clone())),
            _ => Err(Error::NotPaused(name.to_owned())),
        }
    }

    /// Removal begins.
    pub fn removing(&self, name: &str) -> Result<Self, Error> {
        match self {
            Self::Created | Self::Exited(_) | Self::Dead => Ok(Self::Removing),
            Self::Starting | Self::Running(_) | Self::Paused(_) => {
                Err(Error::StillRunning(name.to_owned()))
            }
            Self::Removing => Err(Error::Removing(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn run() -> Running {
        Running {
            pid: 7,
            started: Timestamp::UNIX_EPOCH,
        }
    }

    fn exited() -> Exited {
        Exited {
            code: 3,
            started: Some(Timestamp::UNIX_EPOCH),
            finished: Timestamp::UNIX_EPOCH,
            oom_killed: false,
            error: None,
        }
    }

    #[test]
    fn a_life() {
        let starting = ContainerState::Created.starting("a").unwrap();
        let running = starting.started("a", run()).unwrap();
        let paused = running.paused("a").unwrap();
        let running = paused.resumed("a").unwrap();
        let over = running.exited(exited());
        assert_eq!(over.exit().map(|exit| exit.code), Some(3));
        let again = over.starting("a").unwrap().started("a", run()).unwrap();
        assert_eq!(again.pid(), Some(7));
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let running = ContainerState::Running(run());
        let kind = |result: Result<ContainerState, Error>| result.unwrap_err().kind();
        assert_eq!(kind(running.starting("a")), ErrorKind::NotModified);
        assert_eq!(kind(running.removing("a")), ErrorKind::Conflict);
        assert_eq!(
            kind(ContainerState::Created.paused("a")),
            ErrorKind::Conflict
        );
        assert_eq!(kind(running.resumed("a")), ErrorKind::Conflict);
        assert_eq!(
            kind(ContainerState::Removing.removing("a")),
            ErrorKind::Conflict
        );
    }

    #[test]
    fn an_exit_does_not_bring_a_removed_container_back() {
        assert_eq!(
            ContainerState::Removing.exited(exited()),
            ContainerState::Removing
        );
    }
}
