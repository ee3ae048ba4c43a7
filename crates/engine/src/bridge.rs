//! The default bridge: made on first use; addresses are given out from memory.
//!
//! A container's address and the name of its cable stand in its row before they exist, so the set
//! of addresses in use is rebuilt from the rows, and a cable without a row is removed.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use network::bridge::{Bridge, BridgeConfig};
use network::endpoint::{EndpointConfig, Mac};

use oci::Digest;

use crate::layout::Layout;
use crate::spec::Endpoint;
use crate::{Error, Id};

/// The default bridge of this engine.
#[derive(Debug, Clone)]
pub(crate) struct BridgeNetwork(Arc<Mutex<Pool>>);

/// The data root whose addresses count from the start of the subnet.
const FIRST_ROOT: &str = "/var/lib/corten";

#[derive(Debug, Default)]
struct Pool {
    bridge: Option<(BridgeConfig, Bridge)>,
    used: BTreeSet<Ipv4Addr>,
    last: Option<Ipv4Addr>,
    /// Where counting begins, from the start of the subnet.
    offset: u32,
}

impl BridgeNetwork {
    /// Several engines of one host share the bridge and do not know of each other's addresses, so
    /// each counts from a place of its own.
    pub(crate) fn of(layout: &Layout) -> Self {
        let digest = Digest::of(layout.root().as_os_str().as_encoded_bytes());
        let offset = match layout.root() == Path::new(FIRST_ROOT) {
            true => 0,
            false => digest
                .bytes()
                .iter()
                .take(2)
                .fold(0, |n, byte| n << 8 | u32::from(*byte)),
        };
        Self(Arc::new(Mutex::new(Pool {
            offset,
            ..Pool::default()
        })))
    }

    /// An address of a container that runs already.
    pub(crate) fn adopt(&self, endpoint: &Endpoint) {
        self.lock().used.insert(endpoint.address);
    }

    /// The bridge as it is, or as it would be made.
    pub(crate) fn config(&self) -> Result<BridgeConfig, Error> {
        match &self.lock().bridge {
            Some((config, _)) => Ok(config.clone()),
            None => Ok(network::bridge::choose(network::bridge::DEFAULT_NAME)?),
        }
    }

    /// Reserves an address and a name for a cable. Nothing exists yet.
    pub(crate) fn reserve(&self) -> Result<Endpoint, Error> {
        let mut pool = self.lock();
        let config = pool.ensure()?.0.clone();
        let mut used = pool.used.clone();
        used.insert(config.gateway);
        let size = config.subnet.broadcast().to_bits() - config.subnet.address().to_bits();
        let first = config.subnet.gateway().to_bits() + pool.offset % size.max(1);
        let last = pool.last.unwrap_or(Ipv4Addr::from_bits(first));
        let address = network::ipam::allocate(config.subnet, &used, Some(last))?;
        pool.used.insert(address);
        pool.last = Some(address);
        Ok(Endpoint {
            id: Id::random()?,
            address,
            prefix: config.subnet.prefix(),
            gateway: config.gateway,
            mac: Mac::of(address).to_string(),
            host_device: network::endpoint::host_name(),
        })
    }

    /// Makes a network namespace with a cable to the bridge.
    pub(crate) fn connect(&self, endpoint: &Endpoint) -> Result<OwnedFd, Error> {
        let bridge = self.lock().ensure()?.1;
        let namespace = network::create_namespace()?;
        let config = EndpointConfig {
            host_name: endpoint.host_device.clone(),
            name: "eth0".to_owned(),
            address: endpoint.address,
            prefix: endpoint.prefix,
            gateway: endpoint.gateway,
            mac: Mac::of(endpoint.address),
        };
        network::endpoint::connect(namespace.as_fd(), bridge, &config)?;
        Ok(namespace)
    }

    /// Pulls the cable and gives the address back.
    pub(crate) fn release(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let result = network::endpoint::disconnect(&endpoint.host_device);
        self.lock().used.remove(&endpoint.address);
        Ok(result?)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn ensure(&mut self) -> Result<&(BridgeConfig, Bridge), Error> {
        let made = match self.bridge.take() {
            Some(made) => made,
            None => {
                let config = network::bridge::choose(network::bridge::DEFAULT_NAME)?;
                let bridge = network::bridge::ensure(&config)?;
                (config, bridge)
            }
        };
        Ok(self.bridge.insert(made))
    }
}
