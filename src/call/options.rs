//! What a caller can say about one call.

use std::fmt;
use std::time::Duration;

use http::HeaderName;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};

use super::RetryPolicy;
use crate::error::Error;

/// Headers that say how a message is framed and where it goes. Whoever set one could make two requests
/// of one.
const PROTOCOL: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header belongs to the protocol.
pub(super) fn is_of_protocol(name: &HeaderName) -> bool {
    PROTOCOL.contains(&name.as_str())
}

/// Options of one call. What is not set here is as the client was built.
///
/// # How the times combine
///
/// Every call has one deadline, reckoned from when it is awaited. All it does ends by then:
///
/// | what | takes of the time | is bounded by |
/// |---|---|---|
/// | the call | all of it | [`timeout`](Self::timeout), else [`ClientBuilder::timeout`](crate::ClientBuilder::timeout); a year at most |
/// | a token: the login, its own pending answers, its rests after a failure | what is left | the deadline |
/// | its turn under the rate limit | what is left | the deadline: a turn that would come too late fails at once |
/// | connecting | what is left | the deadline and [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout), whichever is sooner |
/// | an attempt: one request and its answer | what is left | the deadline and [`attempt_timeout`](Self::attempt_timeout), whichever is sooner; the server is told as `grpc-timeout` |
/// | a pause before asking again for a pending answer (202) | what is left | the deadline and [`ClientBuilder::pending_limit`](crate::ClientBuilder#method.pending_limit), by default 120 s |
/// | a backoff, a wait that the service asks for | what is left | the deadline: one that would end too late is not begun, and the call fails with the service's error |
///
/// | set | a call that gets no answer |
/// |---|---|
/// | neither | fails when the client's timeout has passed, with one attempt |
/// | `timeout` 10 s | fails after 10 s, with one attempt |
/// | `timeout` 10 s, `attempt_timeout` 3 s | if it is idempotent, is sent at 0 s, 3 s, 6 s and 9 s, a backoff between them, and fails after 10 s; if it is not, fails after 3 s |
/// | `timeout` 10 s, `attempt_timeout` 30 s | fails after 10 s, with one attempt |
/// | `timeout` 0, or `attempt_timeout` 0 | fails at once; nothing is sent |
#[derive(Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
    metadata: Vec<(String, String)>,
}

impl CallOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the call may take, connecting, waiting, retries and all. What is left of it travels
    /// to the server as `grpc-timeout`, and a call that is not done by then is a `DEADLINE_EXCEEDED`
    /// error. By default the client's, see [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how long one attempt may take, of the time that the call has. An idempotent call is then tried
    /// again; another fails with `DEADLINE_EXCEEDED`. By default the client's, see
    /// [`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout).
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Sets when the call is tried again. By default as for the client, see
    /// [`ClientBuilder::retry`](crate::ClientBuilder::retry).
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Adds metadata, which is a header on the wire. A key or value that cannot be one makes the call
    /// fail before anything is sent; so does a key that belongs to the protocol, such as
    /// `content-length`. A call with its own `authorization` does not get that of the client.
    ///
    /// No value is ever shown by this crate. Where an answer quotes one, it is `[redacted]` in the error if the
    /// key has `auth`, `cookie`, `credential`, `key`, `passwd`, `password`, `secret`, `session`, `signature` or
    /// `token` in it.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    pub(super) fn attempt_timeout_or(&self, default: Option<Duration>) -> Option<Duration> {
        self.attempt_timeout.or(default)
    }

    pub(super) fn retry_or(&self, default: RetryPolicy) -> RetryPolicy {
        self.retry.unwrap_or(default)
    }

    /// Adds what was set.
    pub(super) fn add_to(&self, map: &mut MetadataMap) -> Result<(), Error> {
        for (key, value) in &self.metadata {
            let name = AsciiMetadataKey::from_bytes(key.as_bytes()).map_err(|_| {
                Error::config(format!(
                    "metadata: expected a key of a-z, 0-9, `-`, `_` and `.` that does not end with \
                     `-bin`, found {key:?}"
                ))
            })?;
            if PROTOCOL.contains(&name.as_str()) {
                return Err(Error::config(format!("metadata: {key:?} belongs to the protocol")));
            }
            // The value may be a secret, so it is not shown.
            let mut value = AsciiMetadataValue::try_from(value.as_str()).map_err(|_| {
                Error::config(format!("metadata {key:?}: expected visible ASCII as its value"))
            })?;
            value.set_sensitive(true);
            map.append(name, value);
        }
        Ok(())
    }
}

impl fmt::Debug for CallOptions {
    /// Shows the keys of the metadata, not the values: they may be secrets.
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
