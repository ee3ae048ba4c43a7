//! Waiting for the end of a container.

use tokio::sync::watch;

use super::{Containers, Ended, WaitCondition};
use crate::Error;
use crate::handles::Progress;
use crate::state::ContainerState;

/// A `wait` that is registered: from here on no end is missed.
#[derive(Debug)]
pub struct Waiter {
    /// The answer, where it is known already.
    now: Option<Ended>,
    progress: watch::Receiver<Progress>,
    ends: u64,
    condition: WaitCondition,
}

impl Containers {
    /// Registers a wait.
    pub async fn wait(&self, name: &str, condition: WaitCondition) -> Result<Waiter, Error> {
        let row = self.find(name).await?;
        let progress = self.0.handles.of(row.id()).progress();
        let ends = progress.borrow().ends;
        // Read again: it may have ended between the look and the registration.
        let row = self.find(row.id()).await?;
        let state = &row.document.state;
        let now = match (condition, state) {
            (WaitCondition::NotRunning, state) if !lives(state) => Some(Ended {
                code: state.exit().map_or(0, |exit| exit.code),
                error: state.exit().and_then(|exit| exit.error.clone()),
            }),
            _ => None,
        };
        Ok(Waiter {
            now,
            progress,
            ends,
            condition,
        })
    }
}

fn lives(state: &ContainerState) -> bool {
    matches!(state, ContainerState::Starting) || state.run().is_some()
}

impl Waiter {
    /// Waits for it.
    pub async fn ended(mut self) -> Result<Ended, Error> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let (ends, condition) = (self.ends, self.condition);
        let over = |progress: &Progress| match condition {
            WaitCondition::Removed => progress.removed,
            WaitCondition::NotRunning | WaitCondition::NextExit => {
                progress.ends > ends || progress.removed
            }
        };
        match self.progress.wait_for(over).await {
            Ok(progress) => Ok(progress.last.clone().unwrap_or_default()),
            Err(_) => Err(Error::Stopping),
        }
    }
}
