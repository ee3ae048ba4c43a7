//! Why things run again.

use std::sync::Arc;

use solver::{Graph, Keyed, MemoryCache, VertexId};

use crate::domain::{Sum, Sums, add, solve, solver};

/// context → copy (by content) → install → test
fn project(context: u64, install: u64) -> (Graph<Sums>, VertexId) {
    let mut graph = Graph::new();
    let mut source = Sum::new("context", context);
    source.volatile = true;
    let context = add(&mut graph, &source, &[]);
    let mut copy = Sum::new("COPY", 0);
    copy.modulus = 10;
    let copy = add(&mut graph, &copy, &[(context, Keyed::Content)]);
    let install = add(
        &mut graph,
        &Sum::new("RUN install", install),
        &[(copy, Keyed::Definition)],
    );
    let target = add(
        &mut graph,
        &Sum::new("RUN test", 0),
        &[(install, Keyed::Definition)],
    );
    (graph, target)
}

async fn missed(shared: &solver::Solver<Sums>, context: u64, install: u64) -> Vec<String> {
    let (graph, target) = project(context, install);
    let (value, lines) = solve(shared, graph, target).await;
    value.unwrap();
    lines
        .into_iter()
        .filter(|line| line.contains(" ran "))
        .collect()
}

#[tokio::test]
async fn the_root_cause_is_carried_down() {
    let shared = solver(Arc::new(MemoryCache::default()));
    let first = missed(&shared, 1, 1).await;
    assert_eq!(first[0], "1 ran because it is new");
    assert_eq!(missed(&shared, 1, 1).await, [""; 0]);
    assert_eq!(
        missed(&shared, 11, 1).await,
        [""; 0],
        "what the copy sees is the same"
    );
    assert_eq!(
        missed(&shared, 2, 1).await,
        [
            "1 ran again because input 0 changed (1 → 2)",
            "2 ran again because input 0 changed (1 → 2) in `COPY`",
            "3 ran again because input 0 changed (1 → 2) in `COPY`",
        ]
    );
    assert_eq!(missed(&shared, 1, 1).await, [""; 0], "back again");
    let third = missed(&shared, 3, 1).await;
    assert_eq!(third[0], "1 ran again because input 0 changed (1 → 3)");
    assert_eq!(missed(&shared, 1, 1).await, [""; 0], "and again");
    assert_eq!(
        missed(&shared, 1, 5).await,
        [
            "2 ran again because the number changed (1 → 5)",
            "3 ran again because the number changed (1 → 5) in `RUN install`",
        ]
    );
}

#[tokio::test]
async fn what_depends_on_a_fresh_step_runs_too() {
    let shared = solver(Arc::new(MemoryCache::default()));
    missed(&shared, 1, 1).await;
    let (mut graph, _) = project(1, 1);
    let mut first = Sum::new("first", 1);
    first.modulus = 3;
    let fresh = graph.add(solver::Vertex {
        op: Arc::new(first.clone()),
        inputs: Vec::new(),
        fresh: true,
    });
    let after = Sum::new("after", 1);
    let target = add(&mut graph, &after, &[(fresh, Keyed::Definition)]);
    let (_, lines) = solve(&shared, graph, target).await;
    assert!(
        lines
            .iter()
            .any(|line| line.contains("cache is switched off")),
        "{lines:?}"
    );
    assert_eq!((first.ran(), after.ran()), (1, 1));
    // Without the order both come from the cache.
    let mut graph = Graph::new();
    let plain = add(&mut graph, &first, &[]);
    let target = add(&mut graph, &after, &[(plain, Keyed::Definition)]);
    solve(&shared, graph, target).await.0.unwrap();
    assert_eq!((first.ran(), after.ran()), (1, 1));
}
