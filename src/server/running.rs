//! A server that runs in the background.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

/// Completes when a server is to stop.
pub(crate) type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A running server. Dropping it stops it at once; [`shutdown`](Self::shutdown) lets calls finish.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    server: AbortOnDropHandle<()>,
    stop: oneshot::Sender<()>,
}

impl RunningServer {
    /// Starts a server that listens on this address.
    pub(crate) fn start<F>(address: SocketAddr, serve: impl FnOnce(Stopped) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let serving = serve(Box::pin(async move {
            // An error means that the sender is dropped, which is what stops it.
            let _ = stopped.await;
        }));
        Self { address, server: AbortOnDropHandle::new(tokio::spawn(serving)), stop }
    }

    /// Returns the address on which it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL for a client, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening and waits up to ten seconds for current calls.
    pub async fn shutdown(self) {
        drop(self.stop);
        // An error means that the server panicked; its connections are gone then, too.
        let _ = self.server.await;
    }
}
