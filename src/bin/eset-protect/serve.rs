//! `eset-protect serve`.

mod metrics;

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::emulator::Origin;
use eset_protect::serve::{Bridge, Config, Server};
use tokio::net::TcpListener;

use crate::connection::Upstream;
use crate::failure::Failure;
use crate::output::Output;
use crate::run::block_on;
use crate::say::say;
use crate::stop_signal::{reload_signal, stop_signal};

const OPEN: &str =
    "everybody on this machine may call: no caller in [callers] has to show who it is";

/// Serve gRPC, gRPC-Web and REST, and forward every call to ESET or another server
///
/// With --config, a file in TOML names the upstreams (tenants), their logins, the callers and what each may call;
/// SIGHUP reads it and opens the audit log again. Without it, the options under `Connection` name the one upstream, and
/// every user of this machine may call it. Ctrl-C or SIGTERM stops it after the current calls.
#[derive(Args, Debug)]
pub struct Serve {
    /// The configuration; see the documentation of `eset_protect::serve::Config`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "allow_origin"])]
    config: Option<PathBuf>,
    /// Check the configuration with all files and variables that it names, and stop
    #[arg(long, requires = "config")]
    check: bool,
    /// The loopback address to listen on; port 0 chooses a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50052")]
    listen: SocketAddr,
    /// Let web pages of this origin, such as http://localhost:5173, call from a browser (CORS); * allows every
    /// origin; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,
    #[command(flatten)]
    connection: Upstream,
}

impl Serve {
    pub fn run(self) -> Result<(), Failure> {
        if let (Some(_), Some(option)) = (&self.config, self.connection.given()) {
            let problem =
                "expected no option of the connection with --config, which names the upstreams";
            return Err(Failure::Input(format!("{option}: {problem}")));
        }
        match self.config.clone() {
            Some(path) if self.check => block_on(async {
                let config = read(&path)?;
                let mut output = Output::new();
                output.line(&format!("{} is valid, for {}", path.display(), config.listen()))?;
                if config.into_access().is_open() {
                    output.line(OPEN)?;
                }
                output.flush()
            }),
            Some(path) => block_on(async {
                // Registered first, so that no signal ends the program while it starts.
                let mut signal = reload_signal()?;
                let config = read(&path)?;
                let mut server = Server::bind(config).await.map_err(|error| other(&error))?;
                if let Some(address) = server.operations_addr() {
                    say(&format!("operations at http://{address}"));
                    let recorder = metrics::recorder()?;
                    server = server.metrics(move || recorder.render());
                }
                if server.access_handle().current().is_open() {
                    say(OPEN);
                }
                let (endpoint, reload) = (server.endpoint(), server.reload_handle());
                // Registered before the address is printed, so that no signal arrives too early.
                let stopped = stop_signal()?;
                announce(&endpoint, "its tenants")?;
                let reloading = async {
                    loop {
                        signal.recv().await;
                        reload.reload();
                    }
                };
                tokio::select! {
                    served = server.serve(stopped) => served.map_err(|error| other(&error)),
                    () = reloading => Ok(()),
                }
            }),
            None => self.open(),
        }
    }

    /// Serves one upstream to everybody on this machine.
    fn open(self) -> Result<(), Failure> {
        let address = self.listen;
        if !address.ip().is_loopback() {
            return Err(Failure::Input(format!(
                "--listen {address}: expected a loopback address, such as 127.0.0.1:50052; other machines need \
                 --config with a certificate and callers"
            )));
        }
        block_on(async move {
            let (builder, upstream) = self.connection.builder()?;
            let client = Config::default_limits(builder).connect_lazy()?;
            let bridge =
                self.allow_origin.into_iter().fold(Bridge::to(client), Bridge::allow_origin);
            let failed = |error| Failure::io(&format!("--listen {address}"), &error);
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            // Registered before the address is printed, so that no signal arrives too early.
            let stopped = stop_signal()?;
            announce(&format!("http://{address}"), &upstream)?;
            let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
            bridge
                .worker_threads(cores)
                .serve(listener, stopped)
                .await
                .map_err(|error| other(&error))
        })
    }
}

fn read(path: &Path) -> Result<Config, Failure> {
    Config::read(path, None).map_err(|error| Failure::Input(error.to_string()))
}

fn other(error: &io::Error) -> Failure {
    Failure::Other(error.to_string())
}

fn announce(endpoint: &str, upstream: &str) -> Result<(), Failure> {
    let mut output = Output::new();
    let mut announce = || {
        // Programs read the port from this line.
        output.line(&format!("Listening on {endpoint}"))?;
        output.line(&format!("It speaks gRPC, gRPC-Web and REST there, and calls {upstream}."))?;
        output.flush()
    };
    match announce() {
        // The starting program may want only the first line.
        Ok(()) | Err(Failure::ReaderGone) => Ok(()),
        Err(failure) => Err(failure),
    }
}
