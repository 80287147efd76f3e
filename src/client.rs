//! The client: its configuration, and a handle per service.

mod builder;
#[cfg(feature = "automation")]
mod create_guard;
mod env;
#[cfg(feature = "serve")]
mod forward;
#[cfg(feature = "rest")]
mod raw;
mod target;
#[cfg(feature = "automation")]
mod task_watch;

use std::fmt;
use std::sync::Arc;

pub use builder::ClientBuilder;
#[cfg(feature = "automation")]
pub use create_guard::{Guarded, GuardedCreate};
#[doc(hidden)]
pub use env::duration;
#[cfg(feature = "serve")]
pub(crate) use env::groups::PREFIX;
#[cfg(feature = "serve")]
pub(crate) use env::table::{COMMAND, FILES, PATIENCE, SettingsTable};
#[cfg(feature = "serve")]
pub(crate) use env::timeout;
#[cfg(feature = "profiles")]
#[doc(hidden)]
pub use env::{Origin, Profile, Settings, groups::key, names};
#[cfg(feature = "rest")]
pub use target::Wire;
#[cfg(feature = "automation")]
pub use task_watch::{DeviceCounts, TaskProgress, TaskWatch};

use crate::call::{Bulk, BulkItems, Call, CallContext};
use crate::rate_limiter::RateLimiter;
use crate::rpc::{Deployment, PagedRpc, Rpc};
use crate::wkt::TypeRegistry;

/// A client of one server, or of ESET's cloud. Clones are cheap and share everything: connections, token,
/// rate limit and retry budget.
///
/// Calls need a tokio runtime with timers and I/O, as `#[tokio::main]` and `Builder::enable_all` make one. Outside of any
/// runtime, a call is an error of kind [`Config`](crate::ErrorKind::Config). In a runtime without timers or I/O, tokio
/// panics and says which of them to enable; it has no way to ask for them before.
///
/// ```no_run
/// # async fn run() -> Result<(), eset_protect::Error> {
/// let client = eset_protect::Client::connect("http://127.0.0.1:50051").await?;
/// let task = client.device_tasks().get_task("0b7f…").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    context: Arc<CallContext>,
}

impl Client {
    /// Returns the types that the client knows: those of
    /// [`ClientBuilder::type_registry`] and the crate's own. Over REST it
    /// [remembers](TypeRegistry::remember_enum_names) the names of enum values that the schema does not have.
    ///
    /// ```no_run
    /// # async fn run(client: eset_protect::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let task = client.device_tasks().get_task("0b7f…").await?;
    /// let json = client.type_registry().scope(|| serde_json::to_string(&task))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn type_registry(&self) -> &TypeRegistry {
        &self.context.type_registry
    }

    /// Creates a call of any RPC, for code that is generic over RPCs. Otherwise the handles are shorter, such
    /// as [`device_tasks`](Self::device_tasks).
    pub fn call<R: Rpc>(&self, request: R::Request) -> Call<R> {
        Call::new(self.context.clone(), request)
    }

    /// Makes many calls of one RPC concurrently; see [`Bulk`]. Accepts anything that converts into a request,
    /// such as UUIDs for `GetTask`.
    pub fn bulk<'a, R: Rpc>(
        &self,
        requests: impl IntoIterator<Item: Into<R::Request> + 'a, IntoIter: Send + 'a>,
    ) -> Bulk<'a, R> {
        Bulk::new(self.context.clone(), requests.into_iter().map(Into::into))
    }

    /// Fetches all items of many lists concurrently; see [`BulkItems`].
    pub fn bulk_items<'a, R: PagedRpc>(
        &self,
        requests: impl IntoIterator<Item: Into<R::Request> + 'a, IntoIter: Send + 'a>,
    ) -> BulkItems<'a, R> {
        BulkItems::new(self.context.clone(), requests.into_iter().map(Into::into))
    }

    /// Returns where ESET's services run for this client; `None` for one of a URL, whose server may have any RPC.
    ///
    /// A call of an RPC that the deployment does [not have](Deployment::has) fails with `UNIMPLEMENTED`, and
    /// nothing is sent. The client does not know the version of an On-Prem server. It assumes the
    /// [newest](Deployment::ON_PREM), and where ESET renamed a path that the server does not know, it uses the older one.
    pub fn deployment(&self) -> Option<Deployment> {
        self.context.deployed.deployment
    }

    /// Returns the rate limiter of this client, if it has one, with the current rate and the number of
    /// waiting calls.
    pub fn rate_limiter(&self) -> Option<&RateLimiter> {
        self.context.policy.limit.limiter.as_ref()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("target", &self.context.target)
            .field("timeout", &self.context.timeout)
            .finish_non_exhaustive()
    }
}

include!(concat!(env!("OUT_DIR"), "/handles.rs"));
