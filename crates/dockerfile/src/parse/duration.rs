//! Times as Go writes them: `1h30m`, `1.5s`, `300ms`.

use std::time::Duration;

/// Reads a time; a sign is allowed, a negative time is none.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos: u128 = 0;
    while !rest.is_empty() || rest.len() == text.len() {
        let (amount, after) = number(rest)?;
        let (unit, after) = unit(after)?;
        nanos = nanos.checked_add(amount.checked_mul(unit)? / SCALE)?;
        rest = after;
    }
    let nanos = i64::try_from(nanos).ok()?;
    Some(Duration::from_nanos(nanos.cast_unsigned()))
}

/// Fractions are kept as billionths.
const SCALE: u128 = 1_000_000_000;

fn number(text: &str) -> Option<(u128, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (whole, fraction) = text[..end].split_once('.').unwrap_or((&text[..end], ""));
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 19 || fraction.contains('.') {
        return None;
    }
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let fraction: u128 = fraction.parse().ok()?;
    Some((whole * SCALE + fraction, &text[end..]))
}

fn unit(text: &str) -> Option<(u128, &str)> {
    const UNITS: [(&str, u128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];

    UNITS
        .iter()
        .find_map(|(name, nanos)| Some((*nanos, text.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, millis) in [
            ("0", 0),
            ("5s", 5000),
            ("1m30s", 90_000),
            ("1.5s", 1500),
            (".5s", 500),
            ("1.s", 1000),
            ("2h", 7_200_000),
            ("300ms", 300),
            ("1000µs", 1),
            ("+1s", 1000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "1x",
            "-1s",
            ".",
            "1..5s",
            "99999999999h",
            "1s1",
            "5 s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
