//! Converts errors from and to tonic's status.

use std::sync::Arc;

use prost::Message;
use tonic::{Code, Status};

use super::{Error, ErrorKind};
use crate::headers::metadata;
use crate::proto::google::rpc;

/// Treats the status as the response of a service. For your own [`Credentials`](crate::auth::Credentials) and
/// [`TokenProvider`](crate::auth::TokenProvider)s: `UNAUTHENTICATED` means that the login was refused,
/// `UNAVAILABLE` that it may succeed later. `OK` is not an error and becomes `UNKNOWN`. Of the metadata, it keeps what
/// [`Error::metadata`] says.
///
/// A [`Transport`](crate::transport::Transport) that knows that it sent nothing uses [`Error::not_sent`] instead.
///
/// ```
/// use eset_protect::Error;
/// use tonic::Status;
///
/// let error = Error::from(Status::unauthenticated("the vault is sealed"));
/// assert!(error.is_unauthenticated() && !error.is_retryable());
/// ```
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let code = match status.code() {
            Code::Ok => Code::Unknown,
            code => code,
        };
        // Ignores details that do not decode, since they were not meant for us; the code and message still
        // count.
        let details = rpc::Status::decode(status.details()).map(|status| status.details);
        Self::new(ErrorKind::Status, code, status.message())
            .with_details(details.unwrap_or_default())
            .with_metadata(metadata(status.metadata().clone().into_headers()))
            .with_source(status)
    }
}

impl Error {
    /// Creates the error of a request that was certainly not sent, of kind [`Connect`](ErrorKind::Connect): the call did
    /// not run, so it can be repeated whatever the RPC. For a [`Transport`](crate::transport::Transport) of your own that
    /// has no connection, and for tests.
    ///
    /// ```
    /// use eset_protect::Error;
    /// use tonic::Status;
    ///
    /// let error = Error::not_sent(Status::unavailable("the tunnel is closed"));
    /// assert!(error.is_retryable() && !error.may_have_executed());
    /// assert!(Error::from(Status::unavailable("overloaded")).may_have_executed());
    /// ```
    #[must_use]
    pub fn not_sent(status: Status) -> Self {
        let mut error = Self::from(status);
        error.0.kind = ErrorKind::Connect;
        error.unsent()
    }
}

/// Keeps the code, the message, the details and the metadata, and is its source. For servers that forward calls:
/// credentials are in none of them, see [`Error::message`] and [`Error::metadata`].
///
/// ```
/// use eset_protect::Error;
/// use tonic::{Code, Status};
///
/// let status = Status::from(Error::from(Status::not_found("no such task")));
/// assert_eq!((status.code(), status.message()), (Code::NotFound, "no such task"));
/// ```
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let details = match error.details() {
            [] => Vec::new(),
            details => {
                let (code, message) = (error.code().into(), error.message().to_owned());
                rpc::Status { code, message, details: details.to_vec() }.encode_to_vec()
            }
        };
        let (code, metadata) = (error.code(), error.metadata().clone());
        let mut status =
            Self::with_details_and_metadata(code, error.message(), details.into(), metadata);
        status.set_source(Arc::new(error));
        status
    }
}
