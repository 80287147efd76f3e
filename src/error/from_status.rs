//! Errors of those who bring their own credentials.

use prost::Message;
use tonic::{Code, Status};

use super::{Error, ErrorKind};
use crate::proto::google::rpc;

/// The error of a service that answered so, for [`Credentials`](crate::auth::Credentials) and
/// [`TokenProvider`](crate::auth::TokenProvider)s of one's own: `UNAUTHENTICATED` is a login that was
/// refused, `UNAVAILABLE` one that may succeed a little later. `OK` is no error and becomes `UNKNOWN`.
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
        // What cannot be decoded was never meant for us; the code and the message stand without it.
        let details = rpc::Status::decode(status.details()).map(|status| status.details);
        Self::new(ErrorKind::Status, code, status.message())
            .with_details(details.unwrap_or_default())
            .with_metadata(status.metadata().clone())
            .with_source(status)
    }
}
