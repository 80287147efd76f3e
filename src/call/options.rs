//! What a caller can say about one call.

use std::fmt;
use std::time::Duration;

use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};

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

/// Options of one call. What is not set here is as the client was built.
#[derive(Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    metadata: Vec<(String, String)>,
}

impl CallOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the call may take, connecting and all. It travels to the server as
    /// `grpc-timeout`, and a call that is not done by then is a `DEADLINE_EXCEEDED` error. By default
    /// the client's, see [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Adds metadata, which is a header on the wire. A key or value that cannot be one makes the call
    /// fail before anything is sent; so does a key that belongs to the protocol, such as
    /// `content-length`. A call with its own `authorization` does not get that of the client.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// Adds what was set.
    pub(crate) fn add_to(&self, map: &mut MetadataMap) -> Result<(), Error> {
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
            let value = AsciiMetadataValue::try_from(value.as_str()).map_err(|_| {
                Error::config(format!("metadata {key:?}: expected visible ASCII as its value"))
            })?;
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
            .field("metadata", &keys)
            .finish()
    }
}
