//! The text of a container's `/etc/resolv.conf`. Pure.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

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

/// Where systemd-resolved listens.
const STUB: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// Whom to ask if the host knows nobody that a container could reach.
const PUBLIC: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(8, 8, 4, 4)),
];

/// Whether the text names only systemd-resolved's stub listener.
pub fn is_stub(host: &str) -> bool {
    let mut servers = Parsed::of(host).servers.into_iter().peekable();
    servers.peek().is_some() && servers.all(|server| server == STUB.to_string())
}

/// The file for a container with its own network namespace: the host's loopback servers are
/// dropped, as they cannot be reached from there.
pub fn text(host: &str, overrides: &Overrides) -> String {
    let host = Parsed::of(host);
    let servers = match overrides.servers.as_slice() {
        [] => host.reachable(),
        servers => servers.iter().map(IpAddr::to_string).collect(),
    };
    let or = |own: &[String], hosts: Vec<&str>| match own {
        [] => hosts.into_iter().map(str::to_owned).collect(),
        own => own.to_vec(),
    };
    let search: Vec<String> = match overrides.search.as_slice() {
        [only] if only == "." => Vec::new(),
        search => or(search, host.search),
    };
    let options: Vec<String> = or(&overrides.options, host.options);

    let mut text = String::new();
    for server in servers {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "nameserver {server}");
    }
    for (word, values) in [("search", search), ("options", options)] {
        if !values.is_empty() {
            let _ = writeln!(text, "{word} {}", values.join(" "));
        }
    }
    text
}

/// The words that matter; comments and unknown words are left out.
#[derive(Default)]
struct Parsed<'a> {
    servers: Vec<&'a str>,
    search: Vec<&'a str>,
    options: Vec<&'a str>,
}

impl<'a> Parsed<'a> {
    fn of(text: &'a str) -> Self {
        let mut parsed = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => parsed.servers.extend(words.next()),
                // The last one counts.
                Some("search" | "domain") => parsed.search = words.collect(),
                Some("options") => parsed.options.extend(words),
                _ => {}
            }
        }
        parsed
    }

    fn reachable(&self) -> Vec<String> {
        let reachable = self.servers.iter().filter(|server| {
            // An IPv6 address may name an interface of the host, which the container has not.
            server
                .parse::<IpAddr>()
                .is_ok_and(|server| !server.is_loopback())
        });
        let servers: Vec<String> = reachable.map(|&server| server.to_owned()).collect();
        match servers.is_empty() {
            true => PUBLIC.iter().map(IpAddr::to_string).collect(),
            false => servers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_words_are_kept() {
        let host = "# note\ndomain old.example\nsearch a.example b.example\nnameserver 10.0.0.1\n\
                    nameserver\t127.0.0.1 ; local\nnameserver ::1\nnameserver fe80::1%eth0\n\
                    options ndots:2 rotate\nsortlist 1.2.3.4\n";
        assert_eq!(
            text(host, &Overrides::default()),
            "nameserver 10.0.0.1\nsearch a.example b.example\noptions ndots:2 rotate\n"
        );
    }

    #[test]
    fn nobody_reachable_means_public_servers() {
        let expected = "nameserver 8.8.8.8\nnameserver 8.8.4.4\n";
        assert_eq!(text("", &Overrides::default()), expected);
        assert_eq!(
            text("nameserver 127.0.0.53\n", &Overrides::default()),
            expected
        );
    }

    #[test]
    fn the_users_words_win() {
        let overrides = Overrides {
            servers: vec!["1.1.1.1".parse().unwrap()],
            search: vec![".".into()],
            options: vec!["timeout:1".into()],
        };
        let host = "nameserver 10.0.0.1\nsearch a.example\noptions rotate\n";
        assert_eq!(
            text(host, &overrides),
            "nameserver 1.1.1.1\noptions timeout:1\n"
        );
    }

    #[test]
    fn the_stub_is_known() {
        assert!(is_stub("nameserver 127.0.0.53\noptions edns0\n"));
        assert!(!is_stub("nameserver 127.0.0.1\n"));
        assert!(!is_stub("nameserver 127.0.0.53\nnameserver 10.0.0.1\n"));
        assert!(!is_stub(""));
    }
}
