//! Signals by name and number.

use crate::Error;

const NAMES: [(&str, i32); 35] = [
    ("ABRT", 6),
    ("ALRM", 14),
    ("BUS", 7),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("FPE", 8),
    ("HUP", 1),
    ("ILL", 4),
    ("INT", 2),
    ("IO", 29),
    ("IOT", 6),
    ("KILL", 9),
    ("PIPE", 13),
    ("POLL", 29),
    ("PROF", 27),
    ("PWR", 30),
    ("QUIT", 3),
    ("SEGV", 11),
    ("STKFLT", 16),
    ("STOP", 19),
    ("SYS", 31),
    ("TERM", 15),
    ("TRAP", 5),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("USR1", 10),
    ("USR2", 12),
    ("VTALRM", 26),
    ("WINCH", 28),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("RTMIN", RTMIN),
];
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-1`.
pub(crate) fn parse(text: &str) -> Result<i32, Error> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |base: i32, digits: &str| digits.parse::<i32>().ok().map(|number| base + number);
    let number = name.parse().ok().or_else(|| {
        let named = NAMES.iter().find(|(known, _)| *known == name);
        named.map(|(_, number)| *number)
    });
    let number = number
        .or_else(|| offset(RTMIN, name.strip_prefix("RTMIN+")?))
        .or_else(|| offset(RTMAX, name.strip_prefix("RTMAX")?));
    number
        .filter(|number| (1..=RTMAX).contains(number))
        .ok_or_else(|| {
            Error::invalid(
                "signal",
                text,
                "expected a name such as SIGTERM or a number",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_and_numbers() {
        for (text, number) in [
            ("SIGTERM", 15),
            ("kill", 9),
            ("9", 9),
            ("SIGRTMIN", 34),
            ("RTMIN+3", 37),
            ("RTMAX-1", 63),
            ("sigwinch", 28),
        ] {
            assert_eq!(parse(text).unwrap(), number, "{text}");
        }
        for text in ["", "0", "65", "SIG", "WHAT", "-1", "RTMAX+1", "RTMIN+99"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
