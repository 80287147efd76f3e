//! Keeps one value per tokio runtime, of connections with the same keep-alive interval.
//!
//! The tasks of a connection belong to the runtime in which it was opened: they end with it, and pause while
//! nothing drives it. A client may outlive its runtime or be used in two: each runtime has its own
//! connections.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};

use crate::error::Error;

/// The maximum number of runtimes to remember. There is no way to find out which of them are gone, and a
/// forgotten one gets a new value.
const MOST: usize = 64;

#[derive(Debug)]
pub(super) struct PerRuntime<T>(Mutex<Vec<Kept<T>>>);

/// A value, its runtime and the keep-alive interval of its connections.
#[derive(Debug)]
struct Kept<T> {
    runtime: Id,
    interval: Option<Duration>,
    value: T,
}

impl<T> Default for PerRuntime<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> PerRuntime<T> {
    /// Returns the value of the current runtime if it has this interval; otherwise a new one.
    pub(super) fn get(
        &self,
        interval: Option<Duration>,
        make: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        let runtime = runtime()?;
        let mut all = self.all();
        let is_it = |kept: &&Kept<T>| kept.runtime == runtime && kept.interval == interval;
        if let Some(kept) = all.iter().find(is_it) {
            return Ok(kept.value.clone());
        }
        let value = make();
        keep(&mut all, Kept { runtime, interval, value: value.clone() });
        Ok(value)
    }

    /// Stores a value created in the current runtime.
    pub(super) fn set(&self, interval: Option<Duration>, value: T) -> Result<(), Error> {
        keep(&mut self.all(), Kept { runtime: runtime()?, interval, value });
        Ok(())
    }

    fn all(&self) -> MutexGuard<'_, Vec<Kept<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a value in place of that of the same runtime, and forgets the oldest of too many.
fn keep<T>(all: &mut Vec<Kept<T>>, new: Kept<T>) {
    all.retain(|kept| kept.runtime != new.runtime);
    all.push(new);
    if all.len() > MOST {
        all.remove(0);
    }
}

fn runtime() -> Result<Id, Error> {
    let handle = Handle::try_current();
    handle
        .map(|handle| handle.id())
        .map_err(|error| Error::config("calls need a tokio runtime").with_source(error))
}
