//! The log.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use tokio::sync::oneshot;
use tonic::Status;

use super::writer::{Command, Writer};
use crate::server::notifier::Notifier;

/// A log of the calls that change something: one line of JSON before such a call is sent and one when it has ended.
///
/// A line is on the disk before the call is sent. If it cannot be written, the call fails with `UNAVAILABLE` and is
/// not sent; calls that change nothing go on. Lines are only ever appended. All clones are the same log.
///
/// | member | value |
/// |---|---|
/// | `time` | RFC 3339, UTC |
/// | `event` | `begin`: the call is about to be sent. `end`: its outcome. `refused`: the caller may not call this RPC. `dry_run`: the call was checked and not sent |
/// | `call` | the same in `begin` and `end` |
/// | `caller`, `tenant` | their names in [`Access`](crate::serve::Access) |
/// | `subject` | of a [`Jwt`](crate::serve::Identity::Jwt): its claim `sub` |
/// | `rpc` | `eset.dotnod.automation.v1.DeviceTasks/CreateTask` |
/// | `target` | the HTTP method and path of the RPC, such as `DELETE /v1/device_tasks/0b7f…` |
/// | `uuids` | the UUIDs in the body of the request, at most 100: devices, groups, policies |
/// | `code` | of `end`: `OK` or the name of another code. `CANCELLED` also if the server stopped meanwhile |
/// | `may_have_run` | of `end`: whether the call may have had its effect |
/// | `request_id` | of `end`: ESET's id, for its support |
/// | `milliseconds` | of `end`: how long it took |
///
/// A `begin` without an `end` means that the server was killed. No other part of a request is in it, and no token.
#[derive(Clone)]
pub struct AuditLog {
    commands: mpsc::Sender<Command>,
    notifier: Arc<OnceLock<Notifier>>,
}

impl AuditLog {
    /// Opens a file to append to, or creates it, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, or no thread can be started for it.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let notifier = Arc::new(OnceLock::new());
        let writer = Writer::open(path.as_ref(), Arc::clone(&notifier))?;
        let (commands, received) = mpsc::channel();
        let thread = std::thread::Builder::new().name("audit".to_owned());
        thread.spawn(move || writer.run(&received))?;
        Ok(Self { commands, notifier })
    }

    /// Opens the file again, after something such as logrotate has renamed it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be opened. The log goes on in the old file then.
    pub async fn reopen(&self) -> io::Result<()> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Reopen(answer));
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Waits until all lines so far are written.
    pub(in crate::serve) async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Line(Vec::new(), Some(answer)));
        // The notifier says what fails.
        let _ = answered.await;
    }

    /// Sets who is told when the log cannot be written, and when it can again.
    pub(in crate::serve) fn set_notifier(&self, notifier: &Notifier) {
        self.notifier.get_or_init(|| notifier.clone());
    }

    /// Writes a line and waits until it is on the disk.
    pub(super) async fn write(&self, line: Vec<u8>) -> Result<(), Status> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Line(line, Some(answer)));
        answered.await.unwrap_or_else(|_| Err(gone())).map_err(|error| {
            Status::unavailable(format!(
                "the server's audit log cannot be written, so the call was not sent: {error}"
            ))
        })
    }

    /// Writes a line some time soon.
    pub(super) fn append(&self, line: Vec<u8>) {
        self.send(Command::Line(line, None));
    }

    fn send(&self, command: Command) {
        // Without the thread, the answer's channel is closed, which fails the call.
        let _ = self.commands.send(command);
    }
}

fn gone() -> io::Error {
    io::Error::other("its thread is gone")
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").finish_non_exhaustive()
    }
}
