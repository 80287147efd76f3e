//! Counters and histograms, through the `metrics` facade. Without the feature `metrics`, nothing is recorded and no
//! label is computed.

use std::time::Duration;

use tonic::Code;

use super::Server;
use crate::rpc::MethodSpec;

const DURATION: &str = "rpc.client.call.duration";
pub(super) const ATTEMPTS: &str = "eset_protect.client.attempts";
pub(super) const RETRIES: &str = "eset_protect.client.retries";
pub(super) const GIVEN_UP: &str = "eset_protect.client.retries_given_up";
pub(super) const PENDING_POLLS: &str = "eset_protect.client.pending_polls";
pub(super) const LOGINS: &str = "eset_protect.client.logins";
#[cfg(feature = "serve")]
pub(super) const SERVED: &str = "rpc.server.call.duration";
#[cfg(feature = "serve")]
pub(super) const SERVED_CALLS: &str = "eset_protect.serve.calls";
#[cfg(feature = "_connections")]
pub(super) const DEGRADED: &str = "eset_protect.serve.degraded";
pub(super) const RATE_LIMIT_WAIT: &str = "eset_protect.client.rate_limit.wait";

/// Adds one to a counter, with the tenant of a bridge as a label if it is for one.
macro_rules! count {
    ($name:expr $(, $label:literal => $value:expr)*) => {{
        #[cfg(feature = "metrics")]
        match super::tenant::tenant() {
            None => ::metrics::counter!($name $(, $label => $value)*),
            Some(tenant) => ::metrics::counter!($name $(, $label => $value)*, "tenant" => tenant),
        }
        .increment(1);
        #[cfg(not(feature = "metrics"))]
        let _ = || ($name, $($value),*);
    }};
}
pub(super) use count;

/// Records a time in a histogram, with the same label.
macro_rules! record {
    ($name:expr, $time:expr $(, $label:literal => $value:expr)*) => {{
        #[cfg(feature = "metrics")]
        match super::tenant::tenant() {
            None => ::metrics::histogram!($name $(, $label => $value)*),
            Some(tenant) => ::metrics::histogram!($name $(, $label => $value)*, "tenant" => tenant),
        }
        .record($time);
        #[cfg(not(feature = "metrics"))]
        let _ = || ($name, $time, $($value),*);
    }};
}
pub(super) use record;

/// Describes this crate's metrics to the recorder, for its help texts. Call it after installing the recorder.
#[cfg(feature = "metrics")]
pub fn describe_metrics() {
    use ::metrics::{Unit, describe_counter, describe_histogram};
    #[cfg(feature = "_connections")]
    ::metrics::describe_gauge!(DEGRADED, "How many things of a server fail at present, by cause");

    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "How long calls took, with all attempts and waits"
    );
    describe_counter!(ATTEMPTS, "Attempts to send a request, including retries");
    describe_counter!(RETRIES, "Calls that were retried, by reason");
    describe_counter!(
        GIVEN_UP,
        "Calls that were not retried although a retry might have helped, by reason"
    );
    describe_counter!(PENDING_POLLS, "How often a response was pending (202) and asked for again");
    describe_counter!(LOGINS, "Logins and renewals of tokens, by outcome");
    #[cfg(feature = "serve")]
    {
        describe_histogram!(SERVED, Unit::Seconds, "How long the calls of callers took");
        describe_counter!(SERVED_CALLS, "The calls of callers, also refused ones, by tenant");
    }
    describe_histogram!(RATE_LIMIT_WAIT, Unit::Seconds, "How long calls waited for the rate limit");
}

/// Records how long a call took.
pub(super) fn call(
    spec: &MethodSpec,
    code: Code,
    server: Option<&Server>,
    elapsed: impl FnOnce() -> Duration,
) {
    #[cfg(feature = "metrics")]
    {
        use ::metrics::{Label, SharedString};

        let (method, code_name) = (super::names::method(spec), crate::error::code_name(code));
        let mut labels = Vec::with_capacity(6);
        labels.push(Label::from_static_parts("rpc.system.name", "grpc"));
        labels.push(Label::from_static_parts("rpc.method", method));
        labels.push(Label::from_static_parts("rpc.response.status_code", code_name));
        if let Some(Server { address, port }) = server {
            let address = SharedString::from_shared(address.clone());
            labels.push(Label::new("server.address", address));
            labels.push(Label::new("server.port", port.to_string()));
        }
        if code != Code::Ok {
            labels.push(Label::from_static_parts("error.type", code_name));
        }
        ::metrics::histogram!(DURATION, labels).record(elapsed());
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (DURATION, spec, code, server, elapsed);
}
