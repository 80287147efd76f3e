//! The store: redb, in memory or in a file of a directory.

mod tables;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageError,
};
use tonic::Status;

pub(crate) use tables::{
    ASSIGNMENT_IDS, ASSIGNMENTS, POLICIES, POLICY_IDS, RUNS, TASK_IDS, TASKS, Tables, decode,
    new_id, row,
};

use super::error::EmulatorError;
use super::failure::Failure;
use tables::{FORMAT, META};

/// The file in a data directory.
const FILE: &str = "emulator.redb";
/// The format of the rows. A store with a greater number is not opened.
const SUPPORTED_FORMAT: u64 = 1;
/// redb would take a gigabyte.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// The emulator's rows, transactional and durable.
///
/// Every change is one transaction, on disk (`Durability::Immediate`) before its call is answered.
/// Reads work on a snapshot. All of it runs on tokio's blocking threads: a commit waits for the disk,
/// and a writer waits for the writer before it, which would hold up every other call otherwise.
pub(crate) struct Store {
    /// `None` after [`close`](Self::close).
    database: RwLock<Option<Database>>,
    /// The store holds at most so many bytes of rows.
    max_bytes: u64,
}

impl Store {
    /// A store in memory, gone with the process.
    pub(crate) fn in_memory(max_bytes: u64) -> Result<Self, EmulatorError> {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(redb::backends::InMemoryBackend::new())
            .map_err(|error| EmulatorError::Store { reason: error.to_string() })?;
        prepare(&database).map_err(|problem| match problem {
            Problem::Format(found) => {
                EmulatorError::Store { reason: format!("unknown format {found}") }
            }
            Problem::Store(reason) => EmulatorError::Store { reason },
        })?;
        Ok(Self { database: RwLock::new(Some(database)), max_bytes })
    }

    /// The store of a directory, which is created if it is not there. Nobody else can open it until
    /// this one is closed.
    pub(crate) fn in_directory(directory: &Path, max_bytes: u64) -> Result<Self, EmulatorError> {
        fs::create_dir_all(directory)
            .map_err(|source| EmulatorError::Open { path: directory.to_owned(), source })?;
        let path = directory.join(FILE);
        // redb panics on some damaged files.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = Builder::new()
                .set_cache_size(CACHE_BYTES)
                .set_check_integrity_on_open(true)
                .create(&path)
                .map_err(|error| open_error(&path, error))?;
            prepare(&database).map_err(|problem| match problem {
                Problem::Format(found) => EmulatorError::NewerFormat {
                    path: path.clone(),
                    found,
                    supported: SUPPORTED_FORMAT,
                },
                Problem::Store(reason) => EmulatorError::Corrupt { path: path.clone(), reason },
            })?;
            Ok(database)
        }));
        let database = opened.unwrap_or_else(|_| {
            let reason = "it is damaged in a way that cannot be read".to_owned();
            Err(EmulatorError::Corrupt { path, reason })
        })?;
        Ok(Self { database: RwLock::new(Some(database)), max_bytes })
    }

    /// Reads a snapshot, on a blocking thread.
    pub(crate) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, Status>
    where
        T: Send + 'static,
        F: FnOnce(&ReadTransaction) -> Result<T, Failure> + Send + 'static,
    {
        let store = Arc::clone(self);
        blocking(move || store.with(|database| work(&database.begin_read()?))).await
    }

    /// Makes a change, on a blocking thread: all of it or, if `work` fails, nothing.
    pub(crate) async fn write<T, F>(self: &Arc<Self>, work: F) -> Result<T, Status>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let store = Arc::clone(self);
        blocking(move || store.write_now(work)).await
    }

    /// Makes a change on this thread.
    pub(crate) fn write_now<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            let result = {
                let mut tables = Tables::open(&transaction)?;
                let result = work(&mut tables)?;
                tables.account(self.max_bytes)?;
                result
            };
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Closes the file, so that it can be opened again. Waits for the calls that are at work; later
    /// ones fail with `UNAVAILABLE`.
    pub(crate) fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, Failure> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match &*database {
            Some(database) => work(database),
            None => Err(Failure::closed()),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Status::from),
        Err(error) => Err(Status::internal(format!("the store failed: {error}"))),
    }
}

/// Why a database cannot be used.
enum Problem {
    Format(u64),
    Store(String),
}

/// Makes the tables of a new database and checks the format of an old one.
fn prepare(database: &Database) -> Result<(), Problem> {
    if let Some(found) = format(database).map_err(|error| Problem::Store(error.to_string()))? {
        return if found > SUPPORTED_FORMAT { Err(Problem::Format(found)) } else { Ok(()) };
    }
    let make = || -> Result<(), Failure> {
        let transaction = database.begin_write()?;
        Tables::open(&transaction)?.meta.insert(FORMAT, SUPPORTED_FORMAT)?;
        transaction.commit()?;
        Ok(())
    };
    make().map_err(|error| Problem::Store(error.to_string()))
}

/// The format, or `None` for a database without tables.
fn format(database: &Database) -> Result<Option<u64>, redb::Error> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        // A database with tables but without this one is somebody else's.
        Err(redb::TableError::TableDoesNotExist(_))
            if transaction.list_tables()?.next().is_none() =>
        {
            return Ok(None);
        }
        opened => opened?,
    };
    Ok(meta.get(FORMAT)?.map(|format| format.value()))
}

fn open_error(path: &Path, error: DatabaseError) -> EmulatorError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => EmulatorError::Locked { path },
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() != std::io::ErrorKind::InvalidData
                && source.kind() != std::io::ErrorKind::UnexpectedEof =>
        {
            EmulatorError::Open { path, source }
        }
        error => EmulatorError::Corrupt { path, reason: error.to_string() },
    }
}
