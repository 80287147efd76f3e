//! Serves an emulator over gRPC and REST.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::Emulator;
use super::error::EmulatorError;
use super::faults::Faults;
use super::gate::Gate;
use super::log::Arrival;
use super::store::Store;
use crate::server::RestFront;
use crate::server::connections::{self, Plain, Workers};
use crate::server::front;
use crate::server::health::ReportedHealth;
use crate::server::introspection;
use crate::server::notifier::Notifier;
use crate::server::running::RunningServer;

/// A running emulator.
///
/// Dropping it stops it at once: connections break, current calls get no response, and the data directory is
/// closed. [`shutdown`](Self::shutdown) lets calls finish.
pub struct Running {
    gate: Arc<Gate>,
    // Fields are dropped in this order: first nothing is served any more.
    server: RunningServer,
    store: CloseOnDrop,
}

impl Running {
    /// Returns the address on which the emulator listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Returns the URL for a client, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// Returns the faults waiting for calls.
    pub fn faults(&self) -> &Faults {
        &self.gate.settings.faults
    }

    /// Returns the 10,000 most recent requests, the oldest first.
    pub fn log(&self) -> Vec<Arrival> {
        self.gate.log.arrivals()
    }

    /// Revokes all access tokens, as a service may do at any time. Refresh tokens stay valid.
    pub fn revoke_access_tokens(&self) {
        self.gate.revoke();
    }

    /// Stops listening, waits up to ten seconds for current calls, and closes the store.
    pub async fn shutdown(self) {
        let Self { server, store: _store, .. } = self;
        server.shutdown().await;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.local_addr()).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Serves on 127.0.0.1 at a free port.
    ///
    /// # Errors
    ///
    /// Returns [`EmulatorError::Listen`].
    pub async fn start(self) -> Result<Running, EmulatorError> {
        self.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Serves on an address. Connections are not encrypted, and callers are authenticated only with
    /// [`Builder::auth`](super::Builder::auth), so be careful with addresses other than loopback.
    ///
    /// # Errors
    ///
    /// Returns [`EmulatorError::Listen`].
    pub async fn listen(self, address: SocketAddr) -> Result<Running, EmulatorError> {
        let failed = |source| EmulatorError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let store = CloseOnDrop(Arc::clone(&self.api.store));
        let serving = self.prepare()?;
        let gate = Arc::clone(&serving.gate);
        let server = RunningServer::start(address, |stopped| serving.serve(listener, stopped));
        Ok(Running { gate, server, store })
    }

    /// Serves on a listener until `shutdown` completes and current calls finish, which may take up to ten
    /// seconds; then closes the store.
    ///
    /// # Errors
    ///
    /// Returns [`EmulatorError::Serve`].
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), EmulatorError> {
        let _store = CloseOnDrop(Arc::clone(&self.api.store));
        self.prepare()?.serve(listener, shutdown).await;
        Ok(())
    }

    /// Returns the services on both wires, with health checks and reflection, behind the gate.
    fn prepare(self) -> Result<Serving, EmulatorError> {
        let hosted = &self.hosted;
        let deployment = self.gate.deployment;
        let specs = hosted.iter().flat_map(|hosted| hosted.methods).copied();
        let kept = specs.clone().filter(|spec| deployment.has(spec));
        let health = ReportedHealth::new(kept.map(|spec| spec.service));
        let rest = RestFront::of(specs.collect())
            .registry(self.api.environment.types.clone())
            .keep(deployment);
        let sets = hosted.iter().map(|hosted| hosted.descriptors);
        let routes = introspection::routes(health.clone(), sets);
        let routes = routes.map_err(|error| EmulatorError::Serve {
            reason: format!("the descriptors cannot be reflected: {error}"),
        })?;
        let gate = Arc::new(Gate::new(self.gate, self.api, rest, routes));
        Ok(Serving { gate, health, notifier: self.notifier })
    }
}

/// An emulator that is ready to serve.
struct Serving {
    gate: Arc<Gate>,
    health: ReportedHealth,
    notifier: Notifier,
}

impl Serving {
    async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let shutdown = async {
            shutdown.await;
            self.health.stop();
        };
        let calls = front::calls(Arc::clone(&self.gate));
        let (handshake, here) = (Arc::new(Plain), Workers::default());
        let (limits, notifier) = (self.gate.settings.limits, &self.notifier);
        connections::serve(calls, listener, handshake, limits, here, notifier, shutdown).await;
    }
}

/// Closes the store even if the future is dropped.
struct CloseOnDrop(Arc<Store>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
