//! A bridge that follows its configuration.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

use super::access::Access;
use super::access_handle::AccessHandle;
use super::audit::AuditLog;
use super::bridge::Bridge;
use super::certificate_files::CertificateFiles;
use super::config::{Config, FixedSettings};
use super::operations::Operations;
use super::tls::TlsHandle;
use crate::server::notifier::Notifier;
use crate::telemetry::Degraded;

/// How often to see whether the certificate was renewed.
const RENEWAL: Duration = Duration::from_secs(60);

/// A [`Bridge`] with a [`Config`], as the command `eset-protect serve --config` runs it: on all cores, with the audit log
/// and [operations](Operations) of the configuration, which it [reads again](ReloadHandle::reload) on request. It uses a
/// renewed certificate within a minute.
///
/// ```no_run
/// use eset_protect::serve::{Config, Server};
///
/// # async fn run(stop: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::bind(Config::read("serve.toml", None)?).await?;
/// let reload = server.reload_handle();
/// tokio::spawn(async move {
///     // Such as at each SIGHUP.
///     reload.reload();
/// });
/// println!("gRPC, gRPC-Web and REST at {}", server.endpoint());
/// server.serve(stop).await?;
/// # Ok(())
/// # }
/// ```
///
/// What fails while it serves, what works again, and what a reload did are `tracing` events of the target
/// `eset_protect::server`, at level `WARN` or `INFO`, or go to [`Bridge::on_notice`]. A subscriber with the filter
/// `eset_protect=warn,eset_protect::server=info` shows an operator all of it.
pub struct Server {
    bridge: Bridge,
    listener: TcpListener,
    address: SocketAddr,
    operations: Option<Operations>,
    reloads: ReloadHandle,
    path: PathBuf,
    fixed: FixedSettings,
    files: Option<CertificateFiles>,
    log: Option<AuditLog>,
}

