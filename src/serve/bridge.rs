//! The server.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prost::DecodeError;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::access::Access;
use super::access_handle::AccessHandle;
use super::audit::AuditLog;
use super::gate::Gate;
use super::health_checks::HealthChecks;
use super::hosted_rpc::{FindRpc, HostedRpc};
use super::operations::Operations;
use super::tls::{ServerTls, TlsHandle};
use crate::client::Client;
use crate::server::browsers::Browsers;
use crate::server::connections::{self, Calls, Handshake, Plain, Workers};
use crate::server::front::{self, Front};
use crate::server::health::ReportedHealth;
use crate::server::introspection;
use crate::server::notifier::Notifier;
use crate::server::pages::About;
pub use crate::server::running::RunningServer as RunningBridge;
use crate::server::{AllServices, ConnectionLimits, Origin, RestFront, RestLimits, Services};

const ABOUT: About = About {
    title: "ESET PROTECT",
    text: "ESET's services, over gRPC, gRPC-Web and REST on this port.",
};

/// A server that forwards calls; see the [module](super).
pub struct Bridge {
    access: AccessHandle,
    rpcs: Vec<HostedRpc>,
    descriptors: Vec<&'static [u8]>,
    limits: ConnectionLimits,
    worker_threads: usize,
    origins: Vec<Origin>,
    pub(super) notifier: Notifier,
    tls: Option<TlsHandle>,
    audit: Option<AuditLog>,
    operations: Option<Operations>,
}

impl Bridge {
    /// Forwards the calls of these callers to their tenants.
    pub fn new(access: Access) -> Self {
        let bridge = Self {
            access: AccessHandle::new(access),
            rpcs: Vec::new(),
            descriptors: Vec::new(),
            limits: ConnectionLimits::default(),
            worker_threads: 0,
            origins: Vec::new(),
            notifier: Notifier::default(),
            tls: None,
            audit: None,
            operations: None,
        };
        bridge.services(AllServices)
    }

    /// Forwards the calls of everybody by this client. For loopback, where every user of the machine may use
    /// the client's login then.
    pub fn to(client: Client) -> Self {
        Self::new(Access::open(client))
    }

    /// Forwards the RPCs of your own services, too. `services` is `server::AllServices` of a crate with generated
    /// services.
    #[must_use]
    pub fn services<S: Services>(mut self, _services: S) -> Self {
        self.rpcs.extend(S::METHODS.iter().filter_map(|spec| S::visit(spec.path, FindRpc)));
        self.descriptors.push(S::DESCRIPTORS);
        self
    }

    /// Limits the number of connections and how long they may be idle.
    #[must_use]
    pub fn connection_limits(mut self, limits: ConnectionLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Serves on this number of threads of the bridge's own, at most 32, instead of the current runtime's. It takes
    /// the least CPU time for a call: each connection stays on one thread, with all its calls and with connections of
    /// the thread's own to the upstreams, so nothing passes from thread to thread. `eset-protect serve` has as many as
    /// the machine has cores.
    #[must_use]
    pub fn worker_threads(mut self, count: usize) -> Self {
        self.worker_threads = count;
        self
    }

    /// Lets web pages of this origin call from a browser, over REST and gRPC-Web (CORS). Call it again to add
    /// another origin. By default no other origin is allowed: requests that a page of another one makes are refused
    /// with 403. If [anyone](Access::is_open) may call, so are requests for a host other than `localhost`, an IP
    /// address or the host of an allowed origin, because a page can make a name of its own resolve to this server (DNS
    /// rebinding). Neither concerns gRPC, which no browser speaks.
    #[must_use]
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.origins.push(origin);
        self
    }

