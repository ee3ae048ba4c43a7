//! `ADD` and `COPY`.

use super::flags::Kind;
use super::statement::Item;
use crate::instruction::{Add, Copy, Source, SourceFile};
use crate::{Diagnostic, Spanned, heredoc};

pub(super) fn add(item: &Item<'_>) -> Result<Add, Diagnostic> {
    let flags = item.flags(&[
        ("chown", Kind::Text),
        ("chmod", Kind::Text),
        ("link", Kind::Switch),
        ("exclude", Kind::List),
        ("keep-git-dir", Kind::Switch),
        ("checksum", Kind::Text),
        ("unpack", Kind::Switch),
    ])?;
    let (sources, destination) = paths(item)?;
    Ok(Add {
        sources,
        destination,
        chown: flags.text("chown"),
        chmod: flags.text("chmod"),
        link: flags.switch("link").unwrap_or(false),
        exclude: flags.list("exclude"),
        keep_git_dir: flags.switch("keep-git-dir"),
        checksum: flags.text("checksum"),
        unpack: flags.switch("unpack"),
    })
}

pub(super) fn copy(item: &Item<'_>) -> Result<Copy, Diagnostic> {
    let flags = item.flags(&[
        ("from", Kind::Text),
        ("chown", Kind::Text),
        ("chmod", Kind::Text),
        ("link", Kind::Switch),
        ("parents", Kind::Switch),
        ("exclude", Kind::List),
    ])?;
    let (sources, destination) = paths(item)?;
    let from = flags.text("from");
    if let Some(from) = from.as_ref().filter(|from| has_variable(from)) {
        return Err(no_variables(item, from, "--from"));
    }
    Ok(Copy {
        sources,
        destination,
        from,
        chown: flags.text("chown"),
        chmod: flags.text("chmod"),
        link: flags.switch("link").unwrap_or(false),
        parents: flags.switch("parents").unwrap_or(false),
        exclude: flags.list("exclude"),
    })
}

/// A dollar sign that is not the last character begins a variable.
pub(super) fn has_variable(text: &str) -> bool {
    text.find('$').is_some_and(|at| at + 1 != text.len())
}

pub(super) fn no_variables(item: &Item<'_>, value: &Spanned<String>, name: &str) -> Diagnostic {
    item.error(value.span, format!("{name} cannot have variables"))
        .label("expected a stage, an image or a named context")
        .help("give the image a name with `FROM <image with variables> AS <name>` and use that")
}

fn paths(item: &Item<'_>) -> Result<(Vec<Source>, Spanned<String>), Diagnostic> {
    let (mut words, plain) = match item.json(item.args.start)? {
        Some(strings) => (strings, false),
        None => (item.words(), true),
    };
    let Some(destination) = words.pop() else {
        return Err(item.missing("a source and a destination"));
    };
    if plain && heredoc::delimiter(&destination).is_some() {
        let message = format!("a here-document cannot be the destination of {}", item.name);
        return Err(item
            .error(destination.span, message)
            .label("expected a path"));
    }
    if words.is_empty() {
        let message = format!("{} has no destination", item.name);
        return Err(item
            .error(destination.span, message)
            .label("expected a destination after this source"));
    }
    let source = |word: Spanned<String>| match heredoc::delimiter(&word) {
        Some(delimiter) if plain => file(item, word, &delimiter.name),
        _ => Source::Path(word),
    };
    Ok((words.into_iter().map(source).collect(), destination))
}

/// The last here-document of that name.
fn file(item: &Item<'_>, word: Spanned<String>, name: &str) -> Source {
    let heredoc = item.heredocs.iter().rfind(|heredoc| heredoc.name == name);
    let Some(heredoc) = heredoc else {
        return Source::Path(word);
    };
    Source::File(SourceFile {
        name: word.map(|_| name.to_owned()),
        content: heredoc.body().into_owned(),
        expand: heredoc.expand,
        span: heredoc.span,
    })
}
