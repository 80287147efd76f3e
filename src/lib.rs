//! The gRPC-native client for ESET PROTECT: device tasks and policies from Rust, with one set of types
//! for gRPC and for ESET's JSON.
//!
//! ESET documents a REST API and publishes neither a gRPC endpoint nor field numbers. This crate has
//! `.proto` files reconstructed from that documentation: **the JSON is ESET's, the field numbers are
//! ours**. Speak gRPC between your own services, or to an [emulator] of ESET's; the same types are
//! exactly the JSON that ESET's API speaks.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let running = eset_protect::emulator::Emulator::builder().build()?.start().await?;
//! # let endpoint = running.endpoint();
//! use eset_protect::Client;
//! use eset_protect::automation::v1::{Action, DeviceTask, DeviceTaskTargets, Trigger};
//! use eset_protect::params::{OnDemandScan, on_demand_scan::ScanProfile};
//!
//! let client = Client::connect(&endpoint).await?;
//!
//! // What a task does is an `Any`: the real message on the wire, `@type` in JSON.
//! let task = DeviceTask {
//!     display_name: "Scan the finance laptops".into(),
//!     action: Some(Action::on_demand_scan(OnDemandScan {
//!         scan_profile: Some(ScanProfile::InDepth.into()),
//!         cleaning_enabled: Some(true),
//!         ..Default::default()
//!     })),
//!     targets: Some(DeviceTaskTargets::devices(["123e4567-e89b-12d3-a456-426614174000"])),
//!     triggers: vec![Trigger::manual(None)],
//!     ..Default::default()
//! };
//! let created = client.device_tasks().create_task(task).await?;
//!
//! let read = client.device_tasks().get_task(created.uuid).await?;
//! let params = read.action.and_then(|action| action.params).unwrap_or_default();
//! let scan: OnDemandScan = params.unpack()?;
//! assert_eq!(scan.scan_profile(), ScanProfile::InDepth);
//! println!("{}", serde_json::to_string_pretty(&params)?);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```
//!
//! # How it is built
//!
//! ```text
//!   proto/*.proto ──build.rs──▶ types + ProtoJSON + list of RPCs        one source of truth
//!
//!   your code ─▶ Client ─▶ call ──────▶ transport ─┬─ gRPC ─▶ any gRPC server of these protos
//!                facade    deadline     one        └─ REST ─▶ ESET Connect, ESET PROTECT On-Prem
//!                          retry        attempt,
//!                          credentials  in its turn
//!
//!   grpcurl, curl, any language ─▶ fronts ─▶ emulator
//! ```
//!
//! The modules, in the order in which data flows:
//!
//! | module | what |
//! |---|---|
//! | [`Client`], [`Call`] | a method per RPC; what can be said about one call |
//! | [`Paginator`], [`Items`], [`Bulk`], [`BulkItems`] | lists of many pages, many calls, many lists |
//! | [`TaskWatch`], [`GuardedCreate`] | waiting for a task; creating one once though its answer is lost |
//! | [`rpc`] | the one list of RPCs: gRPC path, HTTP rule, idempotency, paging |
//! | [`automation`], [`policy_management`], [`params`] | the messages |
//! | [`check`] | what cannot be right in a request, found before it is sent |
//! | [`policy`] | the settings of a policy, from the Web Console's export or from base64 |
//! | [`proto`] | all generated code by package, bare tonic stubs and the descriptor set among it |
//! | [`protojson`] | reading and writing JSON with options |
//! | [`transcode`] | RPCs as HTTP requests, and an OpenAPI document of them |
//! | [`wkt`] | `google.protobuf.Any` and the other well-known types, [`wkt::TypeRegistry`] |
//! | [`auth`] | access tokens and logins |
//! | [`CallOptions`], [`RetryPolicy`], [`RetryThrottle`], [`RateLimiter`] | deadlines, retries, limits: when a call is made, again or not at all |
//! | [`DeviceTasks::watch_task`], [`DeviceTasks::create_task_guarded`] | waiting for a task; creating one once |
//! | [`Error`] | the one error of all calls |
//! | [`facts`] | what is known of ESET's APIs, and from where |
//! | [`telemetry`] | spans, events, trace context and metrics of calls |
//! | [`server`] | the REST front: HTTP requests to RPCs that a server answers; reflection (feature `server`) |
//! | [`emulator`] | a stand-in of ESET's services (feature `emulator`) |
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `automation` | ESET's Automation API: [`DeviceTasks`], [`TaskWatch`], [`GuardedCreate`] | yes |
//! | `policy-management` | ESET's Policy Management API: [`Policies`], [`PolicyAssignments`], [`policy`] | yes |
//! | `all-services` | all services of ESET that the crate has | |
//! | `tls` | TLS by rustls with ring: [`TlsConfig`] | yes |
//! | `rest` | ESET's REST API as a second wire, and the logins that go with it | |
//! | `server` | tonic's server stubs beside the client stubs, the module [`server`] | |
//! | `emulator` | the module [`emulator`] | |
//! | `otel` | trace context on every request, for programs that trace with OpenTelemetry: [`telemetry`] | |
//! | `chrono`, `jiff` | conversions of [`wkt::Timestamp`] and [`wkt::Duration`] from and to those crates | |
//! | `metrics` | counters and histograms by the facade `metrics`: [`telemetry`] | |
//! | `cli` | the command `eset-protect` | |
//!
//! The library needs Rust 1.88; `emulator` and `cli` need 1.90, as their database does.
//!
//! Features only add; the default pulls no server, command or database. Services have a feature for each host of
//! ESET's cloud ([facts](facts#services)); those that are off are not compiled and not in
//! [`proto::FILE_DESCRIPTOR_SET`]. The command and the emulator turn on the services that they need.
//!
//! # What is kept and what is not
//!
//! What this crate does not know inside an `Any` survives JSON → gRPC → JSON, see [`wkt::Any`]. Unknown
//! fields of ordinary messages do not: prost drops them when it reads bytes, and the JSON reader passes
//! over them unless it is [strict](protojson::Reader::strict).
#![cfg_attr(
    not(feature = "emulator"),
    doc = "\n\n[emulator]: https://docs.rs/eset-protect\n[`emulator`]: https://docs.rs/eset-protect"
)]
#![cfg_attr(not(feature = "server"), doc = "\n[`server`]: https://docs.rs/eset-protect")]
#![cfg_attr(not(feature = "tls"), doc = "\n[`TlsConfig`]: https://docs.rs/eset-protect")]
#![warn(unreachable_pub)]
#![warn(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Generated code names the crate as users' own generated code does.
extern crate self as eset_protect;

