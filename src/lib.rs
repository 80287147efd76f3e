//! A gRPC-native client for ESET PROTECT: devices, tasks, policies and all other services of ESET Connect, with one
//! set of types for gRPC and for ESET's JSON.
//!
//! ESET documents a REST API and publishes neither a gRPC endpoint nor field numbers. This crate has
//! `.proto` files reconstructed from that documentation: **the JSON is ESET's, the field numbers are
//! ours**. Speak gRPC between your own services or to an [emulator] of ESET's; the JSON of the same types is
//! the JSON of ESET's API.
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
//!   your code ─▶ Client ─▶ Call<R> ─▶ call loop ────────▶ Transport ─┬─ gRPC ─▶ any server of these protos
//!                handle    encodes    deadline, retry,    makes one  ├─ REST ─▶ ESET Connect, On-Prem
//!                per       and        token, rate limit,  attempt    └─ yours: a mock, a recorder, …
//!                service   decodes    pending responses
//!
//!   grpcurl, curl, any language ─▶ gRPC and REST servers ─┬▶ emulator
//!                                                         └▶ serve ─▶ Client, as above
//! ```
//!
//! | module or type | purpose |
//! |---|---|
//! | [`Client`], [`Call`] | a method for each RPC; the options of one call |
//! | [`Paginator`], [`Items`], [`Bulk`], [`BulkItems`] | lists with many pages, many calls, many lists |
//! | [`TaskWatch`], [`GuardedCreate`] | waiting for a task; creating a task exactly once even if the response is lost |
//! | [`filter`] | filters and orders that lists take as text |
//! | [`CallOptions`], [`RetryPolicy`], [`RetryThrottle`], [`RateLimiter`] | deadlines, retries and rate limits |
//! | [`Error`] | the error of every call |
//! | [`auth`] | access tokens and logins |
//! | [`transport`] | the two wires, and the trait for a wire of your own |
//! | [`telemetry`] | spans, events, trace context and metrics |
//! | [`automation`], [`policy_management`], [`params`] | the messages |
//! | [`check`] | finds mistakes in a request before it is sent |
//! | [`policy`] | reads a policy's settings from files, and reads and writes their container |
//! | [`rollout`] | plans and carries out changes of policies (feature `policies-as-code`) |
//! | [`rpc`] | the list of RPCs: gRPC path, HTTP rule, idempotency, paging |
//! | [`proto`] | all generated code by package, with tonic's stubs and the descriptor set |
//! | [`protojson`] | reads and writes JSON with options |
//! | [`wkt`] | `google.protobuf.Any` and the other well-known types, [`wkt::TypeRegistry`] |
//! | [`transcode`] | RPCs as HTTP requests, and their OpenAPI document |
//! | [`server`] | a REST front for servers, and reflection (feature `server`) |
//! | [`serve`] | a server that forwards calls: gRPC in front of ESET's REST API, or REST in front of gRPC (feature `serve`) |
//! | [`emulator`] | an emulator of ESET's services (feature `emulator`) |
//! | [`facts`] | what is known of ESET's APIs, with sources |
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `application-management` | executables in the network: `Executables` | |
//! | `asset-management` | the tree of groups: `Groups` | |
//! | `automation` | ESET's Automation API: [`DeviceTasks`], [`TaskWatch`], [`GuardedCreate`] | yes |
//! | `device-management` | devices and their groups: [`Devices`], [`DeviceGroups`] | yes |
//! | `iam` | roles and who has them: `IdentityProvider`, `Roles`, `Permissions` | |
//! | `incident-management` | detections, incidents and EDR rules: `Detections`, `DetectionsV1`, `DetectionGroups`, `Incidents`, `IncidentComments`, `EdrRules`, `EdrRuleExclusions` | |
//! | `installer-management` | installers: `Installers` | |
//! | `mobile-device-management` | the enrollment of phones and tablets: `MobileDevices` | |
//! | `network-access-protection` | IP sets of policies: `NetworkAccessConfigurator` | |
//! | `patch-management` | patches: `UnpatchedDevices`, `PatchManagement` | |
//! | `policy-management` | ESET's Policy Management API: [`Policies`], [`PolicyAssignments`], [`policy`] | yes |
//! | `quarantine-management` | quarantined objects: `QuarantinedObjects` | |
//! | `user-management` | users: `Users` | |
//! | `vulnerability-management` | vulnerabilities: `VulnerableDevices`, `VulnerabilityManagement` | |
//! | `web-access-protection` | web address rules of policies: `WebAddressRulesConfigurator` | |
//! | `all-services` | every ESET service in the crate | |
//! | `tls` | TLS with rustls and ring: [`TlsConfig`] | yes |
//! | `rest` | ESET's REST API as a second wire, and its logins | |
//! | `server` | tonic's server stubs, and the module [`server`] | |
//! | `serve` | the module [`serve`] | |
//! | `redis` | a rate limit that several bridges share, in Redis or Valkey: `serve::RedisBudget` | |
//! | `emulator` | the module [`emulator`] | |
//! | `otel` | W3C trace context in every request, for programs that use OpenTelemetry: [`telemetry`] | |
//! | `metrics` | counters and histograms through the `metrics` facade: [`telemetry`] | |
//! | `chrono`, `jiff` | conversions of [`wkt::Timestamp`] and [`wkt::Duration`] to and from the types of those crates | |
//! | `profiles` | named servers and logins in the user's configuration file, for [`Client::from_env`] and the command | |
//! | `policies-as-code` | reads and changes the settings inside policies, and rolls policies out: [`policy`], [`rollout`] | |
//! | `cli` | the command `eset-protect` | |
//! | `otlp` | the command, which then exports a bridge's traces by OTLP | |
//!
//! Features only add to the API, and the default features include no server, command or database. Each host of
//! ESET's cloud has a feature ([facts](facts#services)). Services that are off are not compiled and not part of
//! [`proto::FILE_DESCRIPTOR_SET`]; the command and the emulator enable the services that they need.
//!
//! The library needs Rust 1.88; `emulator` and `cli` need Rust 1.90 because their database does.
//!
//! # What survives a round trip
//!
//! Inside an `Any`, members, enum names and types that this crate does not know survive JSON → gRPC → JSON; see
//! [`wkt::Any`]. Unknown fields of other messages do not: prost drops them when it decodes, and the JSON reader
//! skips them unless it is [strict](protojson::Reader::strict). In responses over REST, the same is true of members
//! that have another type than documented ([`transcode::Encoded::response`]). A bridge passes both on from REST to
//! REST.
#![cfg_attr(
    not(feature = "emulator"),
    doc = "\n\n[emulator]: https://docs.rs/eset-protect\n[`emulator`]: https://docs.rs/eset-protect"
)]
#![cfg_attr(not(feature = "policies-as-code"), doc = "\n[`rollout`]: https://docs.rs/eset-protect")]
#![cfg_attr(not(feature = "serve"), doc = "\n[`serve`]: https://docs.rs/eset-protect")]
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
#[cfg(any(feature = "automation", feature = "policy-management", feature = "serve"))]
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
pub mod filter;
mod framing;
#[cfg(any(feature = "rest", feature = "server"))]
mod gzip;
mod headers;
mod json;
mod metadata_form;
#[doc = include_str!("../proto/FACTS.md")]
pub mod facts {}
#[cfg(any(feature = "automation", feature = "policy-management"))]
pub mod params;
mod pending;
mod pointers;
#[cfg(feature = "policy-management")]
pub mod policy;
pub mod proto;
pub mod protojson;
mod rate_limiter;
#[cfg(feature = "policies-as-code")]
pub mod rollout;
pub mod rpc;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "server")]
pub mod server;
mod single_flight;
pub mod telemetry;
mod text;
mod timer;
pub mod transcode;
pub mod transport;
mod warn_limit;
pub mod wkt;

// Their types are part of this crate's API.
#[doc(no_inline)]
pub use {bytes, http, prost, secrecy, tonic};

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
