//! The graph of a build.

use std::sync::Arc;

use crate::{Domain, Op};

/// A vertex of one graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VertexId(usize);

impl VertexId {
    /// Its number: inputs have lower numbers than what needs them.
    pub fn index(self) -> usize {
        self.0
    }
}

/// How an input enters the key of what needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyed {
    /// By where it comes from.
    Definition,
    /// By what is in it, whatever made it.
    Content,
}

/// An input of a vertex.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// What is needed.
    pub from: VertexId,
    /// How it is keyed.
    pub keyed: Keyed,
}

/// An op with its inputs.
pub struct Vertex<D: Domain> {
    /// What to do.
    pub op: Arc<dyn Op<D>>,
    /// What it needs, in the order that the op expects.
    pub inputs: Vec<Edge>,
    /// Use no earlier result of this vertex.
    pub fresh: bool,
}

/// Vertices, inputs first: acyclic by construction.
pub struct Graph<D: Domain> {
    vertices: Vec<Vertex<D>>,
}

impl<D: Domain> Default for Graph<D> {
    fn default() -> Self {
        Self {
            vertices: Vec::new(),
        }
    }
}

impl<D: Domain> Graph<D> {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a vertex. Its inputs are of this graph, hence already there.
    pub fn add(&mut self, vertex: Vertex<D>) -> VertexId {
        self.vertices.push(vertex);
        VertexId(self.vertices.len() - 1)
    }

    /// The vertex `id`. Ids come from [`add`](Self::add) of the same graph.
    pub fn vertex(&self, id: VertexId) -> &Vertex<D> {
        &self.vertices[id.0]
    }

    /// How many vertices there are.
    pub fn len(&self) -> usize {
        self.vertices.len()
    }

    /// No vertex at all?
    pub fn is_empty(&self) -> bool {
        self.vertices.is_empty()
    }

    /// What `targets` need, themselves included, inputs first.
    pub fn needed(&self, targets: &[VertexId]) -> Vec<VertexId> {
        let mut needed = vec![false; self.vertices.len()];
        for target in targets {
            needed[target.0] = true;
        }
        for index in (0..self.vertices.len()).rev() {
            if needed[index] {
                for edge in &self.vertices[index].inputs {
                    needed[edge.from.0] = true;
                }
            }
        }
        let ids = (0..self.vertices.len()).filter(|index| needed[*index]);
        ids.map(VertexId).collect()
    }
}
