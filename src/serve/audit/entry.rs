//! The beginning and the end of one call.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use super::call::{Call, Outcome};
use super::log::AuditLog;
use super::open_calls::OpenCall;
use super::writer::Command;
use crate::error::{REQUEST_ID, code_name};
use crate::telemetry::dropped;

/// How long a server that stops waits for the ends of the calls that it breaks off.
const LAST_ENDS: Duration = Duration::from_secs(1);

impl AuditLog {
    /// Logs that a call is about to be sent.
    ///
    /// # Errors
    ///
    /// Returns `UNAVAILABLE` if that cannot be written, and `RESOURCE_EXHAUSTED` if no more of that kind may be. The call
    /// must not be sent.
    pub(in crate::serve) async fn begin(&self, call: Call) -> Result<Entry, Status> {
        let begun = Instant::now();
        let id = fastrand::u64(..);
        let line = call.line("begin", id, None);
        // The line at the end is about as long.
        self.allow(&call, 2 * line.len())?;
        self.open.lock().insert(id, OpenCall { call, begun, is_sent: false });
        let entry = Entry { log: self.clone(), id };
        let written = self.write(Some(id), line).await;
        if let Err(status) = written {
            // The line may be in the file all the same, such as after a failed wait for the disk.
            entry.end(Err(&status), false);
            return Err(status);
        }
        if let Some(open) = self.open.lock().get_mut(&id) {
            open.is_sent = true;
        }
        Ok(entry)
    }

    /// Logs a call that is not sent.
    ///
    /// # Errors
    ///
    /// Fails as [`begin`](Self::begin) does.
    pub(in crate::serve) async fn note(&self, event: &str, call: &Call) -> Result<(), Status> {
        let line = call.line(event, fastrand::u64(..), None);
        self.allow(call, line.len())?;
        self.write(None, line).await
    }

    /// Logs the end of a call.
    fn end(&self, id: u64, open: &OpenCall, outcome: (Code, bool), request_id: Option<&str>) {
        let milliseconds = u64::try_from(open.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (code, may_have_run) = (code_name(outcome.0), outcome.1);
        let outcome = Outcome { code, may_have_run, request_id, milliseconds };
        self.send(Command::End(id, open.call.line("end", id, Some(outcome))));
    }

    /// Waits for the ends of calls that are cancelled with their connections, and logs those that do not come in time.
    pub(super) async fn end_all(&self) {
        let _ = timeout(LAST_ENDS, self.open.ended()).await;
        let left = std::mem::take(&mut *self.open.lock());
        for (id, open) in left {
            self.end(id, &open, (Code::Cancelled, open.is_sent), None);
        }
    }

    fn allow(&self, call: &Call, bytes: usize) -> Result<(), Status> {
        if !call.is_unproven || self.allowance.take(bytes) {
            return Ok(());
        }
        Err(Status::resource_exhausted(
            "too many calls that change something, of tokens that the upstream has not accepted yet: make one that \
             changes nothing first, such as a list, with which the upstream accepts the token, or try again later",
        ))
    }
}

/// A call that is being sent. Dropped without an end, it was cancelled, or panicked.
pub(in crate::serve) struct Entry {
    log: AuditLog,
    id: u64,
}

impl Entry {
    /// Logs the outcome, as the caller gets it.
    pub(in crate::serve) fn end(self, outcome: Result<&MetadataMap, &Status>, may_have_run: bool) {
        let code = outcome.map_or_else(Status::code, |_| Code::Ok);
        let metadata = outcome.unwrap_or_else(Status::metadata);
        let id = metadata.as_ref().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        if let Some(open) = self.log.open.take(self.id) {
            self.log.end(self.id, &open, (code, may_have_run), id);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(open) = self.log.open.take(self.id) {
            self.log.end(self.id, &open, (dropped(), open.is_sent), None);
        }
    }
}
