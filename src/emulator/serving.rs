//! Serving an emulator over gRPC and REST.

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

/// How long a shutdown waits for the calls that are at work.
const DRAIN: Duration = Duration::from_secs(10);

/// A service that takes large messages and compressed ones, and compresses for those who take that.
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

/// An emulator that is being served.
///
/// Dropping it stops it at once: connections break, calls at work get no answer, and the data
/// directory is closed. [`shutdown`](Self::shutdown) lets calls finish.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    api: Api,
    gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Running {
    /// The address that the emulator listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The address for a client, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The faults that wait for their calls.
    pub fn faults(&self) -> &Faults {
        self.gate.faults()
    }

    /// What arrived, the oldest first: the latest 10,000 requests.
    pub fn log(&self) -> Vec<Arrival> {
        self.gate.arrivals()
    }

    /// Makes all access tokens invalid, as a service may at any time. Refresh tokens stay.
    pub fn revoke_access_tokens(&self) {
        self.gate.revoke();
    }

    /// Stops listening, lets the calls at work finish, for ten seconds at most, and closes the store.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // An error says that the server has ended, which is what is wanted.
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
    /// Serves on 127.0.0.1, on a free port.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Listen`].
    pub async fn start(self) -> Result<Running, EmulatorError> {
        self.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Serves on an address. Nothing is encrypted, and callers are authenticated only with
    /// [`Builder::auth`](super::Builder::auth), so think before it is not a loopback one.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Listen`].
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

    /// Serves on a listener until `shutdown` is ready and the calls at work are finished, for ten
    /// seconds at most; then closes the store.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::Serve`].
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

/// Leaves no open store, also if the future is dropped.
struct CloseOnDrop(Api);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.store.close();
    }
}

/// The services of the emulator on both wires, with health and reflection, after the gate.
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
