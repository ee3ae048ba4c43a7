//! The order of an attach and the start behind it.
//!
//! A client attaches, waits for our `101`, then asks for the start on another connection. But we
//! can give a connection away only after the `101` is out: without more care the start could win,
//! and the first output would be lost. So each promise to hand a connection over takes a ticket,
//! and a start first waits until all tickets that are older than itself are given back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How long a start waits for a client that asked to attach and then went silent.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections that were promised and not yet given away.
#[derive(Debug, Clone)]
pub(crate) struct HandOvers(Arc<watch::Sender<Tickets>>);

#[derive(Debug, Default)]
struct Tickets {
    next: u64,
    open: BTreeSet<u64>,
}

/// A promise. Dropping it says that it is kept, or void.
#[derive(Debug)]
pub(crate) struct Ticket {
    number: u64,
    all: HandOvers,
}

impl Default for HandOvers {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Tickets::default())))
    }
}

impl HandOvers {
    /// Promises to give a connection away.
    pub(crate) fn promise(&self) -> Ticket {
        let mut number = 0;
        self.0.send_modify(|tickets| {
            number = tickets.next;
            tickets.next += 1;
            tickets.open.insert(number);
        });
        Ticket {
            number,
            all: self.clone(),
        }
    }

    /// Waits for every promise of before.
    pub(crate) async fn settled(&self) {
        let mut tickets = self.0.subscribe();
        let now = tickets.borrow().next;
        let settled = tickets.wait_for(|tickets| tickets.open.range(..now).next().is_none());
        // A client that holds everybody up is not worth more than that.
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.all.0.send_modify(|tickets| {
            tickets.open.remove(&self.number);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_start_waits_for_older_promises_only() {
        let all = HandOvers::default();
        let first = all.promise();
        let waits = tokio::spawn({
            let all = all.clone();
            async move { all.settled().await }
        });
        tokio::task::yield_now().await;
        let later = all.promise();
        assert!(!waits.is_finished());
        drop(first);
        waits.await.unwrap();
        drop(later);
        all.settled().await;
    }
}
