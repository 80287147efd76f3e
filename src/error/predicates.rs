//! What a caller can do about an error.

use tonic::Code;

use super::{Error, ErrorKind};

/// Predicates for callers.
impl Error {
    /// The service does not have this resource. The call did not take effect. Do not repeat it.
    pub fn is_not_found(&self) -> bool {
        self.code() == Code::NotFound
    }

    /// The resource to create already exists. The call did not take effect.
    pub fn is_already_exists(&self) -> bool {
        self.code() == Code::AlreadyExists
    }

    /// The request is invalid regardless of the state of the service; the details name the fields. The call
    /// did not take effect. Fix the request.
    pub fn is_invalid_argument(&self) -> bool {
        self.code() == Code::InvalidArgument
    }

    /// The state of the service does not allow the call. The call did not take effect. Repeating it does not
    /// help until the state changes.
    pub fn is_failed_precondition(&self) -> bool {
        self.code() == Code::FailedPrecondition
    }

    /// The credentials are missing, wrong or expired. The call did not take effect. Log in again.
    pub fn is_unauthenticated(&self) -> bool {
        self.code() == Code::Unauthenticated
    }

    /// The caller is authenticated but lacks permission. The call did not take effect.
    pub fn is_permission_denied(&self) -> bool {
        self.code() == Code::PermissionDenied
    }

    /// The deadline of the call expired, here or at the service. The call may have run: check before you
    /// repeat a call that is not idempotent.
    pub fn is_deadline_exceeded(&self) -> bool {
        self.code() == Code::DeadlineExceeded
    }

    /// The service is currently unreachable. Repeat the call later, unless
    /// [`may_have_executed`](Self::may_have_executed) is true and the call is not idempotent.
    pub fn is_unavailable(&self) -> bool {
        self.code() == Code::Unavailable
    }

    /// A message exceeds a limit of this client. The message says which one and how to raise it.
    pub fn is_limit_exceeded(&self) -> bool {
        self.kind() == ErrorKind::Limit
    }

    /// The same call may succeed a little later: the service is unreachable or reports that it is unavailable
    /// (AIP-194), it refused the call because of its rate limit (429), or an attempt took too long. An
    /// untrusted certificate does not count, since it will be just as untrusted next time. The client has
    /// already retried if that was safe ([`RetryPolicy`](crate::RetryPolicy)), that is, if the RPC is
    /// idempotent or [`may_have_executed`](Self::may_have_executed) is false, and ran out of attempts or
    /// time.
    pub fn is_retryable(&self) -> bool {
        if let Some(known) = self.0.is_retryable {
            return known;
        }
        match self.kind() {
            ErrorKind::Config | ErrorKind::Limit => false,
            ErrorKind::Connect => true,
            _ => match self.code() {
                Code::Unavailable => true,
                // There are many kinds of quotas; ESET's recovers within a second (FACTS.md#rate-limit).
                Code::ResourceExhausted => self.kind() == ErrorKind::Status,
                _ => false,
            },
        }
    }

    /// The call was one of too many: the service, or a gateway before it, refused it under a rate limit (429, or
    /// `RESOURCE_EXHAUSTED` that [may be retried](Self::is_retryable)). The client has waited and tried again until
    /// its deadline ([`RetryPolicy`](crate::RetryPolicy)). Unless [`may_have_executed`](Self::may_have_executed) says
    /// otherwise, make fewer calls at once and repeat this one after [`retry_after`](Self::retry_after).
    pub fn is_rate_limited(&self) -> bool {
        let is_limit = self.code() == Code::ResourceExhausted || self.http_status() == Some(429);
        is_limit && self.is_retryable()
    }

    /// Whether the call may have run. If so, do not repeat a call that is not idempotent without checking
    /// first.
    pub fn may_have_executed(&self) -> bool {
        if let Some(known) = self.0.may_have_executed {
            return known;
        }
        match self.kind() {
            ErrorKind::Config | ErrorKind::Connect => false,
            ErrorKind::Transport | ErrorKind::Deadline => true,
            // A response that is too large was received; a request that is too large was not sent.
            ErrorKind::Limit => self.code() == Code::OutOfRange,
            ErrorKind::Status => !matches!(
                self.code(),
                Code::InvalidArgument
                    | Code::NotFound
                    | Code::AlreadyExists
                    | Code::PermissionDenied
                    | Code::ResourceExhausted
                    | Code::FailedPrecondition
                    | Code::OutOfRange
                    | Code::Unimplemented
                    | Code::Unauthenticated
            ),
        }
    }
}
