//! Runs a command that prints a login.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A login is short. A command that prints more is the wrong one.
const MOST: u64 = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(2);

/// Runs a program with its arguments, without a shell, and returns what it prints. What it writes to standard error is
/// dropped: it may quote the secret.
///
/// # Errors
///
/// Returns what is wrong with the command.
pub(super) fn output(parts: &[&str], folder: &Path, patience: Duration) -> Result<Vec<u8>, String> {
    let (program, arguments) = parts.split_first().ok_or("expected a program")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = Killed(command.spawn().map_err(|error| format!("{program:?}: {error}"))?);
    let Some(stdout) = child.0.stdout.take() else { return Err("it has no output".to_owned()) };
    let (sender, read) = mpsc::channel();
    // It may keep its output open past its time.
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let result = stdout.take(MOST).read_to_end(&mut text).map(|_| text);
        // Nobody waits any more if it took too long.
        let _ = sender.send(result);
    });
    let failed = |error| format!("{program:?}: {error}");
    let late = || format!("{program:?} did not end within {patience:?}");
    let text = read.recv_timeout(patience).map_err(|_| late())?.map_err(failed)?;
    // It has closed its output, and should end now.
    let status = loop {
        match child.0.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if started.elapsed() >= patience => return Err(late()),
            None => std::thread::sleep(PAUSE),
        }
    };
    if status.success() { Ok(text) } else { Err(format!("{program:?} failed: {status}")) }
}

/// A process that does not outlive its use.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It has ended already, unless it took too long.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
