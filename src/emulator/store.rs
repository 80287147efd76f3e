//! The store: redb, in memory or in a file.

mod file;
mod tables;

use std::fs;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::{Database, Durability, ReadableDatabase};
use tonic::Status;

pub(crate) use tables::{Change, Read, Snapshot, within};

use super::environment::Environment;
use super::error::EmulatorError;
use super::failure::Failure;
use crate::server::notifier::Notifier;
use tables::Tables;

/// The file in a data directory.
const FILE: &str = "emulator.redb";

/// In memory, only every so many changes are committed as if there were a disk. redb keeps what it could undo until then.
const DURABLE_EVERY: u64 = 64;

/// The emulator's rows, transactional and durable.
///
/// Every change is one transaction, on disk (`Durability::Immediate`) before its call is answered. Reads use
/// a snapshot. Both block: commits wait for the disk, and writers for each other. Reads of a store in memory wait for
/// nothing.
///
/// redb stops working after a disk error, so a full disk would be fatal. Therefore the file is opened again,
/// which repairs it: committed changes are kept, others are discarded, and reads continue.
pub(crate) struct Store {
    handle: RwLock<Handle>,
    /// The path, if it is a file.
    path: Option<PathBuf>,
    /// The maximum size of the rows in bytes.
    max_bytes: u64,
    notifier: Notifier,
    /// Whether the last change failed.
    is_failing: AtomicBool,
    /// Whether the last disk error was a full disk.
    is_full: AtomicBool,
}

enum Handle {
    Open(Open),
    /// Could not be opened again, with a count of openings.
    Failed(u64),
    /// After [`close`](Store::close).
    Closed,
}

/// An open database.
struct Open {
    /// The tables since the last change, from the first read on: to open them takes longer than to read a row.
    tables: Mutex<Option<Arc<Tables>>>,
    database: Database,
    /// A count of openings.
    opening: u64,
}

impl Open {
    fn new(database: Database, opening: u64) -> Self {
        Self { tables: Mutex::default(), database, opening }
    }

    fn tables(&self) -> Result<Arc<Tables>, Failure> {
        let mut kept = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tables) = &*kept {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(Tables::open(&self.database.begin_read()?)?);
        Ok(Arc::clone(kept.insert(tables)))
    }

