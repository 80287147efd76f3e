//! Signals to stop, and to read the configuration again.

use std::future::Future;

use crate::failure::Failure;

/// Completes on Ctrl-C or SIGTERM.
#[cfg(unix)]
pub fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| Failure::io("cannot wait for signals", &error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes on Ctrl-C.
#[cfg(not(unix))]
pub fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            // No signal can arrive then; only killing the process helps.
            std::future::pending::<()>().await;
        }
    })
}

/// Receives each SIGHUP.
#[cfg(unix)]
pub type ReloadSignal = tokio::signal::unix::Signal;

/// Receives nothing, where there is no SIGHUP.
#[cfg(not(unix))]
pub struct ReloadSignal;

#[cfg(not(unix))]
impl ReloadSignal {
    pub async fn recv(&mut self) -> Option<()> {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
pub fn reload_signal() -> Result<ReloadSignal, Failure> {
    Ok(ReloadSignal)
}

/// Begins to receive SIGHUP, which ends the program until then.
#[cfg(unix)]
pub fn reload_signal() -> Result<ReloadSignal, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::hangup()).map_err(|error| Failure::io("cannot wait for signals", &error))
}
