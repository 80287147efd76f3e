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
