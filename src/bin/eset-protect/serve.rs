//! `eset-protect serve`.

mod operations;

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use clap::Args;
use eset_protect::emulator::Origin;
use eset_protect::serve::{
    Access, AccessHandle, AuditLog, Bridge, CertificateFiles, Config, FixedSettings, TlsHandle,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::connection::Upstream;
use crate::failure::Failure;
use crate::output::Output;
use crate::run::block_on;
use crate::say::{say, say_error};
use crate::stop_signal::{ReloadSignal, reload_signal, stop_signal};

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
                output.flush()
            }),
            Some(path) => block_on(async {
                // Registered first, so that no signal ends the program while it starts.
                let signal = reload_signal()?;
                let config = read(&path)?;
                let (fixed, files) = (config.fixed().clone(), config.certificate_files().cloned());
                let address = config.listen();
                let scheme = if files.is_some() { "https" } else { "http" };
                let log = config.audit_log().map(open).transpose()?;
                let operations = match config.operations() {
                    Some(address) => Some(operations::listen(address).await?),
                    None => None,
                };
                let bridge = config.into_bridge();
                let (access, tls) = (bridge.access_handle(), bridge.tls_handle().zip(files));
                let bridge = log.clone().into_iter().fold(bridge, Bridge::audit);
                let bridge = operations.into_iter().fold(bridge, Bridge::operations);
                tokio::select! {
                    served = serve(bridge, "listen", address, scheme, "its tenants") => served,
                    never = Serving { path, fixed, access, tls, log }.follow(signal) => never,
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
            serve(bridge, "--listen", address, "http", &upstream).await
        })
    }
}

fn open(path: &Path) -> Result<AuditLog, Failure> {
    AuditLog::open(path)
        .map_err(|error| Failure::io(&format!("audit_log: {}", path.display()), &error))
}

fn read(path: &Path) -> Result<Config, Failure> {
    Config::read(path, None).map_err(|error| Failure::Input(error.to_string()))
}

async fn serve(
    bridge: Bridge,
    setting: &str,
    address: SocketAddr,
    scheme: &str,
    upstream: &str,
) -> Result<(), Failure> {
    let failed = |error| Failure::io(&format!("{setting} {address}"), &error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // Registered before the address is printed, so that no signal arrives too early.
    let stopped = stop_signal()?;
    let mut output = Output::new();
    let mut announce = || {
        // Programs read the port from this line.
        output.line(&format!("Listening on {scheme}://{address}"))?;
        output.line(&format!("It speaks gRPC, gRPC-Web and REST there, and calls {upstream}."))?;
        output.flush()
    };
    match announce() {
        // The starting program may want only the first line.
        Ok(()) | Err(Failure::ReaderGone) => {}
        Err(failure) => return Err(failure),
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let bridge = bridge.worker_threads(cores).on_notice(say);
    let served = bridge.serve(listener, stopped).await;
    served.map_err(|error| Failure::Other(error.to_string()))
}

/// How often to see whether the certificate was renewed.
const RENEWAL: Duration = Duration::from_secs(60);

/// What of a bridge that serves can be replaced.
struct Serving {
    path: PathBuf,
    fixed: FixedSettings,
    access: AccessHandle,
    tls: Option<(TlsHandle, CertificateFiles)>,
    log: Option<AuditLog>,
}

impl Serving {
    /// Reads the configuration again at each SIGHUP, and the certificate when its files change. Wrong ones change
    /// nothing.
    async fn follow(mut self, mut signal: ReloadSignal) -> Result<(), Failure> {
        loop {
            let done = tokio::select! {
                _ = signal.recv() => self.reload().await,
                renewed = self.renew() => renewed,
            };
            match done {
                Ok(notice) => say(&notice),
                Err(problem) => say_error(&problem),
            }
        }
    }

    /// Uses the certificate once its files have changed.
    async fn renew(&mut self) -> Result<String, String> {
        let Some((handle, files)) = &mut self.tls else { return std::future::pending().await };
        files.changed(RENEWAL).await;
        let read = files.read().map_err(|error| {
            format!("the old certificate stays in use; the new one: {}", error.message())
        })?;
        handle.replace(read);
        Ok("the certificate was renewed".to_owned())
    }

    async fn reload(&mut self) -> Result<String, String> {
        if let Some(log) = &self.log
            && let Err(error) = log.reopen().await
        {
            say_error(&format!("cannot reopen the audit log; the old file stays in use: {error}"));
        }
        let path = self.path.display();
        let stays = |problem: String| {
            format!("not reloaded; the old configuration stays in use: {problem}")
        };
        let config = read_again(&self.path, self.access.current()).await.map_err(stays)?;
        let kept = self.fixed.changed(config.fixed());
        let tls = config.tls().cloned().zip(config.certificate_files().cloned());
        let replaced = self.access.replace(config.into_access());
        replaced.map_err(|error| stays(format!("{path}: {}", error.message())))?;
        if let (Some((handle, files)), Some((new, new_files))) = (&mut self.tls, tls) {
            handle.replace(new);
            *files = new_files;
        }
        Ok(match kept.is_empty() {
            true => format!("reloaded {path}"),
            false => format!("reloaded {path}; only a restart changes {}", kept.join(", ")),
        })
    }
}

/// Reads the configuration on a thread of its own, since it may run commands, which take their time. The end of the
/// program does not wait for it.
async fn read_again(path: &Path, current: Arc<Access>) -> Result<Config, String> {
    let path = path.to_owned();
    let (done, config) = oneshot::channel();
    // Nobody waits for it once the program ends.
    let read = move || drop(done.send(Config::read(path, Some(&current))));
    Builder::new().spawn(read).map_err(|error| error.to_string())?;
    let config = config.await.map_err(|_| "its thread has failed".to_owned())?;
    config.map_err(|error| error.to_string())
}
