//! The text of a container's `/etc/hosts`. Pure.

use std::fmt::Write;
use std::net::IpAddr;

/// What every container has.
const BASE: &str = "\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
";

/// Writes the file: loopback names, the `extra` hosts, then the container's own `address` with its
/// `names` (host name first).
pub fn text(own: Option<(IpAddr, &[&str])>, extra: &[(String, IpAddr)]) -> String {
    let mut text = BASE.to_owned();
    for (name, address) in extra {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{address}\t{name}");
    }
    if let Some((address, names)) = own {
        let _ = writeln!(text, "{address}\t{}", names.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_hosts_and_its_own_name() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let own = (address("172.17.0.2"), ["web.example", "web"].as_slice());
        let text = text(Some(own), &[("db".into(), address("10.0.0.5"))]);
        assert!(text.starts_with("127.0.0.1\tlocalhost\n"));
        assert!(text.ends_with("10.0.0.5\tdb\n172.17.0.2\tweb.example web\n"));
        assert_eq!(super::text(None, &[]), BASE);
    }
}
