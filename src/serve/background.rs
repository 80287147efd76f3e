//! Work in the background that calls may wait for.

use std::future::Future;

use tokio::sync::watch;

/// Work in a task, which goes on when those that wait for it hang up. It ends with its runtime, too.
#[derive(Clone, Debug)]
pub(super) struct Background(watch::Receiver<()>);

impl Background {
    pub(super) fn begin(work: impl Future<Output = ()> + Send + 'static) -> Self {
        let (done, under_way) = watch::channel(());
        tokio::spawn(async move {
            work.await;
            drop(done);
        });
        Self(under_way)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits for the end.
    pub(super) async fn ended(mut self) {
        // Nothing is ever sent: this ends when the sender is dropped, or at once if it has been.
        let _ = self.0.changed().await;
    }
}
