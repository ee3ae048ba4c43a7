//! Builds that run at the same time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use solver::{Graph, Keyed, MemoryCache, SolveError};

use crate::domain::{Sum, Sums, add, solve, solver};

fn slow() -> Sum {
    let mut op = Sum::new("slow", 7);
    op.delay = Duration::from_millis(50);
    op
}

fn single(op: &Sum) -> (Graph<Sums>, solver::VertexId) {
    let mut graph = Graph::new();
    let id = add(&mut graph, op, &[]);
    (graph, id)
}

#[tokio::test]
async fn equal_steps_of_two_builds_run_once_and_both_hear_them() {
    let shared = solver(Arc::new(MemoryCache::default()));
    let op = slow();
    let ((first, target), (second, _)) = (single(&op), single(&op));
    let (one, two) = tokio::join!(solve(&shared, first, target), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        solve(&shared, second, target).await
    });
    assert_eq!((one.0.unwrap(), two.0.unwrap(), op.ran()), (7, 7, 1));
    assert_eq!(one.1, two.1);
    assert!(one.1.contains(&"0 slow begins".to_owned()), "{:?}", one.1);
    assert!(one.1.contains(&"0 slow ends".to_owned()), "{:?}", one.1);
}

#[tokio::test]
async fn a_step_is_cancelled_with_its_last_waiter() {
    let shared = solver(Arc::new(MemoryCache::default()));
    let mut op = slow();
    op.delay = Duration::from_secs(60);
    let build = |after: u64| {
        let (graph, target) = single(&op);
        let (shared, limit) = (shared.clone(), Duration::from_millis(after));
        tokio::time::timeout(limit, async move { solve(&shared, graph, target).await })
    };
    let watch = async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        assert_eq!(op.cancelled.load(Ordering::SeqCst), 0, "one waiter is left");
    };
    let (one, two, ()) = tokio::join!(build(20), build(60), watch);
    assert!(one.is_err() && two.is_err());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(op.cancelled.load(Ordering::SeqCst), op.ran());
}

#[tokio::test]
async fn a_failure_stops_what_runs_beside_it() {
    let shared = solver(Arc::new(MemoryCache::default()));
    let (mut bad, mut slow) = (Sum::new("bad", 1), slow());
    bad.fails = true;
    slow.delay = Duration::from_secs(60);
    let mut graph = Graph::new();
    let a = add(&mut graph, &bad, &[]);
    let b = add(&mut graph, &slow, &[]);
    let inputs = [(a, Keyed::Definition), (b, Keyed::Definition)];
    let target = add(&mut graph, &Sum::new("both", 0), &inputs);
    let (value, _) = solve(&shared, graph, target).await;
    assert!(matches!(value, Err(SolveError::Op { vertex, .. }) if vertex == a));
    assert_eq!(slow.cancelled.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failed_step_is_not_remembered() {
    let shared = solver(Arc::new(MemoryCache::default()));
    let mut op = Sum::new("flaky", 1);
    op.fails = true;
    let (graph, target) = single(&op);
    assert!(solve(&shared, graph, target).await.0.is_err());
    op.fails = false;
    let (graph, target) = single(&op);
    assert_eq!(solve(&shared, graph, target).await.0.unwrap(), 1);
}

#[tokio::test]
async fn a_long_chain_needs_no_deep_stack() {
    let shared = solver(Arc::new(MemoryCache::default()));
    let mut graph = Graph::new();
    let mut last = add(&mut graph, &Sum::new("0", 1), &[]);
    for number in 1..1000 {
        last = add(
            &mut graph,
            &Sum::new(&number.to_string(), 1),
            &[(last, Keyed::Definition)],
        );
    }
    assert_eq!(solve(&shared, graph, last).await.0.unwrap(), 1000);
}
