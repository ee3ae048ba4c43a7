//! Amounts: bytes with a unit, CPUs with a fraction.

/// Bytes with an optional binary unit: `512m`, `1.5g`, `64MiB`, `1024`.
pub(crate) fn bytes(text: &str) -> Result<i64, String> {
    let invalid = || format!("invalid size: '{text}'");
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let shift = match unit
        .strip_suffix("ib")
        .or(unit.strip_suffix('b'))
        .unwrap_or(&unit)
    {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        "p" => 50,
        _ => return Err(invalid()),
    };
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(1 << shift).ok_or_else(invalid);
    }
    let value: f64 = number.parse().map_err(|_| invalid())?;
    to_integer(value * 2f64.powi(shift)).ok_or_else(invalid)
}

/// Bytes, or -1 for no limit.
pub(crate) fn bytes_or_unlimited(text: &str) -> Result<i64, String> {
    match text {
        "-1" => Ok(-1),
        text => bytes(text),
    }
}

/// CPUs as billionths: `1.5` is 1,500,000,000.
pub(crate) fn nano_cpus(text: &str) -> Result<i64, String> {
    let invalid = || format!("failed to parse {text} as a rational number");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 {
        return Err("value is too precise".to_owned());
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(invalid());
    }
    format!("{whole}{fraction:0<9}")
        .parse()
        .map_err(|_| invalid())
}

fn to_integer(value: f64) -> Option<i64> {
    format!("{:.0}", value.trunc()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, value) in [
            ("0", 0),
            ("1024", 1024),
            ("10b", 10),
            ("512m", 512 << 20),
            ("512M", 512 << 20),
            ("64MiB", 64 << 20),
            ("64 mb", 64 << 20),
            ("1.5g", 3 << 29),
            (".5k", 512),
        ] {
            assert_eq!(bytes(text), Ok(value), "{text}");
        }
        for text in ["", "m", "-5", "1x", "1.2.3", "99999999999p"] {
            assert_eq!(bytes(text), Err(format!("invalid size: '{text}'")));
        }
        assert_eq!(bytes_or_unlimited("-1"), Ok(-1));
    }

    #[test]
    fn cpus() {
        assert_eq!(nano_cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(nano_cpus("2"), Ok(2_000_000_000));
        assert_eq!(nano_cpus(".001"), Ok(1_000_000));
        for bad in ["", ".", "x", "-1", "1.0000000001"] {
            assert!(nano_cpus(bad).is_err(), "{bad}");
        }
    }
}
