//! The solver's progress as events of a build.

use std::sync::atomic::{AtomicUsize, Ordering};

use solver::{Cause, Explanation, Observer, Progress, Task, VertexId};
use tokio::sync::mpsc;

use crate::domain::{Containers, Note};
use crate::frontend::Step;
use crate::{Event, StepId};

/// The step of finding and reading the Dockerfile.
pub(crate) const DEFINITION: StepId = 0;
/// The step of writing the result.
pub(crate) const EXPORT: StepId = 1;
/// Vertices come after the steps of our own.
const FIRST_VERTEX: StepId = 2;

/// The number of a vertex for people.
pub(crate) fn step_id(vertex: VertexId) -> StepId {
    FIRST_VERTEX + vertex.index()
}

/// Sends events of one build.
pub(crate) struct Reporter {
    events: mpsc::Sender<Event>,
    steps: Vec<Step>,
    cached: AtomicUsize,
    ran: AtomicUsize,
}

impl Reporter {
    pub(crate) fn new(events: mpsc::Sender<Event>, steps: Vec<Step>) -> Self {
        Self {
            events,
            steps,
            cached: AtomicUsize::new(0),
            ran: AtomicUsize::new(0),
        }
    }

    /// How many steps came from the cache, and how many ran.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (
            self.cached.load(Ordering::Relaxed),
            self.ran.load(Ordering::Relaxed),
        )
    }

    async fn send(&self, event: Event) {
        send(&self.events, event).await;
    }

    async fn report(&self, vertex: VertexId, progress: Progress<Containers>) {
        let id = step_id(vertex);
        let internal = self
            .steps
            .get(vertex.index())
            .is_none_or(|step| step.internal);
        let count = |counter: &AtomicUsize| {
            counter.fetch_add(usize::from(!internal), Ordering::Relaxed);
        };
        let event = match progress {
            Progress::Cached if internal => Event::Completed { id },
            Progress::Cached => {
                count(&self.cached);
                Event::Cached { id }
            }
            Progress::Missed(reason) if internal || is_first(&reason) => return,
            Progress::Missed(reason) => Event::Missed {
                id,
                reason: reason.to_string(),
            },
            Progress::Started => {
                count(&self.ran);
                Event::Started { id }
            }
            Progress::Note(Note::Log(stream, bytes)) => Event::Log { id, stream, bytes },
            Progress::Note(Note::Copied(current, total)) => Event::Status {
                id,
                label: "copying files".to_owned(),
                current,
                total: Some(total),
            },
            Progress::Completed => Event::Completed { id },
            Progress::Failed(error) => Event::Failed {
                id,
                error: error.to_string(),
            },
        };
        self.send(event).await;
    }
}

fn is_first(reason: &Explanation) -> bool {
    reason.root.is_none() && reason.cause == Cause::New
}

/// Sends an event; a build goes on when nobody listens.
pub(crate) async fn send(events: &mpsc::Sender<Event>, event: Event) {
    let _ = events.send(event).await;
}

impl Observer<Containers> for Reporter {
    fn observe(&self, vertex: VertexId, progress: Progress<Containers>) -> Task<'_, ()> {
        Box::pin(self.report(vertex, progress))
    }
}
