//! Transactions on the facts.

use std::ops::Deref;

/// A consistent view of the facts.
pub struct Tx<'a> {
    connection: &'a rusqlite::Connection,
}

/// A transaction that may change the facts; reads through [`Tx`].
pub struct WriteTx<'a> {
    read: Tx<'a>,
}

impl<'a> Deref for WriteTx<'a> {
    type Target = Tx<'a>;

    fn deref(&self) -> &Tx<'a> {
        &self.read
    }
}
