//! The client: what is configured once, and a handle per service.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::ClientBuilder;

use crate::call::Call;
use crate::error::Error;
use crate::rpc::Rpc;
use crate::transport::grpc::GrpcTransport;

/// A client of one server. Cloning it is cheap and the clones share their connection.
///
/// ```no_run
/// # async fn run() -> Result<(), eset_protect::Error> {
/// let client = eset_protect::Client::connect("http://127.0.0.1:50051").await?;
/// let task = client.device_tasks().get_task("0b7f…").await?.task;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: String,
    transport: GrpcTransport,
    timeout: Duration,
}

impl Client {
    /// Connects to a gRPC server, such as `http://127.0.0.1:50051` or `https://eset.example:443`, with
    /// the default configuration.
    ///
    /// # Errors
    ///
    /// If the endpoint is not one, or cannot be connected.
    pub async fn connect(endpoint: &str) -> Result<Self, Error> {
        Self::builder(endpoint).connect().await
    }

    /// Configures a client for a gRPC server.
    pub fn builder(endpoint: &str) -> ClientBuilder {
        ClientBuilder::new(endpoint)
    }

    /// A call of any RPC. The handles, such as [`device_tasks`](Self::device_tasks), are shorter; this
    /// is for code that is generic over RPCs.
    pub fn call<R: Rpc>(&self, request: R::Request) -> Call<R> {
        Call::new(self.clone(), request)
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    pub(crate) fn transport(&self) -> &GrpcTransport {
        &self.inner.transport
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.inner.endpoint)
            .field("timeout", &self.inner.timeout)
            .finish_non_exhaustive()
    }
}

include!(concat!(env!("OUT_DIR"), "/handles.rs"));
