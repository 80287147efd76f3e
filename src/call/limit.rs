//! Which requests the rate limit counts, and what their responses mean to it.

use std::time::SystemTime;

use http::HeaderMap;
use tonic::Code;

use crate::error::{Error, ErrorKind};
use crate::rate_limiter::{Outcome, RateLimiter};
use crate::transport::{Link, Reply, retry_after};

/// The rate limit, and which requests need its permits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limit {
    pub(crate) limiter: Option<RateLimiter>,
    /// Whether only requests over REST need one: the limit is ESET's, and no caller asked for it.
    pub(crate) is_for_rest: bool,
}

impl Limit {
    /// Returns the limiter for the requests of one wire.
    pub(super) fn of(&self, link: &Link) -> Option<&RateLimiter> {
        self.limiter.as_ref().filter(|_| !self.is_for_rest || link.is_rest())
    }
}

/// Returns the outcome of a request for the rate limit; `None` if there was no response. Such a request
/// counts too, since it may have arrived.
pub(super) fn outcome(result: &Result<Reply, Error>, now: SystemTime) -> Option<Outcome> {
    let error = match result {
        Ok(reply) if reply.pending_id().is_some() => return Some(Outcome::Pending),
        Ok(_) => return Some(Outcome::Answered),
        Err(error) => error,
    };
    let headers = error.metadata().as_ref();
    match (error.http_status(), error.kind()) {
        (Some(status), _) => Some(of_status(status, headers, now)),
        (None, ErrorKind::Status) => Some(match error.code() {
            Code::ResourceExhausted => Outcome::Refused { retry_after: retry_after(headers, now) },
            Code::Unavailable => Outcome::Overloaded,
            _ => Outcome::Answered,
        }),
        (None, ErrorKind::Limit) => Some(Outcome::Answered),
        (None, _) => None,
    }
}

fn of_status(status: u16, headers: &HeaderMap, now: SystemTime) -> Outcome {
    match status {
        202 => Outcome::Pending,
        429 => Outcome::Refused { retry_after: retry_after(headers, now) },
        // Not 500, which is usually about a single call rather than the service.
        502..=504 => Outcome::Overloaded,
        _ => Outcome::Answered,
    }
}
