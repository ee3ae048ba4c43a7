//! Ops that add numbers and count how often they ran.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oci::Digest;
use solver::{
    CacheStore, Content, Difference, Domain, Edge, Graph, Ingredient, Keyed, Observer, Op,
    Progress, Run, Solve, SolveError, Solver, Task, Vertex, VertexId,
};
use tokio_util::sync::CancellationToken;

pub(crate) struct Sums;

#[derive(Debug, thiserror::Error)]
#[error("refused")]
pub(crate) struct Refused;

impl Domain for Sums {
    type Value = u64;
    type Note = String;
    type Error = Refused;
}

/// What an op does.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    pub(crate) name: String,
    pub(crate) add: u64,
    /// Inputs count modulo this: other differences are invisible, also to the content key.
    pub(crate) modulus: u64,
    pub(crate) volatile: bool,
    pub(crate) fails: bool,
    pub(crate) delay: Duration,
    pub(crate) ran: Arc<AtomicUsize>,
    pub(crate) cancelled: Arc<AtomicUsize>,
}

impl Sum {
    pub(crate) fn new(name: &str, add: u64) -> Self {
        Self {
            name: name.to_owned(),
            add,
            modulus: u64::MAX,
            volatile: false,
            fails: false,
            delay: Duration::ZERO,
            ran: Arc::default(),
            cancelled: Arc::default(),
        }
    }

    pub(crate) fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }
}

impl Op<Sums> for Sum {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn step(&self) -> String {
        self.name.clone()
    }

    fn definition(&self) -> Option<Vec<Ingredient>> {
        let parts = vec![
            Ingredient::new("the number", self.add.to_string()),
            Ingredient::new("the modulus", self.modulus.to_string()),
        ];
        (!self.volatile).then_some(parts)
    }

    fn selector(&self, _input: usize) -> String {
        String::new()
    }

    fn content_key<'a>(
        &'a self,
        _input: usize,
        value: &'a u64,
    ) -> Task<'a, Result<Content, Refused>> {
        let detail = (value % self.modulus).to_string();
        let digest = Digest::of(&detail);
        Box::pin(async move { Ok(Content { digest, detail }) })
    }

    fn explain_content(&self, input: usize, old: &str, new: &str) -> Vec<Difference> {
        vec![Difference {
            label: format!("input {input}"),
            old: Some(old.to_owned()),
            new: Some(new.to_owned()),
        }]
    }

    fn run<'a>(&'a self, inputs: Vec<u64>, run: Run<Sums>) -> Task<'a, Result<u64, Refused>> {
        Box::pin(async move {
            self.ran.fetch_add(1, Ordering::SeqCst);
            run.note(format!("{} begins", self.name)).await;
            tokio::select! {
                () = run.cancel.cancelled() => {
                    self.cancelled.fetch_add(1, Ordering::SeqCst);
                    return Err(Refused);
                }
                () = tokio::time::sleep(self.delay) => {}
            }
            run.note(format!("{} ends", self.name)).await;
            if self.fails {
                return Err(Refused);
            }
            let seen = inputs.iter().map(|input| input % self.modulus);
            Ok(seen.fold(self.add, u64::wrapping_add))
        })
    }

    fn save(&self, value: &u64) -> Option<String> {
        Some(value.to_string())
    }

    fn load(&self, saved: String) -> Task<'_, Result<Option<u64>, Refused>> {
        Box::pin(async move { Ok(saved.parse().ok()) })
    }
}

/// Collects what happened, one line each.
#[derive(Default)]
pub(crate) struct Journal(Mutex<Vec<String>>);

impl Journal {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer<Sums> for Journal {
    fn observe(&self, vertex: VertexId, progress: Progress<Sums>) -> Task<'_, ()> {
        let id = vertex.index();
        let line = match progress {
            Progress::Cached => format!("{id} cached"),
            Progress::Missed(reason) => format!("{id} {reason}"),
            Progress::Started => format!("{id} started"),
            Progress::Note(note) => format!("{id} {note}"),
            Progress::Completed => format!("{id} completed"),
            Progress::Failed(error) => format!("{id} failed: {error}"),
        };
        self.0.lock().unwrap().push(line);
        Box::pin(async {})
    }
}

pub(crate) fn add(graph: &mut Graph<Sums>, op: &Sum, inputs: &[(VertexId, Keyed)]) -> VertexId {
    let edge = |(from, keyed): &(VertexId, Keyed)| Edge {
        from: *from,
        keyed: *keyed,
    };
    graph.add(Vertex {
        op: Arc::new(op.clone()),
        inputs: inputs.iter().map(edge).collect(),
        fresh: false,
    })
}

pub(crate) fn solver(cache: Arc<dyn CacheStore>) -> Solver<Sums> {
    Solver::new(cache, 4)
}

pub(crate) async fn solve(
    solver: &Solver<Sums>,
    graph: Graph<Sums>,
    target: VertexId,
) -> (Result<u64, SolveError<Sums>>, Vec<String>) {
    let journal = Arc::new(Journal::default());
    let solve = Solve {
        graph,
        targets: vec![target],
        nonce: "1".to_owned(),
        observer: Arc::clone(&journal) as Arc<dyn Observer<Sums>>,
        cancel: CancellationToken::new(),
    };
    let values = solver.solve(solve).await;
    (values.map(|values| values[0]), journal.lines())
}
