//! What the service says about a next attempt.

use std::time::{Duration, SystemTime};

use tonic::metadata::MetadataMap;

use crate::error::Error;
use crate::proto::google::rpc::RetryInfo;

/// What the service says about a next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushback {
    /// Nothing.
    None,
    /// Not before so long; the client's own backoff may be longer.
    AtLeast(Duration),
    /// After exactly so long (gRFC A6).
    Exactly(Duration),
    /// There shall be none (gRFC A6).
    Never,
}

impl Pushback {
    /// Reads `grpc-retry-pushback-ms`, `google.rpc.RetryInfo` and `Retry-After`.
    pub(super) fn of(error: &Error, now: SystemTime) -> Self {
        let metadata = error.metadata();
        if let Some(value) = metadata.get("grpc-retry-pushback-ms") {
            // Negative and unreadable both mean "do not".
            let millis = value.to_str().ok().and_then(|text| text.trim().parse::<i32>().ok());
            return match millis.map(u64::try_from) {
                Some(Ok(millis)) => Self::Exactly(Duration::from_millis(millis)),
                _ => Self::Never,
            };
        }
        let info = error.detail::<RetryInfo>().and_then(|info| info.retry_delay);
        let info = info.and_then(|delay| Duration::try_from(delay).ok());
        // `None` is less than any wait.
        info.max(retry_after(metadata, now)).map_or(Self::None, Self::AtLeast)
    }

    /// How long the service asks to wait.
    pub(super) fn wait(self) -> Option<Duration> {
        match self {
            Self::AtLeast(wait) | Self::Exactly(wait) => Some(wait),
            Self::None | Self::Never => None,
        }
    }
}

/// Seconds, or a date (RFC 9110, 10.2.3). One that is past means now; nonsense means nothing.
fn retry_after(metadata: &MetadataMap, now: SystemTime) -> Option<Duration> {
    let text = metadata.get("retry-after")?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
