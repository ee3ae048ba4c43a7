//! Why a result was not in the cache.

use std::fmt;

use crate::Ingredient;

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What: `package-lock.json`, `the command`, `ARG VERSION`.
    pub label: String,
    /// As it was; `None` if it was not there.
    pub old: Option<String>,
    /// As it is; `None` if it is gone.
    pub new: Option<String>,
}

/// Why, at the place where it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// This step was never built before.
    New,
    /// The build was told to use no earlier result.
    Forced,
    /// Nothing changed, but the earlier result was removed.
    Removed,
    /// These things changed.
    Changed(Vec<Difference>),
}

/// Why a vertex was not in the cache: the root cause, carried down from where it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Name of the vertex where it began; `None` if it is this one.
    pub root: Option<String>,
    /// What happened there.
    pub cause: Cause,
}

impl Explanation {
    pub(crate) fn own(cause: Cause) -> Self {
        Self { root: None, cause }
    }

    /// The same for a vertex that needs `name`.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self {
            root: Some(self.root.clone().unwrap_or_else(|| name.to_owned())),
            cause: self.cause.clone(),
        }
    }
}

/// The ingredients that differ, by label.
pub(crate) fn compare(old: &[Ingredient], new: &[Ingredient]) -> Vec<Difference> {
    let find = |list: &[Ingredient], label: &str| {
        let found = list.iter().find(|ingredient| ingredient.label == label);
        found.map(|ingredient| ingredient.value.clone())
    };
    let gone = old.iter().filter(|i| find(new, &i.label).is_none());
    let labels = new.iter().chain(gone).map(|i| i.label.as_str());
    let pairs = labels.map(|label| Difference {
        label: label.to_owned(),
        old: find(old, label),
        new: find(new, label),
    });
    pairs.filter(|pair| pair.old != pair.new).collect()
}

/// Long values are cut: an explanation is one line.
const MAX_VALUE: usize = 60;
/// So many differences are named, the rest is counted.
const MAX_NAMED: usize = 3;

fn cut(value: &str) -> String {
    if let Ok(digest) = value.parse::<oci::Digest>() {
        return format!("{}…", digest.short());
    }
    let line = value.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < value.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                write!(f, "{label} changed ({} → {})", cut(old), cut(new))
            }
            (None, Some(_)) => write!(f, "{label} was added"),
            (Some(_), None) => write!(f, "{label} was removed"),
            (None, None) => write!(f, "{label} changed"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.cause, &self.root) {
            (Cause::New, None) => f.write_str("ran because it is new"),
            (Cause::New, Some(root)) => write!(f, "ran again because `{root}` is new"),
            (Cause::Forced, _) => f.write_str("ran again because the cache is switched off"),
            (Cause::Removed, None) => {
                f.write_str("ran again because its earlier result was removed")
            }
            (Cause::Removed, Some(root)) => write!(
                f,
                "ran again because the earlier result of `{root}` was removed"
            ),
            (Cause::Changed(differences), root) => {
                let named: Vec<_> = differences
                    .iter()
                    .take(MAX_NAMED)
                    .map(ToString::to_string)
                    .collect();
                write!(f, "ran again because {}", named.join(", "))?;
                if differences.len() > MAX_NAMED {
                    write!(f, " and {} more", differences.len() - MAX_NAMED)?;
                }
                match root {
                    Some(root) => write!(f, " in `{root}`"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_label() {
        let old = [
            Ingredient::new("a", "1"),
            Ingredient::new("b", "2"),
            Ingredient::new("c", "3"),
        ];
        let new = [
            Ingredient::new("a", "1"),
            Ingredient::new("b", "9"),
            Ingredient::new("d", "4"),
        ];
        let text: Vec<_> = compare(&old, &new)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(text, ["b changed (2 → 9)", "d was added", "c was removed"]);
    }

    #[test]
    fn names_the_root() {
        let cause = Cause::Changed(compare(
            &[Ingredient::new("f", "1")],
            &[Ingredient::new("f", "2")],
        ));
        let own = Explanation::own(cause);
        assert_eq!(own.to_string(), "ran again because f changed (1 → 2)");
        let below = own.below("COPY f .").below("RUN x");
        assert_eq!(
            below.to_string(),
            "ran again because f changed (1 → 2) in `COPY f .`"
        );
    }

    #[test]
    fn is_one_short_line() {
        let difference = Difference {
            label: "the command".into(),
            old: Some("x".repeat(100)),
            new: Some("a\nb".into()),
        };
        let text = difference.to_string();
        assert_eq!(
            text,
            format!("the command changed ({}… → a…)", "x".repeat(60))
        );
    }
}
