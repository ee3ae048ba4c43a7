//! Files on their way into a layer: which ones ([`select`]), what they are worth for a cache key
//! ([`digest`]), and how they are written ([`write`]).

pub(crate) mod digest;
pub(crate) mod mode;
pub(crate) mod owner;
pub(crate) mod select;
pub(crate) mod target;
pub(crate) mod tree;
pub(crate) mod write;
