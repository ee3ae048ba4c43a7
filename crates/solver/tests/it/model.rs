//! Random graphs, solved with and without a cache: the values are the same, and nothing runs
//! twice that did not change.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use solver::{Graph, Keyed, MemoryCache, VertexId};

use crate::domain::{Sum, Sums, add, solve, solver};

#[derive(Debug, Clone)]
struct Shape {
    add: u64,
    modulus: u64,
    volatile: bool,
    /// Distance back to each input, and how it is keyed.
    inputs: Vec<(usize, bool)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let inputs = prop::collection::vec((1_usize..6, any::<bool>()), 0..3);
    (0_u64..5, 1_u64..6, prop::bool::weighted(0.1), inputs).prop_map(
        |(add, modulus, volatile, inputs)| Shape {
            add,
            modulus,
            volatile,
            inputs,
        },
    )
}

struct Made {
    graph: Graph<Sums>,
    ops: Vec<Sum>,
    target: VertexId,
}

fn make(shapes: &[Shape]) -> Made {
    let mut graph = Graph::new();
    let (mut ops, mut ids) = (Vec::new(), Vec::<VertexId>::new());
    for (at, shape) in shapes.iter().enumerate() {
        let mut op = Sum::new(&format!("step {at}"), shape.add);
        op.modulus = shape.modulus;
        op.volatile = shape.volatile;
        let mut inputs = Vec::new();
        for (back, by_content) in &shape.inputs {
            if let Some(from) = at.checked_sub(*back) {
                let keyed = match *by_content || shapes[from].volatile {
                    true => Keyed::Content,
                    false => Keyed::Definition,
                };
                inputs.push((ids[from], keyed));
            }
        }
        ids.push(add(&mut graph, &op, &inputs));
        ops.push(op);
    }
    let target = ids[ids.len() - 1];
    Made { graph, ops, target }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cached_equals_uncached(
        builds in prop::collection::vec(prop::collection::vec(shape(), 1..12), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let shared = solver(Arc::new(MemoryCache::default()));
        for shapes in builds {
            let cached = make(&shapes);
            let uncached = make(&shapes);
            let (value, _) = runtime.block_on(solve(&shared, cached.graph, cached.target));
            let alone = solver(Arc::new(MemoryCache::default()));
            let (expected, _) = runtime.block_on(solve(&alone, uncached.graph, uncached.target));
            prop_assert_eq!(value.unwrap(), expected.unwrap());
            for op in &cached.ops {
                prop_assert!(op.ran() <= 1);
            }
            // Once more: nothing may run but what nobody can recognise.
            let again = make(&shapes);
            let (value, _) = runtime.block_on(solve(&shared, again.graph, again.target));
            prop_assert!(value.is_ok());
            let ran: Vec<_> = again.ops.iter().filter(|op| op.ran() > 0).collect();
            prop_assert!(ran.iter().all(|op| op.volatile), "{ran:?}");
        }
    }

    #[test]
    fn only_what_is_needed_runs(shapes in prop::collection::vec(shape(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let made = make(&shapes);
        let needed: HashSet<usize> = made
            .graph
            .needed(&[made.target])
            .iter()
            .map(|id| id.index())
            .collect();
        let alone = solver(Arc::new(MemoryCache::default()));
        let (value, _) = runtime.block_on(solve(&alone, made.graph, made.target));
        prop_assert!(value.is_ok());
        for (at, op) in made.ops.iter().enumerate() {
            prop_assert!(needed.contains(&at) || op.ran() == 0);
        }
    }
}