impl Server {
    /// Opens the audit log, and listens on the addresses of the configuration. Nothing is answered yet.
    ///
    /// # Errors
    ///
    /// Fails if an address cannot be used or the audit log cannot be opened. The error names the key.
    pub async fn bind(config: Config) -> io::Result<Self> {
        let (path, fixed) = (config.path.clone(), config.fixed.clone());
        let files = config.tls.as_ref().map(|(_, files)| files.clone());
        let log = fixed
            .audit_log
            .as_ref()
            .map(|path| AuditLog::open(path).map_err(of(format!("audit_log: {}", path.display()))));
        let log = log.transpose()?;
        let operations = match fixed.operations {
            Some(address) => Some(listen("operations", address).await?),
            None => None,
        };
        let listener = listen("listen", fixed.listen).await?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            address: listener.local_addr()?,
            bridge: config.into_bridge().worker_threads(cores),
            listener,
            operations: operations.map(Operations::new),
            reloads: ReloadHandle::default(),
            path,
            fixed,
            files,
            log,
        })
    }

    /// Returns the address on which it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL, such as `https://0.0.0.0:8443`.
    pub fn endpoint(&self) -> String {
        let scheme = if self.fixed.has_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the address of [`Operations`], if the configuration has one.
    pub fn operations_addr(&self) -> Option<SocketAddr> {
        self.operations.as_ref()?.listener.local_addr().ok()
    }

    /// Sets what `/metrics` returns, see [`Operations::metrics`].
    #[must_use]
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.operations = self.operations.map(|operations| operations.metrics(render));
        self
    }

    /// Changes the bridge, such as with [`Bridge::services`], [`Bridge::worker_threads`] or [`Bridge::on_notice`].
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(Bridge) -> Bridge) -> Self {
        self.bridge = change(self.bridge);
        self
    }

    /// Returns a handle that replaces who may call what, until the configuration is read again.
    pub fn access_handle(&self) -> AccessHandle {
        self.bridge.access_handle()
    }

    /// Returns a handle that makes it read its configuration again.
    pub fn reload_handle(&self) -> ReloadHandle {
        self.reloads.clone()
    }

    /// Serves until `shutdown` completes, and ends as [`Bridge::serve`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`Bridge::serve`] does.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let Self { bridge, listener, operations, reloads, path, fixed, files, log, .. } = self;
        let following = Following {
            path,
            fixed,
            access: bridge.access_handle(),
            tls: bridge.tls_handle().zip(files),
            log: log.clone(),
            notifier: bridge.notifier.clone(),
            reload: Degraded::new("reload"),
            certificate: Degraded::new("certificate"),
        };
        let bridge = log.into_iter().fold(bridge, Bridge::audit);
        let bridge = operations.into_iter().fold(bridge, Bridge::operations);
        tokio::select! {
            served = bridge.serve(listener, shutdown) => served,
            () = following.follow(&reloads) => Ok(()),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("path", &self.path)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Server`] read its configuration again.
#[derive(Clone, Debug, Default)]
pub struct ReloadHandle(Arc<Notify>);

impl ReloadHandle {
    /// Makes the server read its configuration and certificate again, and open its audit log again, such as after
    /// logrotate. It drops no call; tenants with the same settings keep their connections, tokens and budgets. A wrong file
    /// changes nothing, and neither does one that lets everybody on this machine call although callers had to show who they
    /// are. The server reports the outcome like its other notices. If it is reloading already, it reloads once more.
    pub fn reload(&self) {
        self.0.notify_one();
    }
}

fn of(what: String) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

async fn listen(key: &str, address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(of(format!("{key} {address}")))
}

/// What of a server can be replaced while it serves.
struct Following {
    path: PathBuf,
    fixed: FixedSettings,
    access: AccessHandle,
    tls: Option<(TlsHandle, CertificateFiles)>,
    log: Option<AuditLog>,
    notifier: Notifier,
    reload: Degraded,
    certificate: Degraded,
}

impl Following {
    /// Reads the configuration again whenever it is asked to, and the certificate when its files change. Wrong ones change
    /// nothing.
    async fn follow(mut self, reloads: &ReloadHandle) {
        loop {
            let (done, degraded) = tokio::select! {
                () = reloads.0.notified() => (self.reload().await, &self.reload),
                renewed = self.renew() => (renewed, &self.certificate),
            };
            degraded.set(done.is_err());
            match done {
                Ok(notice) => self.notifier.done(&notice),
                Err(problem) => self.notifier.notify(&problem),
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
            let problem = "cannot reopen the audit log; the old file stays in use";
            self.notifier.notify(&format!("{problem}: {error}"));
        }
        let path = self.path.display();
        let stays = |problem: String| {
            format!("not reloaded; the old configuration stays in use: {problem}")
        };
        let config = read_again(self.path.clone(), self.access.current()).await.map_err(stays)?;
        let Config { fixed, tls, access, .. } = config;
        let kept = self.fixed.changed(&fixed);
        if access.is_open() && !self.access.current().is_open() {
            let expected = "expected callers that show who they are, as before";
            return Err(stays(format!(
                "{path}: callers: {expected}; only a restart lets everybody on this machine call"
            )));
        }
        let replaced = self.access.replace(access);
        replaced.map_err(|error| stays(format!("{path}: {}", error.message())))?;
        if let (Some((handle, files)), Some((new, new_files))) = (&mut self.tls, tls) {
            handle.replace(new);
            *files = new_files;
            self.certificate.set(false);
        }
        Ok(match kept.is_empty() {
            true => format!("reloaded {path}"),
            false => format!("reloaded {path}; only a restart changes {}", kept.join(", ")),
        })
    }
}

/// Reads the configuration on a thread of its own, since it may run commands, which take their time. The end of the
/// program does not wait for it.
async fn read_again(path: PathBuf, current: Arc<Access>) -> Result<Config, String> {
    let (done, config) = oneshot::channel();
    // Nobody waits for it once the program ends.
    let read = move || drop(done.send(Config::read(path, Some(&current))));
    thread::Builder::new().spawn(read).map_err(|error| error.to_string())?;
    let config = config.await.map_err(|_| "its thread has failed".to_owned())?;
    config.map_err(|error| error.to_string())
}
