//! Serving an emulator over gRPC and REST.

mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::transport::Server;

use self::connection::{Connection, Phase};
use super::Emulator;
use super::core::Core;
use super::device_tasks::DeviceTasksService;
use super::error::EmulatorError;
use super::faults::Faults;
use super::gate::{Gate, Gated, Settings};
use super::log::Arrival;
use super::policies::PoliciesService;
use super::policy_assignments::PolicyAssignmentsService;
use crate::automation::v1::device_tasks_server::DeviceTasksServer;
use crate::policy_management::v2::policies_server::PoliciesServer;
use crate::policy_management::v2::policy_assignments_server::PolicyAssignmentsServer;
use crate::proto::FILE_DESCRIPTOR_SET;
use crate::server::{DeviceTasks, Policies, PolicyAssignments, Reflection, RestFront};

/// Largest message, in both directions.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Streams at once on a connection, and bytes of headers of one. HTTP/1.1 has hyper's own limits: 100
/// headers, which must come within 30 seconds.
const MAX_STREAMS: u32 = 1024;
const MAX_HEADERS: u32 = 64 * 1024;
/// A connection that is silent for so long is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a shutdown waits for the calls that are at work.
const DRAIN: Duration = Duration::from_secs(10);

/// An emulator that is being served.
///
/// Dropping it stops it at once: connections break, calls at work get no answer, and the data
/// directory is closed. [`shutdown`](Self::shutdown) lets calls finish.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    core: Core,
    gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    phase: watch::Sender<Phase>,
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
        self.phase.send_replace(Phase::Draining);
        if let Some(stop) = self.stop.take() {
            // An error says that the server has ended, which is what is wanted.
            let _ = stop.send(());
        }
        let _ = tokio::time::timeout(DRAIN, &mut self.server).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Broken);
        self.server.abort();
        self.core.store.close();
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
        let phase = watch::Sender::new(Phase::Serving);
        let core = self.core.clone();
        let connections = connections(listener, &phase);
        let gated = gated(&self.core, self.gate).await?;
        let gate = Arc::clone(&gated.gate);
        let server = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            // What fails here is single connections; there is nobody left to tell.
            let _ = serve(gated, connections, stopped).await;
        });
        Ok(Running { address, core, gate, stop: Some(stop), phase, server })
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
        let broken = BreakOnDrop(watch::Sender::new(Phase::Serving), self.core.clone());
        let mut drain = broken.0.subscribe();
        let shutdown = async {
            shutdown.await;
            broken.0.send_replace(Phase::Draining);
        };
        let overdue = async {
            if drain.wait_for(|phase| *phase == Phase::Draining).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(DRAIN).await;
        };
        let connections = connections(listener, &broken.0);
        let gated = gated(&self.core, self.gate).await?;
        tokio::select! {
            served = serve(gated, connections, shutdown) => {
                served.map_err(|error| EmulatorError::Serve { reason: error.to_string() })
            }
            () = overdue => Ok(()),
        }
    }
}

/// Leaves neither connections nor an open store, also if the future is dropped.
struct BreakOnDrop(watch::Sender<Phase>, Core);

impl Drop for BreakOnDrop {
    fn drop(&mut self) {
        self.0.send_replace(Phase::Broken);
        self.1.store.close();
    }
}

/// The services of the emulator on both fronts, with health and reflection, behind the gate.
async fn gated(core: &Core, settings: Settings) -> Result<Gated, EmulatorError> {
    let tasks = Arc::new(DeviceTasksService(core.clone()));
    let policies = Arc::new(PoliciesService(core.clone()));
    let assignments = Arc::new(PolicyAssignmentsService(core.clone()));
    let rest = RestFront::new([
        Arc::new(DeviceTasks::new(Arc::clone(&tasks))) as _,
        Arc::new(Policies::new(Arc::clone(&policies))) as _,
        Arc::new(PolicyAssignments::new(Arc::clone(&assignments))) as _,
    ])
    .map_err(|error| EmulatorError::Serve { reason: error.to_string() })?;
    let tasks = DeviceTasksServer::from_arc(tasks)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let policies = PoliciesServer::from_arc(policies)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let assignments = PolicyAssignmentsServer::from_arc(assignments)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<DeviceTasksServer<DeviceTasksService>>().await;
    reporter.set_serving::<PoliciesServer<PoliciesService>>().await;
    reporter.set_serving::<PolicyAssignmentsServer<PolicyAssignmentsService>>().await;

    let reflected = [FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET];
    let reflection = Reflection::new(reflected).map_err(|error| EmulatorError::Serve {
        reason: format!("the descriptors cannot be reflected: {error}"),
    })?;
    let routes = Routes::new(tasks)
        .add_service(policies)
        .add_service(assignments)
        .add_service(health)
        .add_service(reflection.v1())
        .add_service(reflection.v1alpha());
    let gate = Arc::new(Gate::new(settings, Arc::clone(&core.world), rest));
    Ok(Gated { gate, routes: routes.prepare() })
}

async fn serve(
    gated: Gated,
    connections: impl Stream<Item = std::io::Result<Connection>>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_HEADERS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .serve_with_incoming_shutdown(gated, connections, shutdown)
        .await
}

/// The connections that come in, each with `TCP_NODELAY`, until they are broken.
fn connections(
    listener: TcpListener,
    phase: &watch::Sender<Phase>,
) -> impl Stream<Item = std::io::Result<Connection>> + use<> {
    let phase = phase.subscribe();
    tokio_stream::wrappers::TcpListenerStream::new(listener).map(move |accepted| {
        let stream = accepted?;
        stream.set_nodelay(true)?;
        Ok(Connection::new(stream, &phase))
    })
}
