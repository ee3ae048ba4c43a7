//! Resource limits of the spec, given to whichever hierarchy has the controller.

use oci::runtime::LinuxResources;

use super::{Groups, devices, v1, v2};
use crate::Error;

impl Groups {
    /// Sets limits. With `lenient` (no privileges) device rules that cannot be set are skipped.
    pub(crate) fn limit(&self, resources: &LinuxResources, lenient: bool) -> Result<(), Error> {
        if self.places.is_empty() {
            return Ok(());
        }
        self.limit_without_devices(resources)?;
        match self.limit_devices(resources) {
            Err(_) if lenient => Ok(()),
            other => other,
        }
    }

    /// Changes limits of a container that runs.
    pub fn update(&self, resources: &LinuxResources) -> Result<(), Error> {
        self.limit_without_devices(resources)?;
        self.limit_devices(resources)
    }

    /// No rules at all are none; a first rule means that nothing but the rules is allowed.
    fn limit_devices(&self, resources: &LinuxResources) -> Result<(), Error> {
        match resources.devices().as_deref() {
            None | Some([]) => Ok(()),
            Some(rules) => devices::set(self, rules),
        }
    }

    fn limit_without_devices(&self, resources: &LinuxResources) -> Result<(), Error> {
        match self.is_unified() {
            true => v2::limit(self, resources),
            false => v1::limit(self, resources),
        }
    }
}
