//! Which threads serve connections.

#[cfg(feature = "serve")]
use std::sync::mpsc;
#[cfg(feature = "serve")]
use std::{io, thread};

#[cfg(feature = "serve")]
use tokio::runtime;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The most threads. A client keeps connections for each runtime, and remembers 64 runtimes at most.
#[cfg(feature = "serve")]
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
    #[cfg(feature = "serve")]
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

#[cfg(feature = "serve")]
impl Worker {
    fn start() -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (started, start) = mpsc::channel();
        // The thread makes its runtime, which nothing that is async may drop.
        let work = move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            let _ = started.send(Ok(runtime.handle().clone()));
            // An error means that it is dropped: it is to end.
            let _ = runtime.block_on(stopped);
        };
        thread::Builder::new().name("eset-protect-worker".to_owned()).spawn(work)?;
        let handle = start.recv().map_err(io::Error::other)??;
        Ok(Self { handle, _stop: stop })
    }
}
