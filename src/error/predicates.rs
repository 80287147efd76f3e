//! What a caller can do about an error.

use tonic::Code;

use super::{Error, ErrorKind};

/// What a caller can do.
impl Error {
    /// The service has no such thing. Raised by the service; the call did not take effect. Do not
    /// repeat it.
    pub fn is_not_found(&self) -> bool {
        self.code() == Code::NotFound
    }

    /// What was to be created exists. The call did not take effect.
    pub fn is_already_exists(&self) -> bool {
        self.code() == Code::AlreadyExists
    }

    /// The request is wrong whatever the state of the service; see the details for the fields. The
    /// call did not take effect. Mend the request.
    pub fn is_invalid_argument(&self) -> bool {
        self.code() == Code::InvalidArgument
    }

    /// The state of the service does not allow the call. It did not take effect; repeating it does
    /// not help before the state has changed.
    pub fn is_failed_precondition(&self) -> bool {
        self.code() == Code::FailedPrecondition
    }

    /// No credentials, wrong ones or expired ones. The call did not take effect. Log in again.
    pub fn is_unauthenticated(&self) -> bool {
        self.code() == Code::Unauthenticated
    }

    /// The caller is known and may not do this. The call did not take effect.
    pub fn is_permission_denied(&self) -> bool {
        self.code() == Code::PermissionDenied
    }

    /// The deadline of the call has passed, here or at the service. The call may have run: look
    /// before repeating what is not idempotent.
    pub fn is_deadline_exceeded(&self) -> bool {
        self.code() == Code::DeadlineExceeded
    }

    /// The service cannot be reached now. Unless [`may_have_executed`](Self::may_have_executed) says
    /// otherwise, repeat the call later.
    pub fn is_unavailable(&self) -> bool {
        self.code() == Code::Unavailable
    }

    /// A message is over a limit of this client; the message says which and how to raise it.
    pub fn is_limit_exceeded(&self) -> bool {
        self.kind() == ErrorKind::Limit
    }

    /// The same call may succeed a little later: the service cannot be reached or says that it is
    /// unavailable (AIP-194), it refused a call of too many (429), or an attempt took too long. A
    /// certificate that is not to be trusted is the same the next time, so that is none. The client
    /// has tried again already if that was safe ([`RetryPolicy`](crate::RetryPolicy)), which is where the RPC
    /// is idempotent or [`may_have_executed`](Self::may_have_executed) is false, and ran out of attempts or
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
                // Quotas are of many kinds; ESET's is over in a second (FACTS.md#rate-limit).
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

    /// Nobody here can say that the call did not run. Do not repeat a call that is not idempotent
    /// before you have looked.
    pub fn may_have_executed(&self) -> bool {
        if let Some(known) = self.0.may_have_executed {
            return known;
        }
        match self.kind() {
            ErrorKind::Config | ErrorKind::Connect => false,
            ErrorKind::Transport | ErrorKind::Deadline => true,
            // An answer that is too large is an answer; a request that is too large was not sent.
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