pub mod auth;
mod backoff;
mod call;
#[cfg(any(feature = "automation", feature = "policy-management"))]
pub mod check;
mod client;
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub mod codegen;
#[cfg(feature = "emulator")]
#[doc(hidden)]
pub mod descriptors;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod json;
#[doc = include_str!("../proto/FACTS.md")]
pub mod facts {}
#[cfg(any(feature = "automation", feature = "policy-management"))]
pub mod params;
mod pending;
#[cfg(feature = "policy-management")]
pub mod policy;
pub mod proto;
pub mod protojson;
mod rate_limiter;
pub mod rpc;
#[cfg(feature = "server")]
pub mod server;
pub mod telemetry;
mod text;
mod timer;
pub mod transcode;
pub mod transport;
pub mod wkt;

// Their types are part of this crate's API.
#[doc(no_inline)]
pub use {http, prost, tonic};

pub use backoff::Backoff;
pub use call::{
    Bulk, BulkItem, BulkItems, BulkResponse, Call, CallOptions, Items, ListError, Paginator,
    Progress, ProgressCounts, RetryPolicy, RetryThrottle,
};
#[cfg(feature = "rest")]
pub use client::Wire;
pub use client::{Client, ClientBuilder};
#[cfg(feature = "automation")]
pub use client::{DeviceCounts, Guarded, GuardedCreate, TaskProgress, TaskWatch};
pub use error::{Error, ErrorKind, code_name};
pub use json::message::JsonMessage;
pub use rate_limiter::RateLimiter;
pub use timer::Timer;
#[cfg(feature = "rest")]
pub use transport::rest::Region;
#[cfg(feature = "tls")]
pub use transport::tls::TlsConfig;

// The README's examples compile.
#[cfg(all(doctest, feature = "rest"))]
#[doc = include_str!("../README.md")]
struct Readme;

// The handles of the services and the packages of their messages.
include!(concat!(env!("OUT_DIR"), "/exports.rs"));
