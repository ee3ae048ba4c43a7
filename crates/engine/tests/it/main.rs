//! Real containers through the engine's own interface.

mod builds;
mod fixture;
mod lifecycle;
mod options;
mod running;
