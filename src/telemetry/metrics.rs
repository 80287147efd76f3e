//! Counters and histograms, through the `metrics` facade.

#[cfg(feature = "serve")]
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{
    Label, SharedString, Unit, counter, describe_counter, describe_histogram, histogram,
};
use tonic::Code;

use super::Server;
use super::names::method;
use crate::error::code_name;
use crate::rpc::MethodSpec;

const DURATION: &str = "rpc.client.call.duration";
const ATTEMPTS: &str = "eset_protect.client.attempts";
const RETRIES: &str = "eset_protect.client.retries";
const GIVEN_UP: &str = "eset_protect.client.retries_given_up";
const PENDING_POLLS: &str = "eset_protect.client.pending_polls";
const LOGINS: &str = "eset_protect.client.logins";
#[cfg(feature = "serve")]
const SERVED: &str = "rpc.server.call.duration";
#[cfg(feature = "serve")]
const SERVED_CALLS: &str = "eset_protect.serve.calls";
const RATE_LIMIT_WAIT: &str = "eset_protect.client.rate_limit.wait";

/// Describes this crate's metrics to the recorder, for its help texts. Call it after installing the recorder.
pub fn describe_metrics() {
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

pub(super) fn call(
    spec: &MethodSpec,
    code: Code,
    server: Option<&Server>,
    elapsed: impl FnOnce() -> Duration,
) {
    let mut labels = Vec::with_capacity(6);
    labels.push(Label::from_static_parts("rpc.system.name", "grpc"));
    labels.push(Label::from_static_parts("rpc.method", method(spec)));
    labels.push(Label::from_static_parts("rpc.response.status_code", code_name(code)));
    if let Some(server) = server {
        labels
            .push(Label::new("server.address", SharedString::from_shared(server.address.clone())));
        labels.push(Label::new("server.port", server.port.to_string()));
    }
    if code != Code::Ok {
        labels.push(Label::from_static_parts("error.type", code_name(code)));
    }
    histogram!(DURATION, labels).record(elapsed());
}

#[cfg(feature = "serve")]
pub(super) fn served(
    method: &'static str,
    tenant: Option<Arc<str>>,
    code: Code,
    elapsed: Duration,
) {
    let code = code_name(code);
    let labels = [
        Label::from_static_parts("rpc.system.name", "grpc"),
        Label::from_static_parts("rpc.method", method),
        Label::from_static_parts("rpc.response.status_code", code),
    ];
    histogram!(SERVED, labels.to_vec()).record(elapsed);
    let tenant = tenant.map_or(SharedString::const_str(""), SharedString::from_shared);
    counter!(SERVED_CALLS, "tenant" => tenant, "rpc.response.status_code" => code).increment(1);
}

pub(super) fn attempt(spec: &MethodSpec, code: Code) {
    let code = code_name(code);
    counter!(ATTEMPTS, "rpc.method" => method(spec), "rpc.response.status_code" => code)
        .increment(1);
}

pub(super) fn retry(spec: &MethodSpec, reason: &'static str) {
    counter!(RETRIES, "rpc.method" => method(spec), "reason" => reason).increment(1);
}

pub(super) fn given_up(spec: &MethodSpec, reason: &'static str) {
    counter!(GIVEN_UP, "rpc.method" => method(spec), "reason" => reason).increment(1);
}

pub(super) fn login(outcome: &'static str) {
    counter!(LOGINS, "outcome" => outcome).increment(1);
}

pub(super) fn pending(spec: Option<&MethodSpec>) {
    match spec {
        Some(spec) => counter!(PENDING_POLLS, "rpc.method" => method(spec)).increment(1),
        None => counter!(PENDING_POLLS).increment(1),
    }
}

pub(super) fn rate_limit(wait: Duration, is_in_time: bool) {
    let outcome = if is_in_time { "waited" } else { "refused" };
    histogram!(RATE_LIMIT_WAIT, "outcome" => outcome).record(wait);
}
