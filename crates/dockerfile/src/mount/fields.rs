//! Typing the fields of a mount.

use super::{BindMount, CacheMount, Mount, MountFlag, SecretMount, Sharing, SshMount, TmpfsMount};
use crate::suggest::nearest;
use crate::{Diagnostic, Expanded, Expander, Span, Spanned};

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "env",
];

const TYPES: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];

/// The fields before it is known which of them the type allows.
#[derive(Default)]
struct Fields {
    kind: Option<String>,
    from: Option<String>,
    source: Option<String>,
    target: Option<String>,
    readonly: Option<bool>,
    id: Option<String>,
    sharing: Option<Sharing>,
    required: Option<bool>,
    size: Option<u64>,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
    env: Option<String>,
}

/// What is wrong, and what was expected.
struct Wrong {
    message: String,
    label: String,
    help: Option<String>,
}

type Result<T> = std::result::Result<T, Wrong>;

fn wrong<T>(message: impl Into<String>, label: impl Into<String>) -> Result<T> {
    Err(Wrong {
        message: message.into(),
        label: label.into(),
        help: None,
    })
}

pub(super) fn mount(
    flag: &MountFlag,
    expander: &Expander<'_>,
) -> std::result::Result<Expanded<Mount>, Diagnostic> {
    let mut names = Expanded::default();
    let span = flag.raw.span;
    let diagnose = |wrong: Wrong, span| {
        let error = Diagnostic::error(&flag.file, span, wrong.message).label(wrong.label);
        match wrong.help {
            Some(help) => error.help(help),
            None => error,
        }
    };
    let Some(list) = csv(&flag.raw) else {
        return Err(expander
            .error(span, "the quotes of the mount do not match")
            .label("expected comma-separated key=value fields"));
    };
    let mut fields = Fields::default();
    let mut start = 0;
    for field in list {
        // Exact only while nothing is quoted.
        let part = Span::new(span.start + start, span.start + start + field.len());
        start += field.len() + 1;
        let exact = flag.file.slice(part) == field && part.end <= span.end;
        let span = if exact { part } else { span };
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => {
                let at = if exact {
                    part.end - value.len()
                } else {
                    span.start
                };
                let word = Spanned::new(value.to_owned(), Span::new(at, span.end));
                (key, Some(names.absorb(expander.word(&word)?).value))
            }
            None => (field.as_str(), None),
        };
        fields
            .set(&key.to_lowercase(), value)
            .map_err(|wrong| diagnose(wrong, span))?;
    }
    let mount = fields.finish().map_err(|wrong| diagnose(wrong, span))?;
    Ok(names.map(|()| mount))
}

impl Fields {
    fn set(&mut self, key: &str, value: Option<String>) -> Result<()> {
        let Some(value) = value else {
            return self.set_bare(key);
        };
        match key {
            "type" => self.kind = Some(kind(&value)?),
            "from" => self.from = Some(value),
            "source" | "src" => self.source = Some(value),
            "target" | "dst" | "destination" => self.target = Some(value),
            "readonly" | "ro" => self.readonly = Some(flag(key, &value)?),
            "readwrite" | "rw" => self.readonly = Some(!flag(key, &value)?),
            "required" => self.required = Some(flag(key, &value)?),
            "size" => self.size = Some(size(&value)?),
            "id" => self.id = Some(value),
            "sharing" => self.sharing = Some(sharing(&value)?),
            "mode" => self.mode = Some(number(key, &value, 8)?),
            "uid" => self.uid = Some(number(key, &value, 10)?),
            "gid" => self.gid = Some(number(key, &value, 10)?),
            "env" => self.env = Some(value),
            _ => return unknown(key),
        }
        Ok(())
    }

    /// A field without `=`.
    fn set_bare(&mut self, key: &str) -> Result<()> {
        match key {
            "readonly" | "ro" => self.readonly = Some(true),
            "readwrite" | "rw" => self.readonly = Some(false),
            "required" => self.required = Some(true),
            "env" => self.env = Some(String::new()),
            _ if KEYS.contains(&key) => {
                return wrong(
                    format!("`{key}` of the mount has no value"),
                    format!("expected {key}=<value>"),
                );
            }
            _ => return unknown(key),
        }
        Ok(())
    }

