//! Limits each request of a call: a permit of the rate limiter, and a timeout.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tracing::Instrument;

use super::limit::{Limit, outcome};
use crate::error::Error;
use crate::pending::of_poll;
use crate::rate_limiter::{Permit, Priority};
use crate::telemetry::{self, Sending};
use crate::timer::{Timer, within};
use crate::transport::{Link, Outgoing, Reply, Request, SentSecrets};

/// The limits of each request of a call.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) timer: Arc<dyn Timer>,
    pub(super) limit: Limit,
    /// The deadline of the call. The call enforces it; here it is for the server and the permit.
    pub(super) deadline: Instant,
    /// The timeout of one request.
    pub(super) timeout: Option<Duration>,
    /// Whose call it is.
    pub(super) flow: Option<Arc<str>>,
}

/// The next request of a call: an attempt, or a poll for its pending response.
pub(super) struct NextRequest<'a> {
    pub(super) outgoing: &'a Outgoing<'a>,
    pub(super) number: u32,
    /// The pending response to poll, and the number of previous polls.
    pub(super) pending_id: Option<&'a HeaderValue>,
    pub(super) polls: u32,
}

impl Bounds {
    /// Returns a copy with this timeout for one request, which is always shorter than the call's, so that the
    /// request fails rather than the call: only the request knows what was sent.
    #[cfg(feature = "rest")]
    pub(super) fn at_most(&self, timeout: Duration) -> Self {
        let time = self.timeout.unwrap_or(Duration::MAX).min(self.left());
        let timeout = timeout.min(time / 10 * 9);
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// Returns the remaining time of the call.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(self.timer.now())
    }

    /// Sends a request once, when it has its permit, decodes the response and returns the reply.
    pub(super) async fn send(
        &self,
        link: &Link,
        headers: &mut HeaderMap,
        next: &NextRequest<'_>,
    ) -> Result<Reply, Error> {
        let of_request = |error| of_poll(error, next.pending_id);
        let permit = self.permit(link, next.pending_id.is_some()).await.map_err(of_request)?;
        let sending = Sending::attempt(next.outgoing.spec(), next.number);
        let attempt = link.begin(next.outgoing, sending, next.polls);
        // Polls for a pending response are the same request with the same trace context.
        if next.polls == 0 {
            attempt.inject(headers);
        }
        let secrets = SentSecrets::new(headers);
        let left = self.left();
        let timeout = self.timeout.filter(|timeout| *timeout < left);
        let request = Request {
            outgoing: next.outgoing,
            metadata: MetadataMap::from_headers(headers.clone()),
            timeout: timeout.unwrap_or(left),
            is_bounded: timeout.is_some(),
            attempt: next.number,
            pending_id: next.pending_id,
            secrets: &secrets,
        };
        let reply = {
            let reply = link.send(request).instrument(attempt.span());
            match timeout {
                Some(timeout) => self.timed(timeout, reply).await.unwrap_or_else(Err),
                None => reply.await,
            }
        };
        let reply = reply.and_then(|reply| next.outgoing.decode(&reply).map(|()| reply));
        // Telemetry reads parts of it before the caller does.
        let mut reply = reply.map_err(|error| of_request(error).redacted(secrets.get()));
        if let Ok(reply) = &mut reply {
            secrets.redact_request_id(reply.headers_mut());
        }
        attempt.end(reply.as_ref().map(|reply| (reply.http_status(), reply.headers())));
        if let Some(permit) = permit
            && let Some(outcome) = outcome(&reply, self.timer.system_time())
        {
            permit.end(self.timer.now(), outcome);
        }
        reply
    }

    async fn permit(&self, link: &Link, is_poll: bool) -> Result<Option<Permit>, Error> {
        let Some(limiter) = self.limit.of(link) else { return Ok(None) };
        let priority = if is_poll { Priority::Pending } else { Priority::New };
        let since = self.timer.now();
        let flow = self.flow.as_deref();
        let permit = limiter.acquire(priority, flow, &*self.timer, self.deadline).await;
        let waited = self.timer.now().saturating_duration_since(since);
        telemetry::rate_limited(waited, permit.is_ok());
        permit.map(Some)
    }

    /// Applies the timeout to a request.
    async fn timed<F: Future>(&self, timeout: Duration, request: F) -> Result<F::Output, Error> {
        within(&*self.timer, timeout, request).await.ok_or_else(|| {
            let message = format!("no response within {timeout:?}, the timeout of one attempt");
            Error::deadline(message).transient()
        })
    }
}
