//! The thread that writes the log, so that a slow disk does not stop calls that write nothing.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;

use super::file::LogFile;
use crate::server::notifier::Notifier;
use crate::telemetry::Degraded;

/// The number of lines that share one wait for the disk.
const BATCH: usize = 1024;
/// The wait before the kept lines are tried again.
const WAIT: Duration = Duration::from_secs(1);

pub(super) type Answer = oneshot::Sender<io::Result<()>>;

pub(super) enum Command {
    /// Writes a line, and waits until it is on the disk. It may be the one before the call with this id.
    Write {
        begun: Option<u64>,
        line: Vec<u8>,
        answer: Answer,
    },
    /// Writes the line after a call, now or later. Without its beginning in the log it is dropped.
    End(u64, Vec<u8>),
    Reopen(Answer),
    /// Waits until all lines are on the disk. The operator is told of those that cannot be written.
    Finish(Answer),
}

pub(super) struct Writer {
    file: LogFile,
    /// The calls whose beginning may be in the log, without their end.
    begun: HashSet<u64>,
    /// Ends that could not be written. There are at most as many as calls that had begun when the disk became full,
    /// since no further one begins before these are written.
    kept: VecDeque<Vec<u8>>,
    degraded: Degraded,
    notifier: Arc<OnceLock<Notifier>>,
}

impl Writer {
    pub(super) fn open(path: &Path, notifier: Arc<OnceLock<Notifier>>) -> io::Result<Self> {
        let (begun, kept) = Default::default();
        let degraded = Degraded::new("audit_log");
        Ok(Self { file: LogFile::open(path)?, begun, kept, degraded, notifier })
    }

    /// Writes until the log is dropped.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        while let Some(first) = self.next(commands) {
            let followed = match &first {
                // Reopening does so itself, without a notice.
                Command::Reopen(_) => Ok(()),
                _ => self.follow(),
            };
            let mut waiting = Vec::new();
            for command in std::iter::once(first).chain(commands.try_iter().take(BATCH)) {
                let failed = followed.as_ref().err().map(copy);
                match command {
                    Command::Write { begun, line, answer } => {
                        let written = failed.map_or_else(|| self.write(&line), Err);
                        if written.is_ok() {
                            self.begun.extend(begun);
                        }
                        waiting.push((answer, written));
                    }
                    Command::End(id, line) => {
                        if self.begun.remove(&id) {
                            self.kept.push_back(line);
                            let written = failed.map_or_else(|| self.write_kept(), Err);
                            self.tell(written.as_ref().err());
                        }
                    }
                    Command::Reopen(answer) => {
                        // The lines so far are in the old file.
                        self.settle(&mut waiting);
                        let _ = answer.send(self.file.reopen());
                        // The next lines go where the path leads by then.
                        break;
                    }
                    Command::Finish(answer) => {
                        self.settle(&mut waiting);
                        let _ = answer.send(self.try_again());
                        self.give_up();
                    }
                }
            }
            self.settle(&mut waiting);
        }
        // `try_again` tells of an error.
        let _ = self.try_again();
        self.give_up();
    }

    /// Waits for a command, and tries to write the kept lines meanwhile.
    fn next(&mut self, commands: &Receiver<Command>) -> Option<Command> {
        while !self.kept.is_empty() {
            match commands.recv_timeout(WAIT) {
                Ok(command) => return Some(command),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => drop(self.try_again()),
            }
        }
        commands.recv().ok()
    }

    /// Writes what is kept, and waits for the disk.
    fn try_again(&mut self) -> io::Result<()> {
        let has_lines = !self.kept.is_empty();
        let written =
            self.follow().and_then(|()| self.write_kept()).and_then(|()| self.file.sync());
        // Without a line to write, success does not show that there is room again.
        if has_lines || written.is_err() {
            self.tell(written.as_ref().err());
        }
        written
    }

    /// Makes sure that the lines go where the path leads.
    fn follow(&mut self) -> io::Result<()> {
        if self.file.follow()? {
            let path = self.file.path().display();
            self.notify(&format!("{path} was renamed or removed, and is opened again"));
        }
        Ok(())
    }

    /// Writes a line after those that are kept.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.write_kept()?;
        self.file.append(line)
    }

    fn write_kept(&mut self) -> io::Result<()> {
        while let Some(line) = self.kept.front() {
            self.file.append(line)?;
            self.kept.pop_front();
        }
        Ok(())
    }

    /// Waits for the disk, and answers those who wait.
    fn settle(&mut self, waiting: &mut Vec<(Answer, io::Result<()>)>) {
        if waiting.is_empty() {
            return;
        }
        let synced = self.file.sync();
        let result = waiting.iter().find_map(|(_, written)| written.as_ref().err().map(copy));
        self.tell(result.as_ref().or(synced.as_ref().err()));
        for (answer, written) in waiting.drain(..) {
            // The caller may have given up.
            let _ = answer.send(written.and(synced.as_ref().map_err(copy).copied()));
        }
    }

    /// Tells the operator of the lines that nobody will write any more.
    fn give_up(&mut self) {
        for line in std::mem::take(&mut self.kept) {
            let (path, line) = (self.file.path().display(), String::from_utf8_lossy(&line));
            self.notify(&format!("{path} lacks a line that could not be written: {}", line.trim()));
        }
    }

    /// Tells the operator when writing begins to fail, and when it works again.
    fn tell(&mut self, error: Option<&io::Error>) {
        if !self.degraded.set(error.is_some()) {
            return;
        }
        let path = self.file.path().display();
        let notice = match error {
            Some(error) => {
                format!(
                    "{path}: {error}; calls that change something are refused until it is written again"
                )
            }
            None => format!("{path} is written again"),
        };
        self.notify(&notice);
    }

    fn notify(&self, notice: &str) {
        self.notifier.get_or_init(Notifier::default).notify(notice);
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
