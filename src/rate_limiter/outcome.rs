//! The outcome of a request, as the rate limit sees it.

use std::time::Duration;

/// The outcome of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// A response, including errors of the caller.
    Answered,
    /// A pending response (202).
    Pending,
    /// Too many calls (429).
    Refused {
        /// The time that the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// The service is in trouble (50x).
    Overloaded,
}
