//! Observability: what a client tells about its calls, in spans, events, trace context and metrics.
//!
//! Names and values are those of OpenTelemetry's conventions for [RPCs][rpc] (the release candidate after
//! 1.37), for [HTTP clients][http] and of gRPC itself ([A72] for attempts). Where nobody listens, nothing
//! is made.
//!
//! # Spans
//!
//! By [`tracing`](https://docs.rs/tracing), at level `INFO`. A span prints nothing by itself.
//!
//! | span | target | one for | `otel.name` |
//! |---|---|---|---|
//! | `call` | `eset_protect::call` | each call, all its attempts and waits | `eset.dotnod.automation.v1.DeviceTasks/GetTask` |
//! | `attempt` | `eset_protect::wire` | each request over gRPC | `Attempt.eset.dotnod.automation.v1.DeviceTasks/GetTask` |
//! | `request` | `eset_protect::wire` | each request over REST, also of a login and for a pending answer | `GET /v1/device_tasks/{task_uuid}` |
//!
//! All are of kind client; the last two are children of the first. A call is the same RPC on both wires,
//! so its span is too: `rpc.system.name` is `grpc` also where REST carries it, and what is HTTP is on the
//! `request`.
//!
//! | field | on | what |
//! |---|---|---|
//! | `rpc.system.name` | call, attempt | `grpc` |
//! | `rpc.method` | call, attempt | service `/` method, in full |
//! | `rpc.response.status_code` | call, attempt | the code in words, such as `OK`; also one made on this side |
//! | `server.address`, `server.port` | all | where it went |
//! | `error.type` | all | if it failed: the code in words; for an HTTP answer its status; else empty |
//! | `otel.status_code` | all | `ERROR` if it failed, else empty |
//! | `eset_protect.attempts` | call | how often the request was sent |
//! | `eset_protect.request_id` | all | ESET's identifier of the request, for its support ([facts](crate::facts#errors)) |
//! | `previous-rpc-attempts` | attempt | how often it was sent before (A72) |
//! | `http.request.method`, `url.template`, `url.full` | request | the template is the one of the RPC, and the path itself for a login. The full one is without its query, in which page tokens are |
//! | `http.request.resend_count` | request | how often it was sent before, by a retry or to ask for a pending answer; empty the first time |
//! | `http.response.status_code`, `network.protocol.version` | request | of the answer, if there is one |
//!
//! A call whose future is dropped ends as `CANCELLED`; so does the attempt that is under way when the
//! deadline of the call passes, since it is cancelled on the wire.
//!
//! # Events
//!
//! | level | target | what |
//! |---|---|---|
//! | `WARN` | `eset_protect::auth` | a login was refused: a person must look |
//! | `WARN` | `eset_protect::call` | no retry, because the service is sick ([`RetryThrottle`](crate::RetryThrottle)) |
//! | `WARN` | `eset_protect::wire` | a server closed a connection for too many pings ([`ClientBuilder::keep_alive_interval`](crate::ClientBuilder::keep_alive_interval)) |
//! | `INFO` | `eset_protect::call` | a retry, with its reason and wait; a token that the service refused |
//! | `INFO` | `eset_protect::auth` | a login that failed for another reason |
//! | `INFO` | `eset_protect::wire` | the wire that `Wire::Auto` found |
//! | `DEBUG` | `eset_protect::call` | no retry of what may be tried again, and why not; a wait for the rate limit |
//! | `DEBUG` | `eset_protect::auth` | a login, a renewed token |
//! | `DEBUG` | `eset_protect::wire` | an answer that is pending |
//!
//! A run in which all goes well is silent above `DEBUG`. There is no event for a call that fails: its
//! error is the caller's to tell.
//!
//! # Trace context
//!
//! With the feature `otel` every request, over gRPC and over REST, carries the context of its span, as the
//! global propagator of [`opentelemetry`](https://docs.rs/opentelemetry) writes it; if none is set, as
//! `traceparent` and `tracestate` (W3C). Whether the span has a context is up to the program: it needs the
//! layer of [`tracing-opentelemetry`](https://docs.rs/tracing-opentelemetry). Without it the context is
//! the current one of `opentelemetry`, and if there is none, nothing is sent. A call that is given its own
//! by [`CallOptions::metadata`](crate::CallOptions::metadata) keeps that.
//!
//! A request for a pending answer carries the context of the one that it repeats: the service wants it
//! identical ([facts](crate::facts#pending-answers)). `examples/otlp.rs` exports all of this.
//!
//! # Metrics
//!
//! With the feature `metrics`, by the facade of that name:
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `rpc.client.call.duration` | histogram, seconds | `rpc.system.name`, `rpc.method`, `rpc.response.status_code`, `server.address`, `server.port`; `error.type` if it failed |
//! | `eset_protect.client.attempts` | counter | `rpc.method`, `rpc.response.status_code` |
//! | `eset_protect.client.retries` | counter | `rpc.method`, `reason`: a code in words, `refused_stream` or `refused_token` |
//! | `eset_protect.client.retries_given_up` | counter | `rpc.method`, `reason`: `not_safe`, `attempts`, `throttled`, `pushback`, `no_time` |
//! | `eset_protect.client.pending_polls` | counter | `rpc.method`; none for a login |
//! | `eset_protect.client.logins` | counter | `outcome`: `ok`, `refused`, `failed` |
//! | `eset_protect.client.rate_limit.wait` | histogram, seconds | `outcome`: `waited`, `refused` |
//!
//! Every label has few values: RPCs, codes, servers. `describe_metrics` gives a recorder their texts.
//!
//! # What is in none of it
//!
//! Passwords, tokens, headers, metadata, messages, page tokens, and texts that a service wrote. Header
//! values with a token are marked sensitive, so `h2` and `hyper` do not show them at any level either.
//!
//! [rpc]: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans
//! [http]: https://opentelemetry.io/docs/specs/semconv/http/http-spans
//! [A72]: https://github.com/grpc/proposal/blob/master/A72-open-telemetry-tracing.md

mod attempt;
mod call;
mod events;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "telemetry/no_metrics.rs"]
mod metrics;
mod names;
#[cfg(feature = "otel")]
mod propagation;
mod server;

#[cfg(feature = "rest")]
pub(crate) use attempt::http_version;
pub(crate) use attempt::{Attempt, Sending};
pub(crate) use call::Call;
#[cfg(feature = "rest")]
pub(crate) use events::wire_chosen;
pub(crate) use events::{
    GivenUp, attempted, given_up, login, pending, rate_limited, retry, retry_of_refused,
    token_refused, too_many_pings,
};
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub(crate) use server::Server;
