//! `--filter key=value`.

use api::Filters;

/// Reads the flags.
pub(crate) fn parse(flags: &[String]) -> Result<Filters, String> {
    let mut filters = Filters::default();
    for flag in flags.iter().filter(|flag| !flag.is_empty()) {
        let (key, value) = flag.split_once('=').ok_or_else(|| {
            format!("invalid argument \"{flag}\" for \"-f, --filter\" flag: expected name=value")
        })?;
        filters.add(key.trim().to_ascii_lowercase(), value.trim());
    }
    Ok(filters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_collect() {
        let flags = ["label=a=b", "label=c", "Status=running", "label=c", ""];
        let filters = parse(&flags.map(ToOwned::to_owned)).unwrap();
        insta::assert_snapshot!(filters.encode().unwrap(), @r#"{"label":{"a=b":true,"c":true},"status":{"running":true}}"#);
        assert!(parse(&["x".to_owned()]).is_err());
    }
}
