//! Times as Go prints them, and spans for people.

use jiff::Timestamp;

/// Go's zero time: never.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 with as many digits behind the point as it takes.
pub(crate) fn rfc3339(time: Option<Timestamp>) -> String {
    time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
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
    fn never() {
        assert_eq!(rfc3339(None), "0001-01-01T00:00:00Z");
    }
}
