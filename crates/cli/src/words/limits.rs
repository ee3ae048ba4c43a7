//! Process limits: `nofile=1024:2048`.

use api::container::Ulimit;

const NAMES: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Reads `name=soft[:hard]`; -1 is no limit, and without a hard limit it equals the soft one.
pub(crate) fn ulimit(text: &str) -> Result<Ulimit, String> {
    let (name, limits) = text
        .split_once('=')
        .ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !NAMES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| format!("invalid limit: {text}"))
    };
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard >= 0 && (soft > hard || soft == -1) {
        return Err(format!(
            "ulimit soft limit must not be greater than hard limit: {soft} > {hard}"
        ));
    }
    Ok(Ulimit {
        name: name.to_owned(),
        soft,
        hard,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let of = |name: &str, soft, hard| {
            Ok(Ulimit {
                name: name.to_owned(),
                soft,
                hard,
            })
        };
        assert_eq!(ulimit("nofile=1024"), of("nofile", 1024, 1024));
        assert_eq!(ulimit("nofile=1024:2048"), of("nofile", 1024, 2048));
        assert_eq!(ulimit("core=-1"), of("core", -1, -1));
        for bad in [
            "nofile",
            "x=1",
            "nofile=a",
            "nofile=2:1",
            "nofile=-1:5",
            "nofile=",
        ] {
            assert!(ulimit(bad).is_err(), "{bad}");
        }
    }
}
