//! Standard error, which may be full, closed or unread.
//!
//! Writing to it never fails or delays current calls. Unless it is a terminal, a separate thread writes it.
//! Logs are best effort: lines without a reader are dropped and counted. Messages such as errors are kept
//! until they are written, and the command waits for them at its end, except for a log that nobody reads.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// The maximum number of log bytes waiting for a reader.
const MOST_LOGGED: usize = 4 * 1024 * 1024;
/// Messages are usually written at once, to keep their order relative to standard output. This is the longest
/// wait for that.
const AT_ONCE: Duration = Duration::from_millis(200);
/// A reader that reads nothing of a log for this long at the end of the command is assumed to be gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause before retrying a full non-blocking pipe.
const PAUSE: Duration = Duration::from_millis(10);

/// Writes a message.
pub fn say(text: &str) {
    match writer() {
        Some(writer) => writer.say(text.as_bytes()),
        // Without a reader there is nobody to report to.
        None => drop(io::stderr().write_all(text.as_bytes())),
    }
}

/// Writes a log entry, if it is being read.
pub fn log(bytes: &[u8]) {
    match writer() {
        Some(writer) => writer.log(bytes),
        None => drop(io::stderr().write_all(bytes)),
    }
}

/// Waits until everything is written, at the end of the command.
pub fn finish() {
    if let Some(Some(writer)) = WRITER.get() {
        writer.finish();
    }
}

static WRITER: OnceLock<Option<Writer>> = OnceLock::new();

/// Returns the writing thread; `None` if standard error is a terminal, because pausing that pauses the whole
/// command.
fn writer() -> Option<&'static Writer> {
    let start = || if io::stderr().is_terminal() { None } else { Writer::start(io::stderr()) };
    WRITER.get_or_init(start).as_ref()
}

/// A request to the writing thread.
enum Entry {
    Bytes(Vec<u8>),
    /// Reports that everything before it is written.
    Flush(Sender<()>),
}

/// A thread that writes. When the reader is gone, the thread ends and its channel is closed.
struct Writer {
    entries: Sender<Entry>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The number of waiting bytes.
    size: AtomicUsize,
    /// The number of entries written, which shows whether anything is read.
    written: AtomicUsize,
    /// Whether nothing has been read for a while.
    is_stalled: AtomicBool,
    has_logged: AtomicBool,
    /// The number of log lines dropped since the last one that was accepted.
    lost: AtomicUsize,
}

impl Writer {
    /// Starts the thread; `None` if the system cannot.
    fn start(mut output: impl Write + Send + 'static) -> Option<Self> {
        let (entries, received) = channel();
        let state = Arc::new(State::default());
        let written = Arc::clone(&state);
        let write = move || {
            for entry in received {
                match entry {
                    Entry::Bytes(bytes) if write(&mut output, &bytes).is_err() => return,
                    Entry::Bytes(bytes) => {
                        written.size.fetch_sub(bytes.len(), SeqCst);
                        written.written.fetch_add(1, SeqCst);
                        written.is_stalled.store(false, SeqCst);
                    }
                    // The caller may have stopped waiting.
                    Entry::Flush(done) => drop(done.send(())),
                }
            }
        };
        thread::Builder::new().name("stderr".to_owned()).spawn(write).ok()?;
        Some(Self { entries, state })
    }

    fn say(&self, text: &[u8]) {
        self.push(text);
        if !self.state.is_stalled.load(SeqCst) && !self.flush(AT_ONCE) {
            self.state.is_stalled.store(true, SeqCst);
        }
    }

    fn log(&self, line: &[u8]) {
        self.state.has_logged.store(true, SeqCst);
        if self.state.size.load(SeqCst) + line.len() > MOST_LOGGED {
            self.state.lost.fetch_add(1, SeqCst);
        } else {
            self.push(line);
        }
    }

    fn finish(&self) {
        self.push(b"");
        while !self.flush(PATIENCE) && !self.state.has_logged.load(SeqCst) {}
    }

