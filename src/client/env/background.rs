//! Runs what blocks beside the tasks of a runtime.

use std::thread;

use tokio::sync::oneshot;

use crate::error::Error;

/// Runs it on a thread of its own. tokio's own threads are not for it: a runtime does not end before what they run.
pub(super) async fn run<T: Send + 'static>(
    blocking: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, result) = oneshot::channel();
    let thread = thread::Builder::new().name("eset-protect-env".to_owned());
    // Nobody waits any more if the future was dropped.
    let begun = thread.spawn(move || drop(sender.send(blocking())));
    begun.map_err(|error| Error::config(format!("no thread: {error}")).with_source(error))?;
    result.await.unwrap_or_else(|_| Err(Error::config("the thread ended without a result")))
}
