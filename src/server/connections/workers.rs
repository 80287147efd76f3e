//! Which threads serve connections.

use std::io;
use std::thread;

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// The most threads: a client has connections of its own on each, and remembers those of not many more.
const MOST: usize = 32;

/// Threads with a runtime each, which serve connections in turn. A connection stays on its thread with its calls and
/// with the connections to upstreams that they need, so that nothing is handed from thread to thread: that costs more
/// than a small call does. Dropping them breaks their connections.
#[derive(Default)]
pub(crate) struct Workers {
    workers: Vec<Worker>,
    next: usize,
}

struct Worker {
    handle: Handle,
    /// Ends the thread when dropped.
    _stop: oneshot::Sender<()>,
}

impl Workers {
    /// Starts this number of threads, at most 32; with none of them the current runtime serves.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let workers = (0..count.min(MOST)).map(|_| Worker::start()).collect::<io::Result<_>>()?;
        Ok(Self { workers, next: 0 })
    }

    /// Returns the runtime for the next connection.
    pub(super) fn next(&mut self) -> Handle {
        self.next = (self.next + 1).checked_rem(self.workers.len()).unwrap_or_default();
        self.workers.get(self.next).map_or_else(Handle::current, |worker| worker.handle.clone())
    }
}

impl Worker {
    fn start() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let work = move || {
            // An error means that it is dropped, too.
            let _ = runtime.block_on(stopped);
        };
        thread::Builder::new().name("eset-protect-worker".to_owned()).spawn(work)?;
        Ok(Self { handle, _stop: stop })
    }
}
