//! Signals to stop, and to read the configuration again.

use std::future::Future;

use crate::failure::Failure;

/// Completes on Ctrl-C or SIGTERM, and the first time also when the terminal is closed (SIGHUP), unless `nohup` protects
/// from that. A shell and the kernel may both say that a terminal is closed, so that counts once.
#[cfg(unix)]
pub fn interruption(is_first: bool) -> Result<impl Future<Output = ()>, Failure> {
    let stopped = stop_signal()?;
    let mut hangup = if is_first && !is_hangup_ignored() { Some(reload_signal()?) } else { None };
    Ok(async move {
        tokio::select! {
            () = stopped => {}
            Some(()) = async { hangup.as_mut()?.recv().await } => {}
        }
    })
}

/// Completes on Ctrl-C.
#[cfg(not(unix))]
pub fn interruption(_: bool) -> Result<impl Future<Output = ()>, Failure> {
    stop_signal()
}

/// Whether SIGHUP is ignored. Where the system does not say so, without a terminal it may be.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    use std::io::{IsTerminal, stderr, stdin, stdout};
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        // The first of the signals.
        Some(mask) => mask & 1 == 1,
        None => !(stdin().is_terminal() || stdout().is_terminal() || stderr().is_terminal()),
    }
}

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
