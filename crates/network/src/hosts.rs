//! The text of a container's `/etc/hosts`. Pure.

use std::net::IpAddr;

/// Writes the file: loopback names, the `extra` hosts, then the container's own `address` with its
/// `names` (host name first).
pub fn text(own: Option<(IpAddr, &[&str])>, extra: &[(String, IpAddr)]) -> String {
    todo!("{own:?}{extra:?}")
}
