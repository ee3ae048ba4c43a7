//! Points in time: as the callers, the file system and the database have them.

use std::time::{Duration, SystemTime};

use sys::root::Times;

/// As the file system has it.
pub(crate) fn times_of(time: SystemTime) -> Times {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Times {
            seconds: seconds(since),
            nanoseconds: since.subsec_nanos(),
        },
        Err(before) => match before.duration() {
            whole if whole.subsec_nanos() == 0 => Times {
                seconds: -seconds(whole),
                nanoseconds: 0,
            },
            part => Times {
                seconds: -seconds(part) - 1,
                nanoseconds: 1_000_000_000 - part.subsec_nanos(),
            },
        },
    }
}

/// As the database has it: milliseconds since 1970.
pub(crate) fn to_millis(time: SystemTime) -> i64 {
    let times = times_of(time);
    let millis = times.seconds.saturating_mul(1000);
    millis.saturating_add(i64::from(times.nanoseconds / 1_000_000))
}

/// From the database.
pub(crate) fn from_millis(millis: i64) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let time = match millis < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(distance),
        false => SystemTime::UNIX_EPOCH.checked_add(distance),
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        for millis in [0, 1, 999, 1000, 315_532_801_000, -1, -1000, -1500] {
            assert_eq!(to_millis(from_millis(millis)), millis);
        }
    }
}
