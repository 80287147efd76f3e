//! Opens the file of a data directory.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Builder, Database, ReadableDatabase};

use super::tables::{FORMAT, IDS, INDEX, META, ROWS};
use crate::emulator::error::EmulatorError;

/// The format of the rows. Stores with another number are refused.
const SUPPORTED_FORMAT: u64 = 4;
/// redb's default is a gigabyte.
const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// The length of what redb writes last when it creates a file, at its start.
const MAGIC: usize = 9;
/// The size of what it writes first; the rest is empty.
const HEADER: u64 = 4096;
/// The maximum size of a file that was only created.
const MAX_UNFINISHED: u64 = 64 * 1024 * 1024;

/// Creates a database in memory.
pub(super) fn in_memory() -> Result<Database, EmulatorError> {
    let failed = |error: redb::Error| EmulatorError::Store { reason: error.to_string() };
    let database = Builder::new()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(redb::backends::InMemoryBackend::new())
        .map_err(|error| failed(error.into()))?;
    make_tables(&database).map_err(failed)?;
    Ok(database)
}

/// Opens a file, which is created if it does not exist. `is_checked` reads all of it.
pub(super) fn open(path: &Path, is_checked: bool) -> Result<Database, EmulatorError> {
    // redb panics on some damaged files.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let at_fault = |source| EmulatorError::Open { path: path.to_owned(), source };
        empty_if_unfinished(path).map_err(at_fault)?;
        let failed = |error| told(path, error);
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(is_checked)
            .create(path)
            .map_err(|error| failed(error.into()))?;
        match format(&database).map_err(failed)? {
            None => make_tables(&database).map_err(failed)?,
            Some(found) if found != SUPPORTED_FORMAT => {
                let (path, supported) = (path.to_owned(), SUPPORTED_FORMAT);
                return Err(EmulatorError::Format { path, found, supported });
            }
            Some(_) => {}
        }
        Ok(database)
    }));
    opened.unwrap_or_else(|_| {
        let reason = "it is damaged in a way that cannot be read".to_owned();
        Err(EmulatorError::Corrupt { path: path.to_owned(), reason })
    })
}

/// Empties a file whose creation did not finish and in which nothing was ever stored: the process ended too
/// early, or the disk was full. redb treats an empty file as new, but refuses one without the mark that it
/// writes last.
// The emulator needs Rust 1.90.
#[expect(clippy::incompatible_msrv)]
fn empty_if_unfinished(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // A process that is creating the file right now has locked it.
    let is_small = (1..=MAX_UNFINISHED).contains(&file.metadata()?.len());
    if !is_small || file.try_lock().is_err() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    (&mut file).take(HEADER).read_to_end(&mut bytes)?;
    let has_mark = bytes.iter().take(MAGIC).any(|byte| *byte != 0);
    bytes.clear();
    if !has_mark && file.read_to_end(&mut bytes).is_ok() && bytes.iter().all(|byte| *byte == 0) {
        file.set_len(0)?;
    }
    Ok(())
}

/// Creates the tables of a new database.
fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(ROWS)?;
    transaction.open_table(IDS)?;
    transaction.open_table(INDEX)?;
    transaction.open_table(META)?.insert(FORMAT, SUPPORTED_FORMAT)?;
    transaction.commit()?;
    Ok(())
}

/// Returns the format; `None` for a database without tables.
fn format(database: &Database) -> Result<Option<u64>, redb::Error> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        // A database with tables but without this one belongs to another program.
        Err(redb::TableError::TableDoesNotExist(_))
            if transaction.list_tables()?.next().is_none() =>
        {
            return Ok(None);
        }
        opened => opened?,
    };
    Ok(meta.get(FORMAT)?.map(|format| format.value()))
}

fn told(path: &Path, error: redb::Error) -> EmulatorError {
    let path = path.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            EmulatorError::Locked { path }
        }
        redb::Error::Io(source)
            if !matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            EmulatorError::Open { path, source }
        }
        error => EmulatorError::Corrupt { path, reason: error.to_string() },
    }
}
