//! Serves an emulator over gRPC and REST.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tower::{ServiceBuilder, service_fn};

use super::Emulator;
use super::error::EmulatorError;
use super::faults::Faults;
use super::gate::{Gate, MAX_MESSAGE};
use super::log::Arrival;
use super::store::Store;
use crate::server::connections::{self, Calls, Plain};
use crate::server::{Reflection, RestFront, cors};
use crate::wkt::TypeRegistry;

/// Configures a service to accept large and compressed messages, and to compress for clients that accept it.
macro_rules! as_callers_like {
    ($service:expr) => {
        $service
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Deflate)
            .send_compressed(CompressionEncoding::Gzip)
    };
}

/// A running emulator.
///
/// Dropping it stops it at once: connections break, current calls get no response, and the data directory is
/// closed. [`shutdown`](Self::shutdown) lets calls finish.
pub struct Running {
    address: SocketAddr,
    gate: Arc<Gate>,
    // Fields are dropped in this order: first nothing is served any more.
    server: AbortOnDropHandle<()>,
    stop: oneshot::Sender<()>,
    store: CloseOnDrop,
}

impl Running {
    /// Returns the address on which the emulator listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL for a client, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the faults waiting for calls.
    pub fn faults(&self) -> &Faults {
        self.gate.faults()
    }

    /// Returns the 10,000 most recent requests, the oldest first.
    pub fn log(&self) -> Vec<Arrival> {
        self.gate.arrivals()
    }

    /// Revokes all access tokens, as a service may do at any time. Refresh tokens stay valid.
    pub fn revoke_access_tokens(&self) {
        self.gate.revoke();
    }

    /// Stops listening, waits up to ten seconds for current calls, and closes the store.
    pub async fn shutdown(self) {
        let Self { server, stop, store: _store, .. } = self;
        drop(stop);
        // An error means that the server panicked; its connections are gone then, too.
        let _ = server.await;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
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
        let (stop, stopped) = oneshot::channel::<()>();
        let (gate, calls) = self.services().await?;
        let store = CloseOnDrop(self.api.store);
        let server = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            connections::serve(
                calls,
                listener,
                Arc::new(Plain),
                self.gate.limits,
                &self.notifier,
                stopped,
            )
            .await;
        });
        let server = AbortOnDropHandle::new(server);
        Ok(Running { address, gate, server, stop, store })
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
        let (_, calls) = self.services().await?;
        connections::serve(
            calls,
            listener,
            Arc::new(Plain),
            self.gate.limits,
            &self.notifier,
            shutdown,
        )
        .await;
        Ok(())
    }

    /// Returns the services on both wires, with health checks and reflection, behind the gate.
    async fn services(&self) -> Result<(Arc<Gate>, Calls), EmulatorError> {
        let hosted = &self.hosted;
        let registry = hosted.iter().fold(TypeRegistry::default(), |all, one| (one.register)(all));
        let backends = hosted.iter().map(|hosted| hosted.backend(self.api.clone()));
        let rest = RestFront::new(backends).registry(registry).keep(self.gate.deployment);
        let (reporter, health) = tonic_health::server::health_reporter();
        for spec in self.api.methods.specs() {
            reporter.set_service_status(spec.service, ServingStatus::Serving).await;
        }
        let sets = hosted.iter().map(|hosted| hosted.descriptors);
        let reflected = sets.chain([tonic_health::pb::FILE_DESCRIPTOR_SET]);
        let reflection = Reflection::new(reflected).map_err(|error| EmulatorError::Serve {
            reason: format!("the descriptors cannot be reflected: {error}"),
        })?;
        let routes = Routes::new(as_callers_like!(health))
            .add_service(as_callers_like!(reflection.v1()))
            .add_service(as_callers_like!(reflection.v1alpha()))
            .prepare();
        let gate = Arc::new(Gate::new(self.gate.clone(), self.api.clone(), rest));
        let passed = Arc::clone(&gate);
        let calls = ServiceBuilder::new()
            .option_layer(cors::layer(&self.gate.origins))
            .service(service_fn(move |request| Arc::clone(&passed).pass(routes.clone(), request)));
        Ok((gate, Calls::new(calls)))
    }
}

/// Closes the store even if the future is dropped.
struct CloseOnDrop(Arc<Store>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
