//! Real containers through the engine's own interface.

mod fixture;
mod lifecycle;
mod options;
mod running;
