//! The one way to run a process in isolation: containers and build steps alike.
//!
//! A request becomes a [`Plan`](plan::Plan), the plan an OCI document; files, network and
//! supervisor are set up for it and taken back in reverse order when a step fails.

pub(crate) mod capabilities;
pub(crate) mod defaults;
pub(crate) mod devices;
pub(crate) mod files;
pub(crate) mod filters;
pub(crate) mod groups;
pub(crate) mod mounts;
pub(crate) mod plan;
pub(crate) mod resources;
pub(crate) mod root;
pub(crate) mod users;