    fn finish(self) -> Result<Mount> {
        let kind = self.kind.clone().unwrap_or_else(|| "bind".to_owned());
        self.refuse(&kind)?;
        Ok(match kind.as_str() {
            "cache" => Mount::Cache(CacheMount {
                target: self.need_target("cache")?,
                id: self.id,
                from: self.from,
                source: self.source,
                sharing: self.sharing.unwrap_or_default(),
                readonly: self.readonly.unwrap_or(false),
                mode: self.mode.unwrap_or(0o755),
                uid: self.uid.unwrap_or(0),
                gid: self.gid.unwrap_or(0),
            }),
            "tmpfs" => Mount::Tmpfs(TmpfsMount {
                target: self.need_target("tmpfs")?,
                size: self.size,
            }),
            "secret" => Mount::Secret(self.secret()?),
            "ssh" => Mount::Ssh(SshMount {
                id: filled(self.id)
                    .or(filled(self.source))
                    .unwrap_or_else(|| "default".to_owned()),
                target: filled(self.target),
                required: self.required.unwrap_or(false),
                mode: self.mode.unwrap_or(0o600),
                uid: self.uid.unwrap_or(0),
                gid: self.gid.unwrap_or(0),
            }),
            _ => Mount::Bind(BindMount {
                target: self.need_target("bind")?,
                from: filled(self.from),
                source: self.source,
                readonly: self.readonly.unwrap_or(true),
            }),
        })
    }

    /// Keys that the type does not have.
    fn refuse(&self, kind: &str) -> Result<()> {
        let of = |kinds: &[&str]| kinds.contains(&kind);
        let owner = of(&["secret", "ssh", "cache"]);
        let refused = [
            ("mode", self.mode.is_some() && !owner),
            ("uid", self.uid.is_some() && !owner),
            ("gid", self.gid.is_some() && !owner),
            (
                "required",
                self.required.is_some() && !of(&["secret", "ssh"]),
            ),
            ("size", self.size.is_some() && kind != "tmpfs"),
            ("sharing", self.sharing.is_some() && kind != "cache"),
            ("env", self.env.is_some() && kind != "secret"),
            (
                "from",
                filled(self.from.clone()).is_some() && kind == "secret",
            ),
        ];
        match refused.into_iter().find(|(_, refused)| *refused) {
            Some((key, _)) => wrong(
                format!("a mount of type {kind} has no `{key}`"),
                format!("expected only fields of type {kind}"),
            ),
            None => Ok(()),
        }
    }

    fn need_target(&self, kind: &str) -> Result<String> {
        match filled(self.target.clone()) {
            Some(target) if is_root(&target) => wrong(
                "a mount cannot cover the root folder",
                "expected a target below /",
            ),
            Some(target) => Ok(target),
            None => wrong(
                format!("a mount of type {kind} needs a target"),
                "expected target=<path>",
            ),
        }
    }

    fn secret(self) -> Result<SecretMount> {
        let (id, source) = (filled(self.id), filled(self.source));
        if id.is_some() && source.is_some() {
            return wrong(
                "a secret has either `id` or `source`",
                "expected one of the two",
            );
        }
        let target = filled(self.target);
        let id = id.or(source).or_else(|| target.as_deref().map(base));
        let Some(id) = id else {
            return wrong(
                "the secret has no name",
                "expected id=<name> or target=<path>",
            );
        };
        let env = self
            .env
            .map(|name| if name.is_empty() { id.clone() } else { name });
        let target = match target {
            None if env.is_none() => Some(format!("/run/secrets/{}", base(&id))),
            target => target,
        };
        Ok(SecretMount {
            id,
            target,
            env,
            required: self.required.unwrap_or(false),
            mode: self.mode.unwrap_or(0o400),
            uid: self.uid.unwrap_or(0),
            gid: self.gid.unwrap_or(0),
        })
    }
}

