//! Points in time and durations for people, as Docker prints them.

use jiff::{Timestamp, tz::TimeZone};

/// A rough length of time: `About an hour`, `3 weeks`.
pub(crate) fn rough(seconds: i64) -> String {
    let minutes = seconds / 60;
    let hours = (seconds + 1800) / 3600;
    match seconds {
        ..1 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// How long ago: `3 minutes ago`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", rough(now.as_second() - at.as_second()))
}

/// The form of `CreatedAt` columns: `2026-11-21 09:20:00 +0100 CET`.
pub(crate) fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %z %Z")
        .to_string()
}

/// RFC 3339 with the zone's offset: `2026-11-21T09:20:00+01:00`.
pub(crate) fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// A time on the command line (`--since`, `--until`): a length of time before now (`10m`), an
/// RFC 3339 or shortened date in the local zone, or Unix seconds. The answer is what the API
/// takes: `seconds.nanoseconds`.
pub(crate) fn point(text: &str, now: Timestamp, zone: &TimeZone) -> Option<String> {
    if let Some(span) = go_duration(text) {
        let nanos = now.as_nanosecond().checked_sub(span)?;
        return Some(unix(Timestamp::from_nanosecond(nanos).ok()?));
    }
    if text
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    {
        return Some(text.to_owned());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(unix(at));
    }
    let local = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M", text))
        .or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into));
    Some(unix(local.ok()?.to_zoned(zone.clone()).ok()?.timestamp()))
}

fn unix(at: Timestamp) -> String {
    format!("{}.{:09}", at.as_second(), at.subsec_nanosecond())
}

/// Go's duration syntax (`1h2m3.5s`, `300ms`) in nanoseconds.
pub(crate) fn go_duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0i128;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_length = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        total = total.checked_add(scaled(number, unit_nanos(unit)?)?)?;
        rest = tail;
    }
    Some(if negative { -total } else { total })
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction = fraction.get(..fraction.len().min(18))?;
    let mut value = whole.checked_mul(unit)?;
    if !fraction.is_empty() {
        let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        value = value.checked_add(fraction.parse::<i128>().ok()?.checked_mul(unit)? / scale)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rough_lengths() {
        let hour = 3600;
        let day = 24 * hour;
        let cases = [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (hour - 1, "59 minutes"),
            (hour, "About an hour"),
            (hour + 1799, "About an hour"),
            (hour + 1800, "2 hours"),
            (47 * hour, "47 hours"),
            (2 * day, "2 days"),
            (13 * day, "13 days"),
            (14 * day, "2 weeks"),
            (60 * day, "2 months"),
            (365 * day, "12 months"),
            (730 * day, "2 years"),
        ];
        for (seconds, text) in cases {
            assert_eq!(rough(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn durations_of_go() {
        assert_eq!(go_duration("1h2m3.5s"), Some(3_723_500_000_000));
        assert_eq!(go_duration("300ms"), Some(300_000_000));
        assert_eq!(go_duration("-1.5h"), Some(-5_400_000_000_000));
        assert_eq!(go_duration("0"), Some(0));
        for bad in ["", "1", "h", "1x", "1.h.", "-"] {
            assert_eq!(go_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn points_in_time() {
        let now: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        let at = |text| point(text, now, &TimeZone::UTC);
        assert_eq!(at("10m").unwrap(), "1795251000.000000000");
        assert_eq!(at("1795250400").unwrap(), "1795250400");
        assert_eq!(at("1795250400.5").unwrap(), "1795250400.5");
        assert_eq!(
            at("2026-11-21T08:50:00.25Z").unwrap(),
            "1795251000.250000000"
        );
        assert_eq!(at("2026-11-21T08:50:00").unwrap(), "1795251000.000000000");
        assert_eq!(at("2026-11-21T08:50").unwrap(), "1795251000.000000000");
        assert_eq!(at("2026-11-21").unwrap(), "1795219200.000000000");
        assert_eq!(at("yesterday"), None);
    }

    #[test]
    fn stamps() {
        let at: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        assert_eq!(stamp(at, &TimeZone::UTC), "2026-11-21 09:00:00 +0000 UTC");
        assert_eq!(rfc3339(at, &TimeZone::UTC), "2026-11-21T09:00:00+00:00");
    }
}