    /// Serves over TLS with this certificate. By default there is no TLS.
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(TlsHandle::new(tls));
        self
    }

    /// Logs the calls that change something. By default none are logged.
    #[must_use]
    pub fn audit(mut self, log: AuditLog) -> Self {
        self.audit = Some(log.of_server());
        self
    }

    /// Tells operators of liveness, readiness and metrics. By default only gRPC's health service does.
    #[must_use]
    pub fn operations(mut self, operations: Operations) -> Self {
        self.operations = Some(operations);
        self
    }

    /// Sets a function that receives messages for the operator, one sentence each. By default these are
    /// `tracing` events at level WARN. It is called on serving threads, so it should not block.
    #[must_use]
    pub fn on_notice(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notifier = Notifier::new(tell);
        self
    }

    /// Returns a handle that replaces who may call what while the bridge serves.
    pub fn access_handle(&self) -> AccessHandle {
        self.access.clone()
    }

    /// Returns a handle that replaces the certificate while the bridge serves; `None` without TLS.
    pub fn tls_handle(&self) -> Option<TlsHandle> {
        self.tls.clone()
    }

    /// Serves on 127.0.0.1 at a free port.
    ///
    /// # Errors
    ///
    /// Fails if the system has no port or no thread.
    pub async fn start(self) -> io::Result<RunningBridge> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let prepared = self.prepare(address)?;
        Ok(RunningBridge::start(address, |stopped| prepared.serve(listener, stopped)))
    }

    /// Serves on a listener until `shutdown` completes. Then health checks report `NOT_SERVING`, the listener is
    /// closed, and current calls may finish, which may take up to ten seconds.
    ///
    /// # Errors
    ///
    /// Fails if the listener is reachable from other machines and has no [TLS](Self::tls), or lets
    /// [anyone](Access::is_open) call, or if the system has no thread.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let prepared = self.prepare(listener.local_addr()?)?;
        prepared.serve(listener, shutdown).await;
        Ok(())
    }

    /// Does all that can fail.
    fn prepare(self, address: SocketAddr) -> io::Result<Prepared> {
        let is_public = !address.ip().is_loopback();
        if is_public {
            self.access.set_public();
        }
        if is_public && (self.tls.is_none() || self.access.current().is_open()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{address}: beyond loopback, only over TLS and to callers who show who they are"
                ),
            ));
        }
        let workers = Workers::start(self.worker_threads)?;
        let (health, calls) = self.calls().map_err(io::Error::other)?;
        Ok(Prepared { bridge: self, workers, health, calls })
    }

    /// Returns the services on all fronts, with health checks and reflection.
    fn calls(&self) -> Result<(ReportedHealth, Calls), DecodeError> {
        let specs = self.rpcs.iter().map(|rpc| rpc.spec);
        let health = ReportedHealth::new(specs.clone().map(|spec| spec.service));
        let checks = HealthChecks { access: self.access_handle(), reported: health.clone() };
        let routes = introspection::routes(checks, self.descriptors.iter().copied())?;
        let body_time = self.limits.body_time;
        // A body has the limit of its tenant's messages, and a head that of HTTP/2 with every protocol: a JSON Web Token
        // with many groups takes more than ESET's servers do.
        let (max_body, max_head) = (usize::MAX, connections::MAX_HEADERS);
        let limits = RestLimits { body_time, max_body, max_head, ..RestLimits::default() };
        let rest = RestFront::of(specs.collect()).limits(limits).head(true);
        let browsers = Browsers { allowed: self.origins.clone(), has_tls: self.tls.is_some() };
        let documents = Default::default();
        let gate = Gate {
            front: Front { about: ABOUT, browsers, rest, routes, body_time, documents },
            access: self.access_handle(),
            audit: self.audit.clone(),
            rpcs: self.rpcs.iter().map(|rpc| (rpc.spec.path, *rpc)).collect(),
        };
        Ok((health, front::calls(Arc::new(gate))))
    }
}

/// A bridge that is ready to serve.
struct Prepared {
    bridge: Bridge,
    workers: Workers,
    health: ReportedHealth,
    calls: Calls,
}

impl Prepared {
    async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let Self { bridge, workers, health, calls } = self;
        let is_stopping = Arc::new(AtomicBool::new(false));
        let access = bridge.access_handle();
        let Bridge { tls, audit, operations, limits, notifier, .. } = bridge;
        let _operations = operations.map(|operations| {
            let (is_stopping, notifier) = (Arc::clone(&is_stopping), notifier.clone());
            let serving = operations.serve(access, is_stopping, workers.handles(), notifier);
            AbortOnDropHandle::new(tokio::spawn(serving))
        });
        if let Some(log) = &audit {
            log.set_notifier(&notifier);
        }
        let shutdown = async {
            shutdown.await;
            is_stopping.store(true, Ordering::Relaxed);
            health.stop();
        };
        let handshake: Arc<dyn Handshake> = match tls {
            Some(tls) => Arc::new(tls),
            None => Arc::new(Plain),
        };
        connections::serve(calls, listener, handshake, limits, workers, &notifier, shutdown).await;
        if let Some(log) = &audit {
            log.finish().await;
        }
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("access", &self.access)
            .field("limits", &self.limits)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
