//! `key=value,key,"quoted, value"`: the comma-separated fields of `--mount`, `--secret`, `--output`.

/// The fields of one line of comma-separated values. A field may be quoted as a whole; a doubled
/// quote inside it is one quote.
pub(crate) fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        let mut field = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next() {
                    Some('"') if rest.next_if_eq(&'"').is_some() => field.push('"'),
                    Some('"') => break,
                    Some(c) => field.push(c),
                    None => return Err(format!("a quote is not closed in '{line}'")),
                }
            }
        } else {
            while let Some(c) = rest.next_if(|c| *c != ',') {
                if c == '"' {
                    return Err(format!("a quote inside an unquoted field in '{line}'"));
                }
                field.push(c);
            }
        }
        fields.push(field);
        match rest.next() {
            None => return Ok(fields),
            Some(',') => {}
            Some(_) => return Err(format!("text after a closing quote in '{line}'")),
        }
    }
}

/// The fields as key and value; a field without `=` has no value. Keys are lower case.
pub(crate) fn pairs(line: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let pair = |field: String| match field.split_once('=') {
        Some((key, value)) => (key.trim().to_ascii_lowercase(), Some(value.to_owned())),
        None => (field.trim().to_ascii_lowercase(), None),
    };
    Ok(fields(line)?.into_iter().map(pair).collect())
}

/// A yes-or-no value; a key alone means yes.
pub(crate) fn boolean(key: &str, value: Option<&str>) -> Result<bool, String> {
    match value {
        None => Ok(true),
        Some(value) => go_bool(value).map_err(|_| format!("invalid value for '{key}': {value}")),
    }
}

/// The texts that Go takes for a boolean.
pub(crate) fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        assert_eq!(
            fields(r#"a=1,"b=x,y""z",c"#).unwrap(),
            ["a=1", r#"b=x,y"z"#, "c"]
        );
        for bad in [r#""a"#, r#"a"b"#, r#""a"b"#] {
            assert!(fields(bad).is_err(), "{bad}");
        }
    }
}
