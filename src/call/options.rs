//! Options of a call.

use std::fmt;
use std::time::Duration;

use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};

use super::RetryPolicy;
use super::limit::Limit;
use crate::error::Error;
use crate::headers::is_of_protocol;
use crate::metadata_form;

/// Options of a call. Options that are not set have the client's values.
///
/// # How timeouts combine
///
/// Every call has a deadline, counted from when it is awaited. Everything that the call does ends by then:
///
/// | part | time used | limited by |
/// |---|---|---|
/// | the call | all of it | [`timeout`](Self::timeout), or else [`ClientBuilder::timeout`](crate::ClientBuilder::timeout); at most a year |
/// | a token: the login, its pending responses, pauses after failed logins | the remaining time | the deadline |
/// | waiting for the rate limit | the remaining time | the deadline: a call that would have to wait beyond it fails at once |
/// | connecting | the remaining time | the deadline or [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout), whichever is sooner |
/// | an attempt: one request and its response | the remaining time | the deadline or [`attempt_timeout`](Self::attempt_timeout), whichever is sooner; sent to the server as `grpc-timeout` |
/// | a pause before polling for a pending response (202) | the remaining time | the deadline and [`ClientBuilder::pending_limit`](crate::ClientBuilder#method.pending_limit), by default 120 s |
/// | a backoff, or a wait that the service asks for | the remaining time | the deadline: if it would end too late, the call fails at once with the service's error |
///
/// | set | without a response the call |
/// |---|---|
/// | neither | fails after the client's timeout, with one attempt |
/// | `timeout` 10 s | fails after 10 s, with one attempt |
/// | `timeout` 10 s, `attempt_timeout` 3 s | if idempotent, is sent at 0 s, 3 s, 6 s and 9 s plus backoff, and fails after 10 s; otherwise fails after 3 s |
/// | `timeout` 10 s, `attempt_timeout` 30 s | fails after 10 s, with one attempt |
/// | `timeout` 0, or `attempt_timeout` 0 | fails at once; nothing is sent |
#[derive(Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) retry: Option<RetryPolicy>,
    metadata: Vec<(String, String)>,
    /// Metadata of another call, which this one forwards.
    #[cfg(feature = "serve")]
    forwarded: http::HeaderMap,
    /// Whose call it is, for a fair share of the rate limit.
    #[cfg(feature = "serve")]
    flow: Option<std::sync::Arc<str>>,
    /// The limit of its credential, instead of the client's.
    #[cfg(feature = "serve")]
    limiter: Option<crate::rate_limiter::RateLimiter>,
}

impl CallOptions {
    /// Creates empty options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the timeout of the call, including connecting, waits and retries. The remaining time is sent to
    /// the server as `grpc-timeout`, and a call that is not done by then fails with `DEADLINE_EXCEEDED`. The
    /// default is the client's, see [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the timeout of a single attempt, within the time of the call. After it, an idempotent call is
    /// retried and any other fails with `DEADLINE_EXCEEDED`. The default is the client's, see
    /// [`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout).
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Sets when the call is retried. The default is the client's, see
    /// [`ClientBuilder::retry`](crate::ClientBuilder::retry).
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Adds metadata, which is sent as a header. If the key or value is not valid, or the key belongs to the
    /// protocol, the call fails before anything is sent. A call with its own `authorization` does not use the client's.
    ///
    /// These belong to the protocol: `accept-encoding`, `connection`, `content-encoding`, `content-length`,
    /// `content-type`, `expect`, `host`, `http2-settings`, `keep-alive`, `proxy-authorization`, `proxy-connection`,
    /// `response-id`, `te`, `trailer`, `transfer-encoding`, `upgrade`, and what begins with `grpc-`, except
    /// `grpc-trace-bin` and `grpc-tags-bin`.
    ///
    /// This crate never shows the value. If a response quotes it, the error contains `[redacted]` instead,
    /// provided that the key contains `auth`, `cookie`, `credential`, `key`, `passwd`, `password`, `secret`,
    /// `session`, `signature` or `token`.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds metadata of another call, without checking it.
    #[cfg(feature = "serve")]
    pub(crate) fn forwarded(mut self, metadata: MetadataMap) -> Self {
        self.forwarded = metadata.into_headers();
        self
    }

    /// Sets whose call it is. The rate limit is shared fairly between all for whom calls wait.
    #[cfg(feature = "serve")]
    pub(crate) fn flow(mut self, name: std::sync::Arc<str>) -> Self {
        self.flow = Some(name);
        self
    }

    /// Sets the limit of its credential, if the client has a limit.
    #[cfg(feature = "serve")]
    pub(crate) fn limiter(mut self, limiter: Option<crate::rate_limiter::RateLimiter>) -> Self {
        self.limiter = limiter;
        self
    }

    /// Returns the limit of the call.
    pub(super) fn limit_or(&self, limit: &Limit) -> Limit {
        #[cfg(feature = "serve")]
        if limit.limiter.is_some() && self.limiter.is_some() {
            return Limit { limiter: self.limiter.clone(), ..*limit };
        }
        limit.clone()
    }

    /// Returns whose call it is.
    pub(super) fn flow_name(&self) -> Option<std::sync::Arc<str>> {
        #[cfg(feature = "serve")]
        return self.flow.clone();
        #[cfg(not(feature = "serve"))]
        None
    }

    pub(crate) fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// Adds the metadata.
    pub(super) fn add_to(&self, map: &mut MetadataMap) -> Result<(), Error> {
        for (key, value) in &self.metadata {
            let name = AsciiMetadataKey::from_bytes(key.as_bytes()).map_err(|_| {
                Error::config(format!(
                    "metadata: expected a key of a-z, 0-9, `-`, `_` and `.` that does not end with \
                     `-bin`, found {key:?}"
                ))
            })?;
            if is_of_protocol(name.as_str()) {
                return Err(Error::config(format!("metadata: {key:?} belongs to the protocol")));
            }
            // Not included in the error: it may be a secret.
            let is_valid =
                metadata_form::is_text(value.as_bytes()) && value.trim_matches(' ') == value;
            let value = AsciiMetadataValue::try_from(value.as_str()).ok().filter(|_| is_valid);
            let mut value = value.ok_or_else(|| {
                Error::config(format!(
                    "metadata {key:?}: expected visible ASCII without spaces at its ends as its value"
                ))
            })?;
            value.set_sensitive(true);
            map.append(name, value);
        }
        #[cfg(feature = "serve")]
        if !self.forwarded.is_empty() {
            let mut headers = std::mem::take(map).into_headers();
            headers.extend(self.forwarded.clone());
            *map = MetadataMap::from_headers(headers);
        }
        Ok(())
    }
}

impl fmt::Debug for CallOptions {
    /// Shows the keys of the metadata but not the values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.metadata.iter().map(|(key, _)| key).collect();
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("retry", &self.retry)
            .field("metadata", &keys)
            .finish()
    }
}
