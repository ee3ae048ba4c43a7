//! Networks of containers, by netlink only: no `ip`, `nft` or `iptables` program is ever run.
//!
//! ```text
//!  host:       eth0 ── NAT (own nftables table) ── corten0 (bridge, gateway address)
//!                                                    ├── cv<hex> ══ eth0   container A
//!                                                    └── cv<hex> ══ eth0   container B
//! ```
//! - [`bridge`] makes the default bridge and its address translation; idempotent.
//! - [`endpoint`] joins a network namespace to the bridge by a veth pair.
//! - [`ipam`], [`resolv`] and [`hosts`] are pure.
//!
//! Invariants: only objects of ours are changed (the bridge named in the config, veths with
//! [`endpoint::PREFIX`], the nftables table of the bridge's name); rules of others are never
//! touched. A namespace lives by its descriptor and dies with it, and its veth with it.

pub mod bridge;
pub mod endpoint;
mod error;
pub mod hosts;
pub mod ipam;
mod links;
mod netlink;
pub mod resolv;
mod table;

pub use error::Error;
pub use ipam::Subnet;

use std::os::fd::OwnedFd;

/// Makes a network namespace with its loopback interface up.
pub fn create_namespace() -> Result<OwnedFd, Error> {
    sys::netns::create_with(|| links::Links::here()?.set_up("lo"))
}
