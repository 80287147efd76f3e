//! What a client has for all of its calls.

use std::sync::Arc;
use std::time::Duration;

use super::{RetryPolicy, RetryThrottle};
use crate::backoff::Jitter;
use crate::timer::{Timer, TokioTimer};
use crate::transport::Limit;

/// What stands above a single attempt, shared by all clones of a client.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) jitter: Jitter,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) throttle: RetryThrottle,
    pub(crate) limit: Limit,
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
        }
    }
}
