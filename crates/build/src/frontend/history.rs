//! History entries, in the words that Docker's tools expect.

use oci::History;

/// Marks entries that an instruction of a Dockerfile made.
const COMMENT: &str = "buildkit.dockerfile.v0";

/// An entry for a step that makes a layer.
pub(super) fn layer(text: &str, created: &str) -> History {
    History {
        created: Some(created.to_owned()),
        created_by: Some(format!("{text} # buildkit")),
        comment: Some(COMMENT.to_owned()),
        ..History::default()
    }
}

/// An entry for an instruction that changes only the config.
pub(super) fn metadata(text: &str, created: &str) -> History {
    History {
        created: Some(created.to_owned()),
        created_by: Some(text.to_owned()),
        comment: Some(COMMENT.to_owned()),
        empty_layer: true,
        ..History::default()
    }
}

/// `["a" "b"]`
pub(super) fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", words.join(" "))
}

/// `[a b]`
pub(super) fn plain<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    format!("[{}]", words.join(" "))
}

/// Seconds since 1970 as RFC 3339.
pub(super) fn rfc3339(epoch: i64) -> String {
    const DAY: i64 = 86_400;
    let (days, seconds) = (epoch.div_euclid(DAY), epoch.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date that many days after 1970-01-01: years are counted from March, so that the leap day is
/// a year's last.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (epoch, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (315_532_801, "1980-01-01T00:00:01Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(epoch), text);
        }
    }
}
