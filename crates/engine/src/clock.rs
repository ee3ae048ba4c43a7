//! Points in time as users write them.

use jiff::{SignedDuration, Timestamp};

use crate::Error;

/// Seconds since 1970 with a fraction, RFC 3339, a date with or without a time (UTC), or how long
/// ago as Go writes durations: `10m`, `1h30m`.
pub fn parse(text: &str) -> Result<Timestamp, Error> {
    let wrong = || {
        Error::invalid(
            "time",
            text,
            "expected a timestamp, a date or a duration like 10m",
        )
    };
    if let Some(time) = seconds(text) {
        return Ok(time);
    }
    if let Some(ago) = duration(text) {
        return Timestamp::now().checked_sub(ago).map_err(|_| wrong());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let civil = text.parse::<jiff::civil::DateTime>().or_else(|_| {
        text.parse::<jiff::civil::Date>()
            .map(jiff::civil::DateTime::from)
    });
    let zoned = civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC));
    zoned.map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}

/// `1700000000.123456789`
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanoseconds: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanoseconds).ok()
}

/// Go's `1h2m3.5s`.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        let after = rest.get(end..)?;
        let next = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let factor = match after.get(..next)? {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number * factor;
        rest = after.get(next..)?;
    }
    (!text.is_empty()).then(|| SignedDuration::try_from_secs_f64(total).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time() {
        let at = |text: &str| parse(text).unwrap().to_string();
        assert_eq!(at("0"), "1970-01-01T00:00:00Z");
        assert_eq!(at("1700000000.5"), "2023-11-14T22:13:20.5Z");
        assert_eq!(at("2024-05-06"), "2024-05-06T00:00:00Z");
        assert_eq!(at("2024-05-06T07:08:09"), "2024-05-06T07:08:09Z");
        assert_eq!(
            at("2024-05-06T07:08:09.25+02:00"),
            "2024-05-06T05:08:09.25Z"
        );
        for text in ["", "x", "1x", "m", "2024-13-01", "1.2.3"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn how_long_ago() {
        let ago = Timestamp::now().duration_since(parse("1h30m").unwrap());
        assert!((5399..=5401).contains(&ago.as_secs()), "{ago}");
        assert_eq!(duration("1.5s"), Some(SignedDuration::from_millis(1500)));
    }
}
