//! Keeps one value per tokio runtime.
//!
//! The tasks of a connection belong to the runtime in which it was opened: they end with it, and pause while
//! nothing drives it. A client may outlive its runtime or be used in two: each runtime has its own
//! connections.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Handle, Id};

use crate::error::Error;

/// The maximum number of runtimes to remember. There is no way to find out which of them are gone, and a
/// forgotten one gets a new value.
const MOST: usize = 64;

#[derive(Debug)]
pub(super) struct PerRuntime<T>(Mutex<Vec<(Id, T)>>);

impl<T> Default for PerRuntime<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> PerRuntime<T> {
    /// Returns the value of the current runtime if it is still valid; otherwise a new one.
    pub(super) fn get(
        &self,
        is_good: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        let id = runtime()?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(other, _)| *other == id);
        if let Some((_, value)) = known.and_then(|at| kept.get(at))
            && is_good(value)
        {
            return Ok(value.clone());
        }
        let value = make();
        known.map(|at| kept.remove(at));
        kept.push((id, value.clone()));
        if kept.len() > MOST {
            kept.remove(0);
        }
        Ok(value)
    }

    /// Stores a value created in the current runtime.
    pub(super) fn set(&self, value: T) -> Result<(), Error> {
        let id = runtime()?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| *other != id);
        kept.push((id, value));
        Ok(())
    }
}

fn runtime() -> Result<Id, Error> {
    let handle = Handle::try_current();
    handle
        .map(|handle| handle.id())
        .map_err(|error| Error::config("calls need a tokio runtime").with_source(error))
}