    /// Queues bytes, after a note about the lines that were dropped before them. Does nothing if the reader is
    /// gone.
    fn push(&self, bytes: &[u8]) {
        let lost = self.state.lost.swap(0, SeqCst);
        let note = match lost {
            0 => String::new(),
            lost => format!("… {lost} lines of the log were dropped: no reader …\n"),
        };
        for bytes in [note.as_bytes(), bytes].into_iter().filter(|bytes| !bytes.is_empty()) {
            self.state.size.fetch_add(bytes.len(), SeqCst);
            drop(self.entries.send(Entry::Bytes(bytes.to_vec())));
        }
    }

    /// Waits until everything is written or the reader is gone, as long as there is progress within each
    /// `patience`. Returns whether it is.
    fn flush(&self, patience: Duration) -> bool {
        let (done, is_done) = channel();
        drop(self.entries.send(Entry::Flush(done)));
        loop {
            let written = self.state.written.load(SeqCst);
            match is_done.recv_timeout(patience) {
                Err(RecvTimeoutError::Timeout) if self.state.written.load(SeqCst) == written => {
                    return false;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }
}

/// Writes bytes. Fails if the reader is gone.
fn write(output: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Ok(()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => thread::sleep(PAUSE),
                ErrorKind::BrokenPipe => return Err(error),
                // A full disk may have room later.
                _ => return Ok(()),
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;

    /// A reader that takes one chunk per permit, and is gone when there are no more permits.
    struct Reader {
        turns: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.turns.recv().map_err(|_| ErrorKind::BrokenPipe)?;
            self.taken.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn read_by_turns() -> io::Result<(Writer, Sender<()>, Receiver<Vec<u8>>)> {
        let (turn, turns) = channel();
        let (taken, read) = channel();
        Ok((Writer::start(Reader { turns, taken }).ok_or(ErrorKind::Other)?, turn, read))
    }

    #[test]
    fn a_log_is_bounded_and_says_what_was_lost() -> io::Result<()> {
        let (writer, turn, read) = read_by_turns()?;
        let line = vec![b'x'; MOST_LOGGED / 4];
        for _ in 0..10 {
            writer.log(&line);
        }
        writer.say(b"said\n");
        for _ in 0..6 {
            assert!(turn.send(()).is_ok());
        }
        writer.finish();
        let read: Vec<_> = read.try_iter().collect();
        assert_eq!(read.len(), 6);
        assert!(read[..4].iter().all(|bytes| *bytes == line));
        let note = "… 6 lines of the log were dropped: no reader …\n";
        assert_eq!(read[4..], [note.as_bytes(), b"said\n"]);
        Ok(())
    }

    #[test]
    fn nobody_is_waited_for_who_reads_no_log() -> io::Result<()> {
        let (writer, _turn, read) = read_by_turns()?;
        writer.log(b"logged\n");
        writer.say(b"said\n");
        writer.finish();
        assert_eq!(read.try_iter().count(), 0);
        Ok(())
    }

    #[test]
    fn what_is_said_waits_for_its_reader() -> io::Result<()> {
        let (writer, turn, read) = read_by_turns()?;
        writer.say(b"said\n");
        assert!(writer.state.is_stalled.load(SeqCst));
        thread::scope(|scope| {
            scope.spawn(|| writer.finish());
            assert!(turn.send(()).is_ok());
        });
        assert_eq!(read.try_iter().collect::<Vec<_>>(), [b"said\n"]);
        Ok(())
    }

    #[test]
    fn a_reader_who_is_gone_is_forgotten() -> io::Result<()> {
        let (writer, turn, _) = read_by_turns()?;
        drop(turn);
        writer.say(b"said\n");
        writer.log(b"logged\n");
        writer.finish();
        assert!(writer.entries.send(Entry::Bytes(Vec::new())).is_err());
        Ok(())
    }
}
