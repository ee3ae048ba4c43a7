//! The text of a container's `/etc/resolv.conf`. Pure.

use std::net::IpAddr;

/// What the user asked for; empty lists keep the host's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--dns`.
    pub servers: Vec<IpAddr>,
    /// `--dns-search`; a single `.` means none.
    pub search: Vec<String>,
    /// `--dns-option`.
    pub options: Vec<String>,
}

/// Where systemd-resolved keeps the servers that it asks: to be read instead of
/// `/etc/resolv.conf` when [`is_stub`] says so.
pub const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// Whether the text names only systemd-resolved's stub listener.
pub fn is_stub(host: &str) -> bool {
    todo!("{host}")
}

/// The file for a container with its own network namespace: the host's loopback servers are
/// dropped, as they cannot be reached from there.
pub fn text(host: &str, overrides: &Overrides) -> String {
    todo!("{host}{overrides:?}")
}