    /// Makes a change visible that was committed.
    fn forget_tables(&self) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Store {
    /// Opens the store in a directory, which is created if it does not exist, or creates one in memory, which is lost
    /// when the process ends. A directory cannot be opened again until this store is closed.
    pub(crate) fn open(
        directory: Option<&Path>,
        max_bytes: u64,
        notifier: Notifier,
    ) -> Result<Self, EmulatorError> {
        let path = directory.map(|directory| directory.join(FILE));
        let database = match (directory, &path) {
            (Some(directory), Some(path)) => {
                fs::create_dir_all(directory)
                    .map_err(|source| EmulatorError::Open { path: directory.to_owned(), source })?;
                file::open(path, true)?
            }
            _ => file::in_memory()?,
        };
        Ok(Self {
            handle: RwLock::new(Handle::Open(Open::new(database, 0))),
            path,
            max_bytes,
            notifier,
            is_failing: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        })
    }

    /// Reads a snapshot.
    pub(crate) fn read<T>(
        &self,
        environment: &Environment,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let read = |open: &Open| work(&Snapshot { tables: &*open.tables()?, environment });
        self.with(read).map_err(|failure| self.refused(failure))
    }

    /// Makes a change: all of it or, if `work` fails, nothing.
    pub(crate) fn write<T>(
        &self,
        environment: &Environment,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (mut ready, mut work) = (None, Some(work));
        let mut change = |open: &Open| {
            let mut transaction = open.database.begin_write()?;
            let number = {
                let mut change = Change::open(&transaction, environment)?;
                let Some(work) = work.take() else { return Ok(false) };
                let result = work(&mut change)?;
                change.account(self.max_bytes)?;
                let number = change.count()?;
                ready = Some((result, number));
                number
            };
            let is_durable = !self.is_in_memory() || number.is_multiple_of(DURABLE_EVERY);
            let durability = if is_durable { Durability::Immediate } else { Durability::None };
            transaction.set_durability(durability)?;
            let committed = transaction.commit();
            open.forget_tables();
            committed?;
            Ok(true)
        };
        let mut made = self.with(&mut change);
        let was_of_another =
            |failure: &Failure| matches!(failure.cause(), Some(redb::Error::PreviousIo));
        if made.as_ref().is_err_and(was_of_another) {
            // The disk failed another call, and this one may not have started. If so, start it now.
            match self.with(&mut change) {
                Ok(false) => {}
                again => made = again,
            }
        }
        match (made, ready) {
            (Ok(_), Some((result, _))) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    self.notifier.notify(&format!("{} can be written again", self.name()));
                }
                Ok(result)
            }
            (Ok(_), None) => Err(Failure::internal("the change did not complete")),
            (Err(failure), Some((result, change))) if failure.cause().is_some() => {
                // A commit that failed may be on disk nevertheless.
                match self.with(|open| open.tables()?.changes()) {
                    Ok(last) if last == change => Ok(result),
                    Ok(_) => Err(self.refused(failure)),
                    Err(_) => Err(failure),
                }
            }
            (Err(failure), _) => Err(self.refused(failure)),
        }
    }

    /// Whether it has no file, so that reads wait for nothing.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.path.is_none()
    }

    /// Closes the file, so that it can be opened again. Waits for current calls; later ones fail with
    /// `UNAVAILABLE`.
    pub(crate) fn close(&self) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Handle::Closed;
    }

    fn with<T>(&self, work: impl FnOnce(&Open) -> Result<T, Failure>) -> Result<T, Failure> {
        self.open_failed()?;
        let (result, opening) = {
            match &*self.handle.read().unwrap_or_else(PoisonError::into_inner) {
                Handle::Open(open) => (work(open), open.opening),
                Handle::Failed(_) => return Err(Failure::internal("the store cannot be opened")),
                Handle::Closed => {
                    return Err(Status::unavailable("the emulator is shut down").into());
                }
            }
        };
        if let Err(failure) = &result
            && let Some(cause) = failure.cause()
        {
            self.open_again(opening, cause);
        }
        result
    }

    /// Opens the file again after a disk error of the given opening.
    fn open_again(&self, opening: u64, cause: &redb::Error) {
        let Some(path) = &self.path else { return };
        if let redb::Error::Io(error) = cause {
            self.is_full.store(is_full(error), Ordering::Relaxed);
        }
        // The call that had the error reports it.
        if !matches!(cause, redb::Error::PreviousIo)
            && !self.is_failing.swap(true, Ordering::Relaxed)
        {
            self.notifier.notify(&format!(
                "{} cannot be written, and changes fail until it can: {cause}",
                self.name()
            ));
        }
        let mut handle = self.handle.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*handle, Handle::Open(open) if open.opening == opening) {
            return;
        }
        let opening = opening.saturating_add(1);
        // The old database locks the file until it is dropped.
        let before = std::mem::replace(&mut *handle, Handle::Failed(opening));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
        if let Ok(database) = file::open(path, false) {
            *handle = Handle::Open(Open::new(database, opening));
        }
    }

    /// Tries again to open a file that could not be opened.
    fn open_failed(&self) -> Result<(), Failure> {
        let is_failed = |handle: &Handle| matches!(handle, Handle::Failed(_));
        if !is_failed(&self.handle.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let Some(path) = &self.path else { return Ok(()) };
        let mut handle = self.handle.write().unwrap_or_else(PoisonError::into_inner);
        let Handle::Failed(opening) = *handle else { return Ok(()) };
        match file::open(path, false) {
            Ok(database) => {
                *handle = Handle::Open(Open::new(database, opening.saturating_add(1)));
                Ok(())
            }
            Err(error) => Err(unopened(&error)),
        }
    }

    /// Marks a change as certainly not made, with codes that tell callers so.
    fn refused(&self, failure: Failure) -> Failure {
        match failure.cause() {
            Some(redb::Error::Io(error)) if is_full(error) => no_room(error),
            Some(redb::Error::PreviousIo) if self.is_full.load(Ordering::Relaxed) => {
                no_room(&ErrorKind::StorageFull.into())
            }
            Some(redb::Error::PreviousIo) => {
                Status::unavailable("the store was opened again meanwhile; nothing was changed")
                    .into()
            }
            _ => failure,
        }
    }

    fn name(&self) -> String {
        match &self.path {
            Some(path) => format!("`{}`", path.display()),
            None => "the store".to_owned(),
        }
    }
}

fn unopened(error: &EmulatorError) -> Failure {
    match error {
        EmulatorError::Open { source, .. } if is_full(source) => no_room(source),
        error => Failure::internal(format!("the store cannot be opened: {error}")),
    }
}

fn no_room(error: &std::io::Error) -> Failure {
    Failure::exhausted(format!("the store has no room; nothing was changed: {error}"))
}

fn is_full(error: &std::io::Error) -> bool {
    use ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}
