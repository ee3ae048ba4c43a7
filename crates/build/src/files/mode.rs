//! `--chmod`: octal, or symbolic as chmod(1) has it.

/// A parsed `--chmod`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// These bits.
    Bits(u32),
    /// These changes, in order.
    Changes(Vec<Change>),
}

/// One clause of a symbolic mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Bits of `rwx` of the classes that it is about: any of 0o700, 0o070, 0o007.
    classes: u32,
    operator: char,
    permissions: String,
}

impl Mode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let bits = u32::from_str_radix(text, 8).ok()?;
            return (bits <= 0o7777).then_some(Self::Bits(bits));
        }
        let changes: Option<Vec<_>> = text.split(',').map(parse_clause).collect();
        changes.map(|clauses| Self::Changes(clauses.into_iter().flatten().collect()))
    }

    /// The bits of a file that had `mode`.
    pub(crate) fn apply(&self, mode: u32, is_dir: bool) -> u32 {
        match self {
            Self::Bits(bits) => *bits,
            Self::Changes(changes) => changes
                .iter()
                .fold(mode, |mode, change| change.apply(mode, is_dir)),
        }
    }
}

fn parse_clause(text: &str) -> Option<Vec<Change>> {
    let start = text.find(['+', '-', '='])?;
    let (who, mut rest) = text.split_at(start);
    let mut classes = 0;
    for class in who.chars() {
        classes |= match class {
            'u' => 0o700,
            'g' => 0o070,
            'o' => 0o007,
            'a' => 0o777,
            _ => return None,
        };
    }
    let classes = if classes == 0 { 0o777 } else { classes };
    let mut changes = Vec::new();
    while let Some(operator) = rest.chars().next() {
        let tail = &rest[1..];
        let end = tail.find(['+', '-', '=']).unwrap_or(tail.len());
        let permissions = tail[..end].to_owned();
        if !permissions.chars().all(|c| "rwxXstugo".contains(c)) {
            return None;
        }
        changes.push(Change {
            classes,
            operator,
            permissions,
        });
        rest = &tail[end..];
    }
    Some(changes)
}

impl Change {
    fn apply(&self, mode: u32, is_dir: bool) -> u32 {
        let bits = self.permissions.chars().fold(0, |bits, permission| {
            bits | self.bits(permission, mode, is_dir)
        });
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => {
                let special = match self.classes {
                    0o777 => 0o7000,
                    classes => (classes & 0o400) << 3 | (classes & 0o040) << 5,
                };
                // As in chmod(1), a folder keeps its setuid and setgid bits.
                let special = if is_dir { 0 } else { special };
                mode & !(self.classes | special) | bits
            }
        }
    }

    fn bits(&self, permission: char, mode: u32, is_dir: bool) -> u32 {
        let spread = |three: u32| (three << 6 | three << 3 | three) & self.classes;
        match permission {
            'r' => spread(4),
            'w' => spread(2),
            'x' => spread(1),
            'X' if is_dir || mode & 0o111 != 0 => spread(1),
            's' => {
                let user = if self.classes & 0o700 != 0 { 0o4000 } else { 0 };
                let group = if self.classes & 0o070 != 0 { 0o2000 } else { 0 };
                user | group
            }
            't' => 0o1000,
            'u' => spread(mode >> 6 & 7),
            'g' => spread(mode >> 3 & 7),
            'o' => spread(mode & 7),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_and_symbolic() {
        for (text, mode, is_dir, expected) in [
            ("755", 0o600, false, 0o755),
            ("04755", 0o600, false, 0o4755),
            ("u+x", 0o644, false, 0o744),
            ("+x", 0o644, false, 0o755),
            ("go-rwx", 0o755, false, 0o700),
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("a=r", 0o4755, false, 0o444),
            ("g=u", 0o640, false, 0o660),
            ("u+s", 0o755, false, 0o4755),
            ("+t", 0o777, true, 0o1777),
            ("u=rw+x", 0o000, false, 0o700),
        ] {
            let parsed = Mode::parse(text).unwrap();
            assert_eq!(parsed.apply(mode, is_dir), expected, "{text} on {mode:o}");
        }
        for text in ["", "999", "10000", "u", "u+y", "z+x", "u+x,"] {
            assert!(Mode::parse(text).is_none(), "{text}");
        }
    }
}
