//! The thread that writes the log, so that a slow disk does not stop calls that write nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;

use crate::server::notifier::Notifier;

/// The number of lines that share one wait for the disk.
const BATCH: usize = 1024;

pub(super) enum Command {
    /// Writes a line. With a sender, also waits until it is on the disk.
    Line(Vec<u8>, Option<oneshot::Sender<io::Result<()>>>),
    Reopen(oneshot::Sender<io::Result<()>>),
}

pub(super) struct Writer {
    path: PathBuf,
    file: File,
    /// Whether the last line is incomplete, because the disk was full.
    is_torn: bool,
    is_failing: bool,
    notifier: Arc<OnceLock<Notifier>>,
}

impl Writer {
    pub(super) fn open(path: &Path, notifier: Arc<OnceLock<Notifier>>) -> io::Result<Self> {
        let path = path.to_owned();
        let file = open(&path)?;
        Ok(Self { path, file, is_torn: false, is_failing: false, notifier })
    }

    /// Writes until the log is dropped.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        while let Ok(first) = commands.recv() {
            let mut waiting = Vec::new();
            for command in std::iter::once(first).chain(commands.try_iter().take(BATCH)) {
                match command {
                    Command::Line(line, answer) => {
                        let written = self.write(&line);
                        if let Err(error) = &written {
                            self.tell(Some(error));
                        }
                        waiting.extend(answer.map(|answer| (answer, written)));
                    }
                    Command::Reopen(answer) => {
                        // The lines of this batch are in the old file.
                        let synced = self.sync();
                        let opened = open(&self.path).map(|file| self.file = file);
                        self.is_torn &= opened.is_err();
                        let _ = answer.send(synced.and(opened));
                    }
                }
            }
            if waiting.is_empty() {
                continue;
            }
            let synced = self.sync();
            let result = waiting.iter().find_map(|(_, written)| written.as_ref().err());
            self.tell(result.or(synced.as_ref().err()));
            for (answer, written) in waiting {
                let synced = synced.as_ref().map_err(copy).copied();
                // The caller may have given up.
                let _ = answer.send(written.and(synced));
            }
        }
    }

    fn write(&mut self, mut line: &[u8]) -> io::Result<()> {
        if self.is_torn && !line.is_empty() {
            self.file.write_all(b"\n")?;
            self.is_torn = false;
        }
        while !line.is_empty() {
            match self.file.write(line) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    line = line.get(written..).unwrap_or_default();
                    self.is_torn = !line.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for the disk. Pipes and devices have none.
    fn sync(&self) -> io::Result<()> {
        if self.file.metadata()?.is_file() { self.file.sync_data() } else { Ok(()) }
    }

    /// Tells the operator when writing begins to fail, and when it works again.
    fn tell(&mut self, error: Option<&io::Error>) {
        if std::mem::replace(&mut self.is_failing, error.is_some()) == error.is_some() {
            return;
        }
        let path = self.path.display();
        let notice = match error {
            Some(error) => {
                format!(
                    "{path}: {error}; calls that change something are refused until it is written again"
                )
            }
            None => format!("{path} is written again"),
        };
        self.notifier.get_or_init(Notifier::default).notify(&notice);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
