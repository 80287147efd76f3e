//! Which threads serve connections.

#[cfg(feature = "serve")]
use std::sync::mpsc;
#[cfg(feature = "serve")]
use std::{io, thread};

use tokio::net::TcpStream;
#[cfg(feature = "serve")]
use tokio::runtime;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

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

    /// Returns the runtimes of the threads, or the current one without threads.
    #[cfg(feature = "serve")]
    pub(crate) fn handles(&self) -> Vec<Handle> {
        match self.workers.as_slice() {
            [] => vec![Handle::current()],
            workers => workers.iter().map(|worker| worker.handle.clone()).collect(),
        }
    }

    /// Serves a connection on the next thread, or without threads on the current runtime.
    pub(super) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        tasks: &mut JoinSet<()>,
        stream: TcpStream,
        serve: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) {
        self.next = (self.next + 1).checked_rem(self.workers.len()).unwrap_or_default();
        let Some(worker) = self.workers.get(self.next) else {
            tasks.spawn(serve(stream));
            return;
        };
        // Its runtime is another. An error means that the connection is broken.
        let Ok(stream) = stream.into_std() else { return };
        let connection = async move {
            if let Ok(stream) = TcpStream::from_std(stream) {
                serve(stream).await;
            }
        };
        tasks.spawn_on(connection, &worker.handle);
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
