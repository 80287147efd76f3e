//! The status that the server itself sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use tonic::Code;

/// The status that the server itself sent for one call. tonic has statuses of its own, for answers that it cannot
/// read, and does not tell them from the server's.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerStatus(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    status: OnceLock<Received>,
    is_cut: AtomicBool,
}

#[derive(Debug)]
struct Received {
    code: Code,
    /// It was the whole answer ("Trailers-Only").
    is_all: bool,
}

impl ServerStatus {
    /// The status of the server, if it came so far.
    pub(super) fn code(&self) -> Option<Code> {
        self.0.status.get().map(|status| status.code)
    }

    /// Whether the trailers came in the middle of a message. tonic passes over the beginning of it.
    pub(super) fn is_cut(&self) -> bool {
        self.0.is_cut.load(Ordering::Relaxed)
    }

    /// Notes that the trailers came in the middle of a message.
    pub(super) fn set_cut(&self) {
        self.0.is_cut.store(true, Ordering::Relaxed);
    }

    /// Whether the server had begun to answer before it sent its status.
    pub(super) fn is_begun(&self) -> bool {
        self.0.status.get().is_some_and(|status| !status.is_all)
    }

    pub(super) fn read(&self, headers: &HeaderMap, is_all: bool) {
        if let Some(value) = headers.get("grpc-status") {
            // The first one counts.
            let _ =
                self.0.status.set(Received { code: Code::from_bytes(value.as_bytes()), is_all });
        }
    }
}
