//! Sizes for people, as Docker prints them.

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/// Three significant digits in powers of 1000: `12.3MB`. Used by `images` and `ps --size`.
pub(crate) fn short(bytes: u64) -> String {
    scaled(to_float(bytes), 1000.0, &DECIMAL, 3)
}

/// Four significant digits in powers of 1000: `12.34MB`. Used by `system df` and prune totals.
pub(crate) fn decimal(bytes: u64) -> String {
    scaled(to_float(bytes), 1000.0, &DECIMAL, 4)
}

/// Four significant digits in powers of 1024: `1.95GiB`. Used by `stats` and `info`.
pub(crate) fn binary(bytes: u64) -> String {
    scaled(to_float(bytes), 1024.0, &BINARY, 4)
}

#[expect(clippy::cast_precision_loss, reason = "four digits are printed")]
fn to_float(bytes: u64) -> f64 {
    bytes as f64
}

/// The value is rounded before the unit is chosen, so that 999,999 bytes are `1MB` and not `1e+03kB`.
fn scaled(mut value: f64, base: f64, units: &[&str; 9], digits: usize) -> String {
    let mut unit = 0;
    loop {
        let text = significant(value, digits);
        let rounded: f64 = text.parse().unwrap_or(value);
        if rounded < base || unit + 1 == units.len() {
            return format!("{text}{}", units[unit]);
        }
        value /= base;
        unit += 1;
    }
}

/// `value` with at most `digits` significant digits and no trailing zeros. Digits before the
/// decimal point are never dropped.
fn significant(value: f64, digits: usize) -> String {
    let whole = format!("{value:.0}").len();
    let text = format!("{value:.*}", digits.saturating_sub(whole));
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_sizes() {
        let cases = [
            (0, "0B"),
            (1, "1B"),
            (999, "999B"),
            (1000, "1kB"),
            (1024, "1.02kB"),
            (12_345_678, "12.3MB"),
            (999_999, "1MB"),
            (117_000_000, "117MB"),
            (5_400_000_000, "5.4GB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(short(bytes), text);
        }
        assert_eq!(decimal(12_345_678), "12.35MB");
    }

    #[test]
    fn binary_sizes() {
        assert_eq!(binary(2_093_796_557), "1.95GiB");
        assert_eq!(binary(1 << 20), "1MiB");
        assert_eq!(binary(1023), "1023B");
    }
}
