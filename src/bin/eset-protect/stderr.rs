//! Standard error, which may be full, closed or unread.
//!
//! Writing to it never fails or delays current calls. Unless it is a terminal, a separate thread writes it.
//! Logs are best effort: lines without a reader are dropped and counted. Messages such as errors are kept
//! until they are written, and the command waits for them at its end, except for a log that nobody reads.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
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
    match queue() {
        Some(queue) => queue.say(text.as_bytes()),
        // Without a reader there is nobody to report to.
        None => drop(io::stderr().write_all(text.as_bytes())),
    }
}

/// Writes a log entry, if it is being read.
pub fn log(bytes: &[u8]) {
    match queue() {
        Some(queue) => queue.log(bytes),
        None => drop(io::stderr().write_all(bytes)),
    }
}

/// Waits until everything is written, at the end of the command.
pub fn finish() {
    if let Some(Some(queue)) = QUEUE.get() {
        queue.finish();
    }
}

static QUEUE: OnceLock<Option<Arc<Queue>>> = OnceLock::new();

/// Returns the queue of the writing thread; `None` if standard error is a terminal, because pausing that
/// pauses the whole command.
fn queue() -> Option<&'static Queue> {
    let begin = || {
        let queue = Arc::new(Queue::default());
        let writer = Arc::clone(&queue);
        let begun = thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || writer.write(&mut io::stderr()));
        begun.is_ok().then_some(queue)
    };
    QUEUE.get_or_init(|| if io::stderr().is_terminal() { None } else { begin() }).as_deref()
}

/// Bytes waiting to be written.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    /// The number of waiting bytes.
    size: usize,
    is_writing: bool,
    /// The number of written bytes, which shows whether anything is read.
    written: u64,
    /// Whether nothing has been read for a while.
    is_stalled: bool,
    has_logged: bool,
    /// The number of log lines dropped since the last one that was accepted.
    lost: usize,
    /// Whether the reader is gone.
    is_gone: bool,
}

impl State {
    fn push(&mut self, bytes: &[u8]) {
        if self.lost > 0 {
            let note = format!("… {} lines of the log were dropped: no reader …\n", self.lost);
            self.lost = 0;
            self.push(note.as_bytes());
        }
        self.size += bytes.len();
        self.waiting.push_back(bytes.to_vec());
    }

    fn is_done(&self) -> bool {
        self.is_gone || (self.waiting.is_empty() && !self.is_writing)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.is_gone {
            return;
        }
        state.push(bytes);
        self.changed.notify_all();
        if !state.is_stalled {
            let (mut state, is_done) = self.wait(state, AT_ONCE);
            state.is_stalled = !is_done;
        }
    }

    fn log(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.has_logged = true;
        if state.is_gone {
            return;
        }
        if state.size + bytes.len() > MOST_LOGGED {
            state.lost += 1;
            return;
        }
        state.push(bytes);
        self.changed.notify_all();
    }

    fn finish(&self) {
        loop {
            let mut state = self.lock();
            if state.lost > 0 {
                state.push(b"");
            }
            let (state, is_done) = self.wait(state, PATIENCE);
            if is_done || state.has_logged {
                return;
            }
        }
    }

    /// Waits until everything is written, as long as there is progress within each `patience`.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        patience: Duration,
    ) -> (MutexGuard<'a, State>, bool) {
        while !state.is_done() {
            let written = state.written;
            let is_same = |state: &mut State| !state.is_done() && state.written == written;
            let waited = self.changed.wait_timeout_while(state, patience, is_same);
            let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() {
                return (state, false);
            }
        }
        (state, true)
    }

    /// Writes everything until the reader is gone.
    fn write(&self, output: &mut dyn Write) {
        loop {
            let mut state = self.lock();
            let Some(bytes) = state.waiting.pop_front() else {
                drop(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
                continue;
            };
            state.is_writing = true;
            drop(state);
            let is_gone = self.write_one(output, &bytes).is_err();
            let mut state = self.lock();
            state.is_writing = false;
            state.is_stalled = false;
            state.size -= bytes.len();
            state.written += 1;
            if is_gone {
                state.is_gone = true;
                state.waiting.clear();
            }
            drop(state);
            self.changed.notify_all();
            if is_gone {
                return;
            }
        }
    }

    /// Writes bytes. Fails if the reader is gone.
    fn write_one(&self, output: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
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
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

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

    fn read_by_turns() -> (Arc<Queue>, Sender<()>, Receiver<Vec<u8>>) {
        let (turn, turns) = channel();
        let (taken, read) = channel();
        let queue = Arc::new(Queue::default());
        let writer = Arc::clone(&queue);
        thread::spawn(move || writer.write(&mut Reader { turns, taken }));
        (queue, turn, read)
    }

    #[test]
    fn a_log_is_bounded_and_says_what_was_lost() {
        let (queue, turn, read) = read_by_turns();
        let line = vec![b'x'; MOST_LOGGED / 4];
        for _ in 0..10 {
            queue.log(&line);
        }
        queue.say(b"said\n");
        for _ in 0..6 {
            assert!(turn.send(()).is_ok());
        }
        queue.finish();
        let read: Vec<_> = read.try_iter().collect();
        assert_eq!(read.len(), 6);
        assert!(read[..4].iter().all(|bytes| *bytes == line));
        let note = "… 6 lines of the log were dropped: no reader …\n";
        assert_eq!(read[4..], [note.as_bytes(), b"said\n"]);
    }

    #[test]
    fn nobody_is_waited_for_who_reads_no_log() {
        let (queue, _turn, read) = read_by_turns();
        queue.log(b"logged\n");
        queue.say(b"said\n");
        queue.finish();
        assert_eq!(read.try_iter().count(), 0);
    }

    #[test]
    fn what_is_said_waits_for_its_reader() {
        let (queue, turn, read) = read_by_turns();
        queue.say(b"said\n");
        assert!(queue.lock().is_stalled);
        let finished = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.finish()
        });
        assert!(turn.send(()).is_ok());
        assert!(finished.join().is_ok());
        assert_eq!(read.try_iter().collect::<Vec<_>>(), [b"said\n"]);
    }

    #[test]
    fn a_reader_who_is_gone_is_forgotten() {
        let (queue, turn, _) = read_by_turns();
        drop(turn);
        queue.say(b"said\n");
        queue.log(b"logged\n");
        queue.finish();
        assert!(queue.lock().is_gone && queue.lock().waiting.is_empty());
    }
}
