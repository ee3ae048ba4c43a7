//! `--secret id=token,src=file` and `--secret id=token,env=NAME`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use api::corten::Secret;

use crate::Environment;
use crate::words::csv;

/// The largest secret, as in BuildKit.
const LARGEST: usize = 500 * 1024;

/// Reads the secrets' bytes. Without a source the id names a variable, else a file.
pub(super) fn read(
    flags: &[String],
    own: &Environment,
) -> anyhow::Result<BTreeMap<String, Secret>> {
    let mut secrets = BTreeMap::new();
    for flag in flags {
        let (id, bytes) = one(flag, own)?;
        if bytes.len() > LARGEST {
            bail!(
                "invalid secret {id}: {} bytes, at most {LARGEST} are allowed",
                bytes.len()
            );
        }
        secrets.insert(id, Secret(bytes));
    }
    Ok(secrets)
}

fn one(flag: &str, own: &Environment) -> anyhow::Result<(String, Vec<u8>)> {
    let (mut id, mut source, mut variable) = (None, None, None);
    for (key, value) in csv::pairs(flag).map_err(anyhow::Error::msg)? {
        let value = value.with_context(|| format!("invalid secret {flag}: {key} needs a value"))?;
        match (key.as_str(), value.as_str()) {
            ("type", "file" | "env") => {}
            ("type", kind) => bail!("invalid secret {flag}: unsupported type {kind}"),
            ("id", _) => id = Some(value),
            ("source" | "src", _) => source = Some(value),
            ("env", _) => variable = Some(value),
            _ => bail!("invalid secret {flag}: unexpected key '{key}'"),
        }
    }
    let id = id.or_else(|| source.clone()).or_else(|| variable.clone());
    let id = id.with_context(|| format!("invalid secret {flag}: id is missing"))?;
    if source.is_none() && variable.is_none() {
        variable = own.get(&id).is_some().then(|| id.clone());
    }
    let bytes = match variable {
        Some(name) => own
            .get(&name)
            .with_context(|| format!("invalid secret {id}: the variable {name} is not set"))?
            .as_bytes()
            .to_vec(),
        None => {
            let path = source.unwrap_or_else(|| id.clone());
            std::fs::read(&path)
                .with_context(|| format!("invalid secret {id}: cannot read {path}"))?
        }
    };
    Ok((id, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "hush").unwrap();
        let path = file.path().display();
        let own = Environment::of([("TOKEN", "t0")]);
        let of = |flag: &str| read(&[flag.to_owned()], &own);
        let bytes = |flag: &str| {
            let secrets = of(flag).unwrap();
            secrets
                .into_iter()
                .next()
                .map(|(id, secret)| (id, secret.0))
                .unwrap()
        };
        assert_eq!(
            bytes(&format!("id=a,src={path}")),
            ("a".to_owned(), b"hush".to_vec())
        );
        assert_eq!(bytes("id=a,env=TOKEN"), ("a".to_owned(), b"t0".to_vec()));
        assert_eq!(bytes("id=TOKEN"), ("TOKEN".to_owned(), b"t0".to_vec()));
        for bad in [
            "",
            "id=a,env=NOPE",
            "id=a,src=/nonexistent",
            "type=ssh,id=a",
            "id",
            "id=a,x=y",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
