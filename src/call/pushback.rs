//! What the service says about retries.

use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::proto::google::rpc::RetryInfo;
use crate::transport::retry_after;

/// What the service says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushback {
    /// Nothing.
    None,
    /// Wait at least this long; the client's own backoff may be longer.
    AtLeast(Duration),
    /// Wait exactly this long (gRFC A6).
    Exactly(Duration),
    /// Do not retry (gRFC A6).
    Never,
}

impl Pushback {
    /// Reads `grpc-retry-pushback-ms`, `google.rpc.RetryInfo` and `Retry-After`.
    pub(super) fn of(error: &Error, now: SystemTime) -> Self {
        let metadata = error.metadata();
        if let Some(value) = metadata.get("grpc-retry-pushback-ms") {
            // Negative and unparsable values both mean "do not retry".
            let millis = value.to_str().ok().and_then(|text| text.trim().parse::<i32>().ok());
            return match millis.map(u64::try_from) {
                Some(Ok(millis)) => Self::Exactly(Duration::from_millis(millis)),
                _ => Self::Never,
            };
        }
        let info = error.detail::<RetryInfo>().and_then(|info| info.retry_delay);
        let info = info.and_then(|delay| Duration::try_from(delay).ok());
        // `None` is less than any wait.
        info.max(retry_after(metadata.as_ref(), now)).map_or(Self::None, Self::AtLeast)
    }

    /// Returns how long the service asks to wait.
    pub(super) fn wait(self) -> Option<Duration> {
        match self {
            Self::AtLeast(wait) | Self::Exactly(wait) => Some(wait),
            Self::None | Self::Never => None,
        }
    }
}
