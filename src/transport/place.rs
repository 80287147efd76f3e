//! Which errors say where a server or a proxy is.

use super::error_chain::find;
use super::proxy::ProxyError;
use crate::error::{Error, ErrorKind};

/// Whether the message of an error may name the server or proxy to which there is no connection, or the one that broke
/// it. The errors that an attempt before it left in the sources are not meant.
pub(crate) fn names_a_place(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect => true,
        // Of a proxy's variable.
        ErrorKind::Config => find::<ProxyError>(error).is_some(),
        ErrorKind::Transport => is_of_rest(error),
        ErrorKind::Deadline | ErrorKind::Limit | ErrorKind::Status => false,
    }
}

/// Whether a request over REST got no response.
fn is_of_rest(error: &Error) -> bool {
    #[cfg(feature = "rest")]
    return find::<hyper_util::client::legacy::Error>(error).is_some();
    #[cfg(not(feature = "rest"))]
    {
        let _ = error;
        false
    }
}
