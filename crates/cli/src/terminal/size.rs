//! The terminal's size.

/// Rows and columns of the terminal on standard output; nothing where there is none, or where it
/// does not know its size.
pub(crate) fn of_output() -> Option<(u16, u16)> {
    of(std::io::stdout())
}

/// Rows and columns of the terminal behind a stream.
pub(crate) fn of(stream: impl std::os::fd::AsFd) -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}
