//! The database: one connection that writes, several that read, and the transactions on them.

use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{CachedStatement, Connection, OpenFlags, Row, TransactionBehavior};

use crate::{Error, Result, schema};

/// A consistent view of the facts.
pub struct Tx<'a> {
    connection: &'a Connection,
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

/// The open database.
#[derive(Debug)]
pub(crate) struct Facts {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// Readers that nobody uses right now.
    readers: Mutex<Vec<Connection>>,
}

/// More idle readers than this are closed.
const IDLE_READERS: usize = 4;

impl Facts {
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let mut writer = Connection::open(&path)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        configure(&writer)?;
        schema::migrate(&mut writer, &path)?;
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn read<T>(&self, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let transaction = connection.transaction()?;
        let result = job(&Tx {
            connection: &transaction,
        });
        transaction.finish()?;
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    fn reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure(&connection)?;
        Ok(connection)
    }

    /// The writer, for a job of more than one transaction.
    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer(lock(&self.writer))
    }
}

/// The exclusive right to write.
pub(crate) struct Writer<'a>(MutexGuard<'a, Connection>);

impl Writer<'_> {
    pub(crate) fn transact<T>(&mut self, job: impl FnOnce(&WriteTx<'_>) -> Result<T>) -> Result<T> {
        let transaction = self
            .0
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = job(&WriteTx {
            read: Tx {
                connection: &transaction,
            },
        })?;
        transaction.commit()?;
        Ok(result)
    }
}

fn configure(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // KiB, for each connection: the whole database is small and the kernel caches it too.
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// A panic under the lock leaves an open transaction at worst, which is undone as it unwinds.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tx<'_> {
    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// All rows, each made by `make`.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        mut make: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(make(row)?);
        }
        Ok(all)
    }

    /// The first row, made by `make`.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        make: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params)?;
        match rows.next()? {
            Some(row) => make(row).map(Some),
            None => Ok(None),
        }
    }
}

impl WriteTx<'_> {
    /// Runs one statement; returns the number of rows that it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        Ok(self.prepare(sql)?.execute(params)?)
    }

    /// Runs an insertion; returns the new row's number.
    pub(crate) fn insert(&self, sql: &str, params: impl rusqlite::Params) -> Result<i64> {
        Ok(self.prepare(sql)?.insert(params)?)
    }
}

/// A column whose text parses.
pub(crate) fn parsed<T: FromStr>(row: &Row<'_>, column: &str, what: &'static str) -> Result<T> {
    let text: String = row.get(column)?;
    parse(text, what)
}

/// The same for a column that may be empty.
pub(crate) fn parsed_or_none<T: FromStr>(
    row: &Row<'_>,
    column: &str,
    what: &'static str,
) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| parse(text, what)).transpose()
}

fn parse<T: FromStr>(text: String, what: &'static str) -> Result<T> {
    match text.parse() {
        Ok(value) => Ok(value),
        Err(_) => Err(Error::Corrupt { what, value: text }),
    }
}

/// A size from the database, where numbers are signed.
pub(crate) fn size_of(row: &Row<'_>, column: &str) -> Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// A size for the database.
pub(crate) fn to_sql(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
