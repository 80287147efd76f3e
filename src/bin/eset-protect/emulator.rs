//! `eset-protect emulator`.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use eset_protect::emulator::{Emulator, EmulatorError};
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::output::Output;
use crate::run::block_on;
use crate::text::program;

/// Where the other commands look if nobody tells them.
const DEFAULT: &str = "127.0.0.1:50051";

/// Run an emulator of ESET's services, over gRPC
///
/// Everything is in memory unless --data-dir says otherwise. It ends with Ctrl-C or SIGTERM, after the
/// calls that are under way.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = DEFAULT, value_parser = parse_address)]
    listen: SocketAddr,
    /// Listen where other machines can connect; callers are not authenticated
    #[arg(long)]
    allow_remote: bool,
    /// Begin with a small company: devices, tasks with their runs, policies and assignments
    #[arg(long)]
    seed: bool,
    /// Keep everything in this directory
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    // The one name that needs nobody to look it up.
    let address = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    address.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:50051".into())
}

impl Args {
    pub fn run(self) -> Result<(), Failure> {
        let address = self.listen;
        if !address.ip().is_loopback() && !self.allow_remote {
            return Err(Failure::Input(format!(
                "--listen {address}: expected a loopback address, such as {DEFAULT}; callers are not \
                 authenticated, so add --allow-remote if other machines shall connect"
            )));
        }
        block_on(async move {
            let mut builder = Emulator::builder().seed(self.seed);
            if let Some(directory) = &self.data_dir {
                builder = builder.data_dir(directory);
            }
            let emulator = builder.build().map_err(|error| failure(&error))?;
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| Failure::io(&format!("--listen {address}"), &error))?;
            let address = listener
                .local_addr()
                .map_err(|error| Failure::io(&format!("--listen {address}"), &error))?;
            // Before anybody is told that we are there, so that no signal comes too early.
            let stopped = stop_signal()?;
            match self.announce(address) {
                // Whoever started us may want the first line and no more.
                Ok(()) | Err(Failure::ReaderGone) => {}
                Err(failure) => return Err(failure),
            }
            emulator.serve(listener, stopped).await.map_err(|error| failure(&error))
        })
    }

    fn announce(&self, address: SocketAddr) -> Result<(), Failure> {
        let mut output = Output::new();
        let style = output.style;
        // Programs read this line for the port.
        output.line(&format!("Listening on {}", style.bold(&format!("http://{address}"))))?;
        let place = match &self.data_dir {
            Some(directory) => format!("in {}", directory.display()),
            None => "in memory, gone when this ends".to_owned(),
        };
        output.line(&format!("Everything is kept {place}. Ctrl-C ends it."))?;
        output.line("")?;
        output.line("Try in another terminal:")?;
        if address.to_string() != DEFAULT {
            output.line(&format!("  export ESET_PROTECT_ENDPOINT=http://{address}"))?;
        }
        let program = program();
        output.line(&format!("  {program} tasks list"))?;
        output.line(&format!(
            "  {program} tasks create --name Restart --action ShutdownComputer --restart --device d1"
        ))?;
        output.line(&format!("  {program} policies list --output json"))?;
        output.flush()
    }
}

/// The error with its causes.
fn failure(error: &EmulatorError) -> Failure {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Failure::Other(text)
}

/// Ends when somebody wants us to: Ctrl-C, or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| Failure::io("cannot wait for signals", &error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        std::future::poll_fn(|cx| {
            let interrupted = interrupt.poll_recv(cx).is_ready();
            let terminated = terminate.poll_recv(cx).is_ready();
            if interrupted || terminated {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    })
}

/// Ends when somebody wants us to: Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nobody can say it then; only killing helps.
            std::future::pending::<()>().await;
        }
    })
}
