//! Waiting for the end of a container.

use super::{Containers, Ended, WaitCondition};
use crate::Error;
use crate::handles::Watch;
use crate::state::ContainerState;

/// A `wait` that is registered: from here on no end is missed.
#[derive(Debug)]
pub struct Waiter {
    /// The answer, where it is known already.
    now: Option<Ended>,
    watch: Watch,
    condition: WaitCondition,
}

impl Containers {
    /// Registers a wait.
    pub async fn wait(&self, name: &str, condition: WaitCondition) -> Result<Waiter, Error> {
        let row = self.find(name).await?;
        let watch = self.0.handles.of(row.id()).progress();
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
            watch,
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
        let ended = match self.condition {
            WaitCondition::Removed => self.watch.removed().await,
            WaitCondition::NotRunning | WaitCondition::NextExit => self.watch.ended().await,
        };
        ended.ok_or(Error::Stopping)
    }
}
