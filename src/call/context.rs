//! Settings for all calls of a client.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tonic::metadata::MetadataMap;

use super::bounds::Bounds;
use super::deployed::Deployed;
#[cfg(feature = "rest")]
use super::wire_choice::WireChoice;
use super::{Limit, RetryPolicy, RetryThrottle};
use crate::auth::Credentials;
use crate::backoff::Jitter;
use crate::error::Error;
use crate::pending::PendingPolicy;
use crate::rpc::MethodSpec;
use crate::timer::{Timer, TokioTimer};
use crate::transport::Link;
#[cfg(feature = "serve")]
use crate::transport::MessageLimit;
use crate::wkt::TypeRegistry;

/// The settings for all calls of a client, shared by its clones.
pub(crate) struct CallContext {
    /// The server as shown to users.
    pub(crate) target: String,
    #[cfg(feature = "serve")]
    pub(crate) message_limit: MessageLimit,
    pub(crate) links: Links,
    /// Which RPCs the server has.
    pub(crate) deployed: Deployed,
    /// The default timeout of a call.
    pub(crate) timeout: Duration,
    pub(crate) credentials: Option<Arc<dyn Credentials>>,
    pub(crate) policy: Policy,
    /// The metadata to send with every call.
    pub(crate) metadata: MetadataMap,
    pub(crate) interceptors: Vec<Interceptor>,
    /// The types of `Any`s in JSON.
    pub(crate) type_registry: TypeRegistry,
}

/// Changes the metadata of each attempt.
pub(crate) type Interceptor =
    Arc<dyn Fn(&'static MethodSpec, &mut MetadataMap) -> Result<(), Error> + Send + Sync>;

/// The wires of a client.
pub(crate) enum Links {
    /// This one.
    One(Link),
    /// Whichever the server supports.
    #[cfg(feature = "rest")]
    Auto(WireChoice),
}

impl Links {
    /// Returns the wire, if known.
    pub(super) fn likely(&self) -> &Link {
        match self {
            Self::One(link) => link,
            #[cfg(feature = "rest")]
            Self::Auto(choice) => choice.likely(),
        }
    }

    /// Returns the wire of an attempt, which may poll for a pending response.
    #[cfg_attr(not(feature = "rest"), allow(unused_variables))]
    pub(super) async fn choose(
        &self,
        bounds: &Bounds,
        headers: &HeaderMap,
        is_pending: bool,
    ) -> Result<&Link, Error> {
        match self {
            Self::One(link) => Ok(link),
            // A pending response is on the wire where the call started.
            #[cfg(feature = "rest")]
            Self::Auto(choice) if is_pending => Ok(choice.rest()),
            #[cfg(feature = "rest")]
            Self::Auto(choice) => choice.choose(bounds, headers).await,
        }
    }

    /// Records how an attempt failed.
    #[cfg_attr(not(feature = "rest"), allow(unused_variables))]
    pub(super) fn failed(&self, error: &Error) {
        match self {
            Self::One(_) => {}
            #[cfg(feature = "rest")]
            Self::Auto(choice) => choice.failed(error),
        }
    }

    /// Returns another wire if the error shows that the server does not support this one.
    #[cfg_attr(not(feature = "rest"), allow(unused_variables))]
    pub(super) fn other(&self, link: &Link, error: &Error) -> Option<&Link> {
        match self {
            Self::One(_) => None,
            #[cfg(feature = "rest")]
            Self::Auto(choice) => choice.other(link, error),
        }
    }
}

/// The limits and retries for the attempts of a call.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) jitter: Jitter,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) throttle: RetryThrottle,
    pub(crate) limit: Limit,
    pub(crate) pending: PendingPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timer: Arc::new(TokioTimer),
            jitter: Jitter::default(),
            attempt_timeout: None,
            retry: RetryPolicy::default(),
            throttle: RetryThrottle::default(),
            limit: Limit::default(),
            pending: PendingPolicy::default(),
        }
    }
}
