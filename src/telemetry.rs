//! Observability: the spans, events, trace context and metrics of a client.
//!
//! Names and values follow OpenTelemetry's conventions for [RPCs][rpc] (the release candidate after 1.37) and
//! [HTTP clients][http], and gRPC's own for attempts ([A72]). Nothing is computed unless something
//! subscribes.
//!
//! # Spans
//!
//! Created with [`tracing`](https://docs.rs/tracing) at level `INFO`. A span prints nothing by itself.
//!
//! | span | target | one per | `otel.name` |
//! |---|---|---|---|
//! | `call` | `eset_protect::call` | call, with all its attempts and waits | `eset.dotnod.automation.v1.DeviceTasks/GetTask` |
//! | `attempt` | `eset_protect::wire` | request over gRPC | `Attempt.eset.dotnod.automation.v1.DeviceTasks/GetTask` |
//! | `serve` | `eset_protect::serve` | call that a bridge (feature `serve`) forwards or refuses; the parent of its `call` | `eset.dotnod.automation.v1.DeviceTasks/GetTask` |
//! | `request` | `eset_protect::wire` | request over REST, including logins and polls for pending responses | `GET /v1/device_tasks/{task_uuid}` |
//!
//! All but `serve` have the kind `client`; attempts and requests are children of their call. A call is the same
//! RPC on both wires, so its span is the same too: `rpc.system.name` is `grpc` even over REST, and HTTP
//! attributes are on the `request`.
//!
//! | field | on | value |
//! |---|---|---|
//! | `eset_protect.caller`, `eset_protect.tenant` | serve | their names in the configuration of the bridge; empty if the call is refused before they are known |
//! | `trace_id` | serve | the caller's trace, or else the span's own, for logs |
//! | `rpc.system.name` | call, attempt, serve | `grpc` |
//! | `rpc.method` | call, attempt, serve | the full name, service `/` method; `_OTHER` for a path that a bridge does not have |
//! | `rpc.response.status_code` | call, attempt, serve | the name of the code, such as `OK`, even if the client itself raised the error |
//! | `server.address`, `server.port` | all | the server |
//! | `error.type` | all | on failure, the name of the code or, for an HTTP response, its status; otherwise empty |
//! | `otel.status_code` | all | `ERROR` on failure, otherwise empty |
//! | `eset_protect.attempts` | call | the number of times the request was sent |
//! | `eset_protect.request_id` | all | ESET's id of the request, for its support ([facts](crate::facts#errors)) |
//! | `previous-rpc-attempts` | attempt | the number of previous attempts (A72) |
//! | `http.request.method`, `url.template`, `url.full` | request | the template is that of the RPC, or the path of a login. The full URL omits the query, which contains page tokens |
//! | `http.request.resend_count` | request | the number of previous requests, including retries and polls for a pending response; empty the first time |
//! | `http.response.status_code`, `network.protocol.version` | request | of the response, if there is one |
//!
//! A call whose future is dropped ends as `CANCELLED`, and one that panics as `INTERNAL`. The current attempt is
//! `CANCELLED` when the deadline of the call expires, since it is cancelled on the wire.
//!
//! # Events
//!
//! | level | target | event |
//! |---|---|---|
//! | `WARN` | `eset_protect::auth` | a login was refused and needs attention; after that, one that is accepted again |
//! | `WARN` | `eset_protect::server` | something of a bridge or an emulator fails, or works again: once each, see [`eset_protect.serve.degraded`](#metrics) |
//! | `WARN` | `eset_protect::call` | no retry because the service is unhealthy ([`RetryThrottle`](crate::RetryThrottle)) |
//! | `WARN` | `eset_protect::wire` | a member of a response over REST has another type than documented and was left out ([`Encoded::response`](crate::transcode::Encoded::response)) |
//! | `WARN` | `eset_protect::wire` | a server closed a connection because of too many pings ([`ClientBuilder::keep_alive_interval`](crate::ClientBuilder::keep_alive_interval)) |
//! | `INFO` | `eset_protect::server` | a `serve::Server` has reloaded its configuration or its certificate |
//! | `INFO` | `eset_protect::call` | a retry, with its reason and wait; a token that the service refused |
//! | `INFO` | `eset_protect::auth` | a login that failed for another reason |
//! | `INFO` | `eset_protect::wire` | an endpoint that was ejected ([`ClientBuilder::endpoints`](crate::ClientBuilder::endpoints)) |
//! | `INFO` | `eset_protect::wire` | the wire that `Wire::Auto` chose |
//! | `DEBUG` | `eset_protect::call` | no retry although one might help, and the reason; a wait for the rate limit |
//! | `DEBUG` | `eset_protect::auth` | a login or a renewed token; a login that was refused again |
//! | `DEBUG` | `eset_protect::wire` | a pending response |
//!
//! Each call can cause the warnings about retries and members that were left out, so each of the two is a `WARN` at most
//! once a minute, and a `DEBUG` in between.
//!
//! If all goes well, nothing is logged above `DEBUG`. There is no event for a failed call: its error goes to
//! the caller, who can log it.
//!
//! # Trace context
//!
//! With the feature `otel`, every request over gRPC and REST carries the context of its span in the format of
//! [`opentelemetry`](https://docs.rs/opentelemetry)'s global propagator, or as `traceparent` and `tracestate`
//! (W3C) if none is set. A span has a context if the program installs the layer of
//! [`tracing-opentelemetry`](https://docs.rs/tracing-opentelemetry). Otherwise the current context of
//! `opentelemetry` is used, and if there is none, nothing is sent. A context that you set with
//! [`CallOptions::metadata`](crate::CallOptions::metadata) is kept.
//!
//! A bridge continues the trace of its caller: its span `serve` is a child of the caller's span. Without a layer for
//! OpenTelemetry, the caller's context is passed on as it is.
//!
//! A poll for a pending response carries the context of the original request, because the service requires an
//! identical request ([facts](crate::facts#pending-responses)). `examples/otlp.rs` exports all of this.
//!
//! # Metrics
//!
//! With the feature `metrics`, through the [`metrics`](https://docs.rs/metrics) facade:
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `rpc.client.call.duration` | histogram, seconds | `rpc.system.name`, `rpc.method`, `rpc.response.status_code`, `server.address`, `server.port`; `error.type` on failure |
//! | `eset_protect.client.attempts` | counter | `rpc.method`, `rpc.response.status_code` |
//! | `eset_protect.client.retries` | counter | `rpc.method`, `reason`: the name of a code, `refused_stream` or `refused_token` |
//! | `eset_protect.client.retries_given_up` | counter | `rpc.method`, `reason`: `not_safe`, `attempts`, `throttled`, `pushback`, `no_time` |
//! | `eset_protect.client.pending_polls` | counter | `rpc.method`; no labels for a login |
//! | `eset_protect.client.logins` | counter | `outcome`: `ok`, `refused`, `failed` |
//! | `eset_protect.client.rate_limit.wait` | histogram, seconds | `outcome`: `waited`, `refused` |
//! | `rpc.server.call.duration` | histogram, seconds | of a bridge: `rpc.system.name`, `rpc.method`, `rpc.response.status_code`. From the head of a request until its response is ready |
//! | `eset_protect.serve.calls` | counter | of a bridge: `tenant`, empty if the call is refused before it is known; `rpc.response.status_code` |
//! | `eset_protect.serve.degraded` | gauge | of a bridge: how many things fail at present, by `cause`: `tenant`, the last call found the upstream down, as `serve::Operations` says, with the label `tenant`; `redis`, `jwks`, `audit_log`: they are out of reach; `connections`: no more are accepted; `reload`, `certificate`: the last one failed, so the old stays in use |
//!
//! All labels have few distinct values: RPCs, codes, servers. `describe_metrics` passes descriptions to the recorder.
//! In a bridge, the metrics `eset_protect.client.…` also have the label `tenant`, which tells whose upstream fails. A login
//! that several tenants share counts for the one whose call needs it.
//!
//! No label has text from a caller of a bridge, so its configuration bounds their number. With tenants on many servers,
//! `rpc.client.call.duration` has the most: a histogram for each server, RPC and code that occurred. A thousand On-Prem
//! servers, five RPCs each, make 5,000 histograms, 75,000 time series of `/metrics`. If that is too much, let Prometheus
//! drop this metric: `rpc.server.call.duration` has no servers, and `eset_protect.serve.calls` has tenants without RPCs.
//!
//! # What is never included
//!
//! Passwords, tokens, headers, metadata, messages, page tokens, and texts written by a service. Header values
//! with a token are marked as sensitive, so `h2` and `hyper` do not log them at any level either.
//!
//! [rpc]: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans
//! [http]: https://opentelemetry.io/docs/specs/semconv/http/http-spans
//! [A72]: https://github.com/grpc/proposal/blob/master/A72-open-telemetry-tracing.md

mod attempt;
mod call;
#[cfg(feature = "_connections")]
mod degraded;
mod events;
mod metrics;
mod names;
#[cfg(feature = "otel")]
mod propagation;
#[cfg(feature = "serve")]
mod served;
mod server;
#[cfg(any(feature = "metrics", feature = "serve"))]
mod tenant;

#[cfg(feature = "rest")]
pub(crate) use attempt::http_version;
pub(crate) use attempt::{Attempt, Sending};
pub(crate) use call::Call;
#[cfg(feature = "serve")]
pub(crate) use call::dropped;
#[cfg(feature = "_connections")]
pub(crate) use degraded::Degraded;
#[cfg(feature = "rest")]
pub(crate) use events::wire_chosen;
pub(crate) use events::{
    GivenUp, attempted, ejected, given_up, login, pending, rate_limited, retry, retry_of_refused,
    token_refused, too_many_pings,
};
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
#[cfg(feature = "serve")]
pub(crate) use served::Served;
pub(crate) use server::Server;
#[cfg(feature = "serve")]
pub(crate) use tenant::for_tenant;
