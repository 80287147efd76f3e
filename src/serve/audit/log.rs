//! The log.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use tokio::sync::oneshot;
use tonic::Status;

use super::allowance::Allowance;
use super::open_calls::OpenCalls;
use super::writer::{Answer, Command, Writer};
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
/// | `token` | with [`Identity::OwnToken`](crate::serve::Identity::OwnToken): the first 16 digits of the token's SHA-256, which `printf %s "$TOKEN" \| sha256sum` prints |
/// | `peer` | the address and port from which the call came: of the caller, or of a proxy before the bridge |
/// | `rpc` | `eset.dotnod.automation.v1.DeviceTasks/CreateTask` |
/// | `target` | the HTTP method and path of the RPC, such as `DELETE /v1/device_tasks/0b7f…`. `unreadable` if the request has none, such as with a message of a type that is not known, which only a gRPC upstream can take |
/// | `uuids` | the UUIDs in the body of the request, at most 100: devices, groups, policies. Of an `unreadable` one those in the whole message |
/// | `code` | of `end`: `OK` or the name of another code, as the caller got it. `CANCELLED` also if the server stopped meanwhile |
/// | `may_have_run` | of `end`: whether the call may have had its effect |
/// | `request_id` | of `end`: ESET's id, for its support |
/// | `milliseconds` | of `end`: how long it took |
///
/// Callers with [`Identity::OwnToken`](crate::serve::Identity::OwnToken) could fill the disk with made-up tokens. So all
/// tokens that their upstream has not accepted yet have 4 MB of the log at once, some 5,000 calls, and 1 kB a second.
/// Beyond that their calls that change something fail with `RESOURCE_EXHAUSTED` and are not sent. The limit ends for a token
/// once a call with it has succeeded, such as one that changes nothing.
///
/// While the disk is full, the `end` of calls that had begun is kept and tried again every second, until there is room.
/// So a `begin` without an `end` means that the server was killed, or stopped before there was room: then the operator
/// is [told](crate::serve::Bridge::on_notice) the lines. A file that is renamed or removed is opened again, or created,
/// on Unix: nothing is written where nobody finds it. No other part of a request is in it, and no token.
#[derive(Clone)]
pub struct AuditLog {
    commands: mpsc::Sender<Command>,
    notifier: Arc<OnceLock<Notifier>>,
    pub(super) allowance: Arc<Allowance>,
    /// Of one server.
    pub(super) open: Arc<OpenCalls>,
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
        Ok(Self { commands, notifier, allowance: Arc::default(), open: Arc::default() })
    }

    /// Opens the file again, after something such as logrotate has renamed it.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be opened. The log goes on in the old file then.
    pub async fn reopen(&self) -> io::Result<()> {
        self.ask(Command::Reopen).await
    }

    /// Returns the same log for a server, which ends its own calls in it.
    pub(in crate::serve) fn of_server(self) -> Self {
        Self { open: Arc::default(), ..self }
    }

    /// Ends the calls of a server that has stopped. Waits until all lines so far are written, or tells the operator which
    /// cannot be.
    pub(in crate::serve) async fn finish(&self) {
        self.end_all().await;
        // The notifier says what fails.
        let _ = self.ask(Command::Finish).await;
    }

    /// Sets who is told when the log cannot be written, and when it can again.
    pub(in crate::serve) fn set_notifier(&self, notifier: &Notifier) {
        self.notifier.get_or_init(|| notifier.clone());
    }

    /// Writes a line, and waits until it is on the disk. It may be the one before the call with this id.
    pub(super) async fn write(&self, begun: Option<u64>, line: Vec<u8>) -> Result<(), Status> {
        self.ask(|answer| Command::Write { begun, line, answer }).await.map_err(|error| {
            Status::unavailable(format!(
                "the server's audit log cannot be written, so the call was not sent: {error}"
            ))
        })
    }

    async fn ask(&self, command: impl FnOnce(Answer) -> Command) -> io::Result<()> {
        let (answer, answered) = oneshot::channel();
        self.send(command(answer));
        answered.await.unwrap_or_else(|_| Err(io::Error::other("its thread is gone")))
    }

    pub(super) fn send(&self, command: Command) {
        // Without the thread, the answer's channel is closed, which fails the call.
        let _ = self.commands.send(command);
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").finish_non_exhaustive()
    }
}
