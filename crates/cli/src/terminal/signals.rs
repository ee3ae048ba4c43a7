//! Signals of this process that mean something to the container.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// What is passed on, by number and name. SIGKILL and SIGSTOP cannot be caught; SIGCHLD, SIGPIPE and
/// the terminal's own are this process's business.
const PROXIED: [(i32, &str); 8] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (10, "USR1"),
    (12, "USR2"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
];

/// Catches the signals to pass on. From here on they do not end this process.
pub(crate) fn proxied() -> std::io::Result<mpsc::UnboundedReceiver<&'static str>> {
    let (send, receive) = mpsc::unbounded_channel();
    for (number, name) in PROXIED {
        let mut caught = signal(SignalKind::from_raw(number))?;
        let send = send.clone();
        tokio::spawn(
            async move { while caught.recv().await.is_some() && send.send(name).is_ok() {} },
        );
    }
    Ok(receive)
}

/// Changes of the terminal's size.
pub(crate) fn resized() -> std::io::Result<Signal> {
    signal(SignalKind::window_change())
}
