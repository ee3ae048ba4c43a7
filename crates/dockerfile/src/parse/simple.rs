//! Instructions of a few plain words: `FROM`, `EXPOSE`, `STOPSIGNAL`, `USER`, `VOLUME`, `WORKDIR`.

use super::flags::Kind;
use super::statement::Item;
use crate::instruction::{Expose, From, StopSignal, User, Volume, Workdir};
use crate::{Diagnostic, Spanned};

pub(super) fn from(item: &Item<'_>) -> Result<From, Diagnostic> {
    let flags = item.flags(&[("platform", Kind::Text)])?;
    let mut words = item.words().into_iter();
    let Some(image) = words.next() else {
        return Err(item
            .missing("an image")
            .label("expected an image, a stage or scratch"));
    };
    let as_word = words.next();
    let name = words.next();
    match (&as_word, &name, words.next()) {
        (None, ..) => {}
        (Some(word), None, _) if word.eq_ignore_ascii_case("as") => {
            return Err(item
                .error(word.span, "AS without a name")
                .label("expected a name after it"));
        }
        (Some(word), Some(name), None) if word.eq_ignore_ascii_case("as") => {
            check_name(item, name)?;
        }
        (Some(word), _, extra) => {
            let known = word.eq_ignore_ascii_case("as");
            let place = extra
                .filter(|_| known)
                .map_or(word.span, |extra| extra.span);
            return Err(item
                .error(place, "FROM requires either one or three arguments")
                .label(if known {
                    "expected the end of the line"
                } else {
                    "expected AS <name>"
                }));
        }
    }
    Ok(From {
        platform: flags.text("platform"),
        image,
        as_word,
        name,
    })
}

fn check_name(item: &Item<'_>, name: &Spanned<String>) -> Result<(), Diagnostic> {
    let lower = name.to_lowercase();
    let valid = lower.starts_with(|first: char| first.is_ascii_lowercase())
        && lower
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
    if valid {
        return Ok(());
    }
    let message = format!("`{}` cannot be the name of a stage", name.value);
    Err(item
        .error(name.span, message)
        .label("expected a letter, then letters, digits, - _ and ."))
}

pub(super) fn expose(item: &Item<'_>) -> Result<Expose, Diagnostic> {
    item.flags(&[])?;
    let ports = item.words();
    if ports.is_empty() {
        return Err(item
            .missing("a port")
            .help("for example EXPOSE 8080 or EXPOSE 53/udp"));
    }
    Ok(Expose { ports })
}

pub(super) fn stop_signal(item: &Item<'_>) -> Result<StopSignal, Diagnostic> {
    Ok(StopSignal {
        signal: item.text()?,
    })
}

pub(super) fn user(item: &Item<'_>) -> Result<User, Diagnostic> {
    Ok(User { user: item.text()? })
}

pub(super) fn workdir(item: &Item<'_>) -> Result<Workdir, Diagnostic> {
    Ok(Workdir { path: item.text()? })
}

pub(super) fn volume(item: &Item<'_>) -> Result<Volume, Diagnostic> {
    item.flags(&[])?;
    let paths = match item.json(item.args.start)? {
        Some(strings) => strings,
        None => item.words(),
    };
    if paths.is_empty() {
        return Err(item.missing("a path"));
    }
    let trim = |path: Spanned<String>| {
        let trimmed = path.trim().to_owned();
        if trimmed.is_empty() {
            return Err(item
                .error(path.span, "the path of a volume is empty")
                .label("expected a path"));
        }
        Ok(path.map(|_| trimmed))
    };
    let paths = paths.into_iter().map(trim).collect::<Result<_, _>>()?;
    Ok(Volume { paths })
}
