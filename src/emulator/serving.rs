//! Serves an emulator over gRPC and REST.

mod accept;
mod activity;
mod calls;
mod connection;
mod limits;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::ServingStatus;

use self::calls::Calls;
pub use self::limits::ConnectionLimits;
use super::Emulator;
use super::api::Api;
use super::error::EmulatorError;
use super::faults::Faults;
use super::gate::{Gate, Gated, MAX_MESSAGE, Settings};
use super::hosted::Hosted;
use super::log::Arrival;
use crate::server::{Reflection, RestFront};
use crate::wkt::TypeRegistry;

/// How long a shutdown waits for current calls.
const DRAIN: Duration = Duration::from_secs(10);

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
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    api: Api,
    gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
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
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the server has already ended.
            let _ = stop.send(());
        }
        let _ = tokio::time::timeout(DRAIN, &mut self.server).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
        self.api.store.close();
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
        let api = self.api.clone();
        let (limits, notices) = (self.gate.limits, self.notices);
        let calls = calls(&self.api, &self.hosted, self.gate).await?;
        let gate = Arc::clone(calls.gate());
        let server = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            accept::serve(calls, listener, limits, &notices, stopped).await;
        });
        Ok(Running { address, api, gate, stop: Some(stop), server })
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
        let _store = CloseOnDrop(self.api.clone());
        let (drain, drained) = oneshot::channel::<()>();
        let shutdown = async {
            shutdown.await;
            drop(drain);
        };
        let overdue = async {
            let _ = drained.await;
            tokio::time::sleep(DRAIN).await;
        };
        let limits = self.gate.limits;
        let calls = calls(&self.api, &self.hosted, self.gate).await?;
        tokio::select! {
            () = accept::serve(calls, listener, limits, &self.notices, shutdown) => {}
            () = overdue => {}
        }
        Ok(())
    }
}

/// Closes the store even if the future is dropped.
struct CloseOnDrop(Api);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.store.close();
    }
}

/// Returns the emulator's services on both wires, with health checks and reflection, behind the gate.
async fn calls(api: &Api, hosted: &[Hosted], settings: Settings) -> Result<Calls, EmulatorError> {
    let registry = hosted.iter().fold(TypeRegistry::default(), |all, one| (one.register)(all));
    let backends = hosted.iter().map(|hosted| hosted.backend(api.clone()));
    let rest = RestFront::new(backends).registry(registry);
    let (reporter, health) = tonic_health::server::health_reporter();
    for spec in api.methods.specs() {
        reporter.set_service_status(spec.service, ServingStatus::Serving).await;
    }
    let sets = hosted.iter().map(|hosted| hosted.descriptors);
    let reflected = sets.chain([tonic_health::pb::FILE_DESCRIPTOR_SET]);
    let reflection = Reflection::new(reflected).map_err(|error| EmulatorError::Serve {
        reason: format!("the descriptors cannot be reflected: {error}"),
    })?;
    let routes = Routes::new(as_callers_like!(health))
        .add_service(as_callers_like!(reflection.v1()))
        .add_service(as_callers_like!(reflection.v1alpha()));
    let cors = super::cors::layer(&settings.origins);
    let gate = Arc::new(Gate::new(settings, api.clone(), rest));
    Ok(Calls::new(Gated { gate, routes: routes.prepare() }, cors))
}
