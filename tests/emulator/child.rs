//! Runs an emulator in a separate process: this test binary again.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use eset_protect::emulator::{Emulator, ManualClock};

/// Makes the test binary a server on this directory, or in memory if it is empty.
const DIRECTORY: &str = "ESET_PROTECT_TEST_EMULATOR_DIRECTORY";

/// Not a separate test: the process of a [`Server`].
#[tokio::test]
async fn is_a_server() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let mut builder = Emulator::builder().clock(ManualClock::default()).on_notice(|notice| {
        println!("notice={notice}");
        std::io::stdout().flush().unwrap();
    });
    if !directory.is_empty() {
        builder = builder.data_dir(PathBuf::from(directory));
    }
    let running = builder.build().unwrap().start().await.unwrap();
    println!("endpoint={}", running.endpoint());
    std::io::stdout().flush().unwrap();
    // Exits when its input ends, that is with the test process, which usually kills it earlier.
    let read = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(read).await.unwrap().unwrap();
}

/// A server in a separate process. Killed when dropped.
pub struct Server {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub endpoint: String,
}

impl Server {
    pub fn start(directory: &Path) -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()), directory.as_os_str())
    }

    /// Does the same after a line of shell that limits the process.
    #[cfg(unix)]
    pub fn start_after(shell: &str, directory: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]);
        command.arg(std::env::current_exe().unwrap());
        Self::spawn(command, directory.as_ref())
    }

    fn spawn(mut command: Command, directory: &OsStr) -> Self {
        let mut process = command
            .args(["child::is_a_server", "--exact", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut server = Self { process, lines, endpoint: String::new() };
        server.endpoint = server.next("endpoint=");
        server
    }

    /// Returns the rest of the next line that starts like this, perhaps after other lines.
    pub fn next(&mut self, name: &str) -> String {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        let found = lines.find_map(|line| Some(line.split_once(name)?.1.to_owned()));
        found.unwrap_or_else(|| panic!("the server does not say {name}"))
    }

    #[cfg(target_os = "linux")]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
