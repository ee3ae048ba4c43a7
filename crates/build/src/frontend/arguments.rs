//! Build arguments: those of the request, the global ones of the file, and the predefined ones.

use std::collections::BTreeMap;

use oci::Platform;

/// Passed to every `RUN` without being declared; never in a cache key or the history.
pub(super) const PROXY: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Arguments that steer the build itself and need no `ARG`.
pub(super) fn is_reserved(name: &str) -> bool {
    PROXY.contains(&name) || name == "SOURCE_DATE_EPOCH" || name.starts_with("BUILDKIT_")
}

/// Those about the platform: known before `FROM`, and to a stage that declares them.
pub(super) fn of_platform(platform: &Platform, target: &str) -> BTreeMap<String, String> {
    let variant = platform.variant.clone().unwrap_or_default();
    let os_version = platform.os_version.clone().unwrap_or_default();
    let mut arguments = BTreeMap::new();
    for side in ["BUILD", "TARGET"] {
        for (name, value) in [
            ("PLATFORM", platform.to_string()),
            ("OS", platform.os.clone()),
            ("OSVERSION", os_version.clone()),
            ("ARCH", platform.architecture.clone()),
            ("VARIANT", variant.clone()),
        ] {
            arguments.insert(format!("{side}{name}"), value);
        }
    }
    arguments.insert("TARGETSTAGE".to_owned(), target.to_owned());
    arguments
}
