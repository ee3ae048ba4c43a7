//! `hosts`, `hostname` and `resolv.conf` of a sandbox: written to its folder, mounted over those of
//! the image.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use network::resolv::Overrides;
use oci::runtime::Mount;

use super::plan::bind;
use crate::Error;
use crate::error::IoContext as _;
use crate::spec::ExtraHost;

const HOST_RESOLV: &str = "/etc/resolv.conf";
const HOST_HOSTS: &str = "/etc/hosts";

/// What the files say.
#[derive(Debug)]
pub(crate) struct EtcFiles<'a> {
    pub(crate) hostname: &'a str,
    pub(crate) domainname: &'a str,
    pub(crate) extra_hosts: &'a [ExtraHost],
    pub(crate) resolver: Overrides,
    pub(crate) network: EtcNetwork,
}

/// What the files depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EtcNetwork {
    /// The host's own files are right.
    Host,
    /// A loopback device and nothing else.
    Alone,
    /// An address of its own, and the host's address as it is seen from there.
    Bridge { own: Ipv4Addr, gateway: Ipv4Addr },
}

impl EtcFiles<'_> {
    /// Writes the three files into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).at("writing", path)
        };
        write("hostname", &format!("{}\n", self.hostname))?;
        write("hosts", &self.hosts())?;
        write("resolv.conf", &self.resolv()?)
    }

    fn hosts(&self) -> String {
        let gateway = match self.network {
            EtcNetwork::Bridge { gateway, .. } => Some(IpAddr::V4(gateway)),
            EtcNetwork::Host => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            EtcNetwork::Alone => None,
        };
        let address = |extra: &ExtraHost| extra.address.or(gateway);
        let extra: Vec<(String, IpAddr)> = self
            .extra_hosts
            .iter()
            .filter_map(|extra| Some((extra.name.clone(), address(extra)?)))
            .collect();
        match self.network {
            EtcNetwork::Host => {
                let mut text = fs::read_to_string(HOST_HOSTS).unwrap_or_default();
                for (name, address) in extra {
                    text.push_str(&format!("{address}\t{name}\n"));
                }
                text
            }
            EtcNetwork::Alone => network::hosts::text(None, &extra),
            EtcNetwork::Bridge { own, .. } => {
                let full = format!("{}.{}", self.hostname, self.domainname);
                let names: &[&str] = match self.domainname {
                    "" => &[self.hostname],
                    _ => &[&full, self.hostname],
                };
                network::hosts::text(Some((own.into(), names)), &extra)
            }
        }
    }

    fn resolv(&self) -> Result<String, Error> {
        let host = read_or_empty(HOST_RESOLV)?;
        if matches!(self.network, EtcNetwork::Host) && self.resolver == Overrides::default() {
            return Ok(host);
        }
        // A stub listener on the host's loopback device cannot be reached from another network.
        let host = match network::resolv::is_stub(&host) {
            true => read_or_empty(network::resolv::RESOLVED)?,
            false => host,
        };
        Ok(network::resolv::text(&host, &self.resolver))
    }
}

fn read_or_empty(path: &str) -> Result<String, Error> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other.at("reading", path),
    }
}

/// The mounts that show the files, but where the user mounts something of their own.
pub(crate) fn mounts(folder: &Path, own: &[Mount], read_only: bool) -> Vec<Mount> {
    ["resolv.conf", "hostname", "hosts"]
        .into_iter()
        .map(|name| bind(&folder.join(name), &format!("/etc/{name}"), !read_only))
        .filter(|mount| {
            own.iter()
                .all(|own| own.destination() != mount.destination())
        })
        .collect()
}