fn filled(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

fn is_root(target: &str) -> bool {
    target.starts_with('/') && crate::ignore::clean(target) == "/"
}

fn base(path: &str) -> String {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/')
        .map_or(path, |(_, name)| name)
        .to_owned()
}

fn unknown(key: &str) -> Result<()> {
    Err(Wrong {
        message: format!("a mount has no field `{key}`"),
        label: "expected type, target, source, from, id, …".to_owned(),
        help: nearest(key, KEYS).map(|near| format!("did you mean {near}?")),
    })
}

fn kind(value: &str) -> Result<String> {
    let lower = value.to_lowercase();
    if TYPES.contains(&lower.as_str()) {
        return Ok(lower);
    }
    Err(Wrong {
        message: format!("there is no mount type `{value}`"),
        label: format!("expected one of {}", TYPES.join(", ")),
        help: nearest(value, TYPES).map(|near| format!("did you mean {near}?")),
    })
}

fn sharing(value: &str) -> Result<Sharing> {
    match value.to_lowercase().as_str() {
        "shared" => Ok(Sharing::Shared),
        "private" => Ok(Sharing::Private),
        "locked" => Ok(Sharing::Locked),
        _ => wrong(
            format!("there is no sharing `{value}`"),
            "expected shared, private or locked",
        ),
    }
}

fn flag(key: &str, value: &str) -> Result<bool> {
    match boolean(value) {
        Some(value) => Ok(value),
        None => wrong(
            format!("`{value}` is not a value of `{key}`"),
            "expected true or false",
        ),
    }
}

fn number(key: &str, value: &str, radix: u32) -> Result<u32> {
    let digits = !value.starts_with('+');
    match u32::from_str_radix(value, radix) {
        Ok(number) if digits => Ok(number),
        _ => wrong(
            format!("`{value}` is not a value of `{key}`"),
            if radix == 8 {
                "expected an octal number, for example 0755"
            } else {
                "expected a number"
            },
        ),
    }
}

/// Bytes with a unit of 1024: `64m`, `1.5GiB`, `100`.
fn size(value: &str) -> Result<u64> {
    let end = value
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(value.len());
    let unit = value[end..].trim_start_matches(' ').to_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" if unit.is_empty() || unit == "b" => Some(0),
        "k" => Some(1),
        "m" => Some(2),
        "g" => Some(3),
        "t" => Some(4),
        "p" => Some(5),
        _ => None,
    };
    let bytes = power.and_then(|power| {
        let (whole, fraction) = value[..end].split_once('.').unwrap_or((&value[..end], ""));
        let scale = 1024_u64.pow(power);
        let fraction = fraction.get(..fraction.len().min(9))?;
        let parts = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        let fraction: u128 = if fraction.is_empty() {
            0
        } else {
            fraction.parse().ok()?
        };
        let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
        whole.checked_add(u64::try_from(u128::from(scale) * fraction / parts).ok()?)
    });
    match bytes {
        Some(bytes) => Ok(bytes),
        None => wrong(
            format!("`{value}` is not a size"),
            "expected for example 64m or 1g",
        ),
    }
}

/// What Go reads as a boolean.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Comma-separated fields; a field may stand in double quotes, in which `""` is a quote.
pub(crate) fn csv(text: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let plain = &rest[..end];
                if plain.contains('"') {
                    return None;
                }
                (plain.to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(',')?;
    }
}

fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Some((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted() {
        assert_eq!(csv("a,b=c").unwrap(), ["a", "b=c"]);
        assert_eq!(csv("\"a,b\"\"c\",d").unwrap(), ["a,b\"c", "d"]);
        assert_eq!(csv("\"a"), None);
        assert_eq!(csv("\"a\"b"), None);
        assert_eq!(csv("a\"b"), None);
        assert_eq!(csv("").unwrap(), [""]);
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("100", 100),
            ("64m", 64 << 20),
            ("1.5GiB", 3 << 29),
            ("2KB", 2048),
        ] {
            assert_eq!(size(text).ok(), Some(bytes), "{text}");
        }
        for text in ["", "m", "-1", "1x", "99999999999p", "1.2.3", "."] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
