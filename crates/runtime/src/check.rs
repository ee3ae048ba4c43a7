//! What a config must not ask for.

use oci::runtime::Spec;

use crate::Error;
use crate::namespaces::Plan;
use crate::rootfs;

/// What is not there is refused, not ignored; two ways to say the same must say the same.
pub(crate) fn spec(spec: &Spec) -> Result<(), Error> {
    let linux = spec.linux().as_ref();
    let absent = |what: &str| Err(Error::Spec(format!("{what} is not supported")));
    if linux.is_some_and(|linux| linux.intel_rdt().is_some()) {
        return absent("linux.intelRdt");
    }
    let devices = linux.and_then(|linux| linux.net_devices().as_ref());
    if devices.is_some_and(|devices| !devices.is_empty()) {
        return absent("linux.netDevices");
    }
    if spec.vm().is_some() {
        return absent("vm");
    }
    let sysctl = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.sysctl().as_ref());
    for (key, name) in [
        ("kernel.hostname", spec.hostname()),
        ("kernel.domainname", spec.domainname()),
    ] {
        let other = sysctl.and_then(|sysctl| sysctl.get(key));
        if let (Some(name), Some(other)) = (name, other)
            && name != other
        {
            return Err(Error::Spec(format!(
                "{key} is `{name}` and `{other}` at once"
            )));
        }
    }
    Ok(())
}

/// Only parameters of namespaces that are the container's own: all others are the host's.
pub(crate) fn sysctls(spec: &Spec, plan: &Plan) -> Result<(), Error> {
    let linux = spec.linux().as_ref();
    for name in linux
        .and_then(|linux| linux.sysctl().as_ref())
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
    {
        let Some(owner) = rootfs::sysctls::owner(name) else {
            return Err(Error::Spec(format!(
                "the sysctl `{name}` is not of a namespace"
            )));
        };
        if !plan.new.contains(owner) && !plan.joins(owner) {
            return Err(Error::Spec(format!(
                "the sysctl `{name}` needs a namespace of its own"
            )));
        }
    }
    Ok(())
}
