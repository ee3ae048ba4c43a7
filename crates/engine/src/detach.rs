//! Keys that end an attachment: `ctrl-p,ctrl-q`.

use crate::Error;

const DEFAULT: [u8; 2] = [16, 17];

/// The bytes that a terminal sends for the keys. Nothing said is Ctrl-P Ctrl-Q.
pub(crate) fn parse(text: Option<&str>) -> Result<Vec<u8>, Error> {
    match text {
        None | Some("") => Ok(DEFAULT.to_vec()),
        Some(text) => text.split(',').map(|key| byte(key, text)).collect(),
    }
}

fn byte(key: &str, text: &str) -> Result<u8, Error> {
    let wrong = || {
        let reason = "expected single characters and ctrl-a to ctrl-z, ctrl-@, ctrl-[, ctrl-\\, ctrl-], ctrl-^, ctrl-_";
        Error::invalid("escape keys", text, reason)
    };
    if let [byte] = key.as_bytes() {
        return Ok(*byte);
    }
    match key.strip_prefix("ctrl-").map(str::as_bytes) {
        Some([letter @ b'a'..=b'z']) => Ok(letter - b'a' + 1),
        Some([sign @ (b'@' | b'['..=b'_')]) => Ok(sign - b'@'),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn keys() {
        assert_eq!(parse(None).unwrap(), [16, 17]);
        assert_eq!(
            parse(Some("ctrl-a,x,ctrl-@,ctrl-_")).unwrap(),
            [1, b'x', 0, 31]
        );
        for text in ["ctrl-", "ctrl-A", "xy", "a,,b", "ctrl-1"] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }
}
