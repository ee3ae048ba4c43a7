//! Times, as Go prints and reads them, and spans for people.

use jiff::{Timestamp, tz::TimeZone};

use crate::http::Failure;

/// Go's zero time: never.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 with as many digits behind the point as it takes.
pub(crate) fn rfc3339(time: Option<Timestamp>) -> String {
    time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
}

/// Reads `since` and `until`: seconds since 1970 with a fraction, or RFC 3339 with or without a
/// time or an offset.
pub(crate) fn parse_time(name: &'static str, text: &str) -> Result<Timestamp, Failure> {
    let wrong = || {
        Failure::Invalid(format!(
            "invalid value {text:?} of the query parameter {name}: expected seconds since 1970 or \
             a time as in 2026-01-02T15:04:05Z"
        ))
    };
    if let Some(time) = parse_seconds(text) {
        return Ok(time);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let local = text.parse::<jiff::civil::DateTime>();
    let local = local.map_err(|_| wrong())?;
    let time = local.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(time.timestamp())
}

fn parse_seconds(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = seconds.parse().ok()?;
    if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(seconds, nanoseconds).ok()
}

/// How long ago, in Docker's words: `About a minute`, `3 hours`.
pub(crate) fn since(time: Timestamp, now: Timestamp) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    let seconds = now.as_second().saturating_sub(time.as_second()).max(0);
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..MINUTE => format!("{seconds} seconds"),
        MINUTE..120 => "About a minute".to_owned(),
        120..HOUR => format!("{} minutes", seconds / MINUTE),
        // Docker rounds to the next hour.
        _ => match (seconds + HOUR / 2) / HOUR {
            1 => "About an hour".to_owned(),
            hours @ ..48 => format!("{hours} hours"),
            hours @ ..336 => format!("{} days", hours / 24),
            hours @ ..1440 => format!("{} weeks", hours / 24 / 7),
            hours @ ..17520 => format!("{} months", hours / 24 / 30),
            hours => format!("{} years", hours / 24 / 365),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (120, "2 minutes"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (5400, "2 hours"),
            (2 * 86400, "2 days"),
            (14 * 86400, "2 weeks"),
            (70 * 86400, "2 months"),
            (800 * 86400, "2 years"),
        ] {
            let time = Timestamp::from_second(1_000_000_000 - seconds).unwrap();
            assert_eq!(since(time, now), text, "{seconds}");
        }
    }

    #[test]
    fn times() {
        let parse = |text| parse_time("since", text).map(|time| time.to_string()).ok();
        assert_eq!(parse("0"), Some("1970-01-01T00:00:00Z".into()));
        assert_eq!(parse("1.5"), Some("1970-01-01T00:00:01.5Z".into()));
        assert_eq!(
            parse("1.000000007"),
            Some("1970-01-01T00:00:01.000000007Z".into())
        );
        assert_eq!(
            parse("2026-01-02T15:04:05+01:00"),
            Some("2026-01-02T14:04:05Z".into())
        );
        assert_eq!(parse("2026-01-02"), Some("2026-01-02T00:00:00Z".into()));
        for text in ["", "x", "1.x", "10m"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(rfc3339(None), "0001-01-01T00:00:00Z");
    }
}
