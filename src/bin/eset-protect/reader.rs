//! The reader of standard output, which may be a pipe.

use std::future::pending;

/// Completes when nobody reads standard output any more. Writing would tell, but a command that waits writes nothing.
#[cfg(unix)]
pub async fn reader_gone() {
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    // Its successor is unsafe, since a descriptor must stay open while it is watched. Standard output does.
    #[allow(deprecated)]
    let stdout = AsyncFd::with_interest(std::io::stdout(), Interest::WRITABLE);
    // A file has no reader, and cannot be watched.
    if let Ok(stdout) = stdout {
        while let Ok(mut readiness) = stdout.ready(Interest::WRITABLE).await {
            if readiness.ready().is_write_closed() {
                return;
            }
            readiness.clear_ready();
        }
    }
    pending::<()>().await;
}

/// Never completes.
#[cfg(not(unix))]
pub async fn reader_gone() {
    pending::<()>().await;
}
