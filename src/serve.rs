//! A server that forwards calls: gRPC in front of ESET's REST API, or REST in front of a gRPC server.
//!
//! A [`Bridge`] accepts gRPC, gRPC-Web and REST on one port, with health checks and reflection, and forwards every
//! call by a [`Client`](crate::Client). So every language calls ESET's services over gRPC, with the client's login,
//! rate limit, retries and polls of pending responses.
//!
//! ```no_run
//! use eset_protect::serve::Bridge;
//! use eset_protect::{Client, Region};
//!
//! # async fn run(user: &str, password: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::cloud(Region::Eu).login(user, password).connect().await?;
//! let running = Bridge::to(client).start().await?;
//! println!("gRPC, gRPC-Web and REST at {}", running.endpoint());
//! # Ok(())
//! # }
//! ```
//!
//! [`Access`] has many upstreams, its tenants, and says who may call what; [`Bridge::to`] has one, for everybody.
//!
//! # What is passed on
//!
//! | of a call | to the upstream |
//! |---|---|
//! | the message | gRPC to gRPC: the same bytes. Otherwise as the client converts it: what an `Any` holds is kept whole, members that its type does not have among it, see [`Any`](crate::wkt::Any). Outside of `Any`s, members that the `.proto` files do not have are lost where one side is REST: neither form says how to write them in the other |
//! | the deadline, `grpc-timeout` | the time that is left. Without a deadline the client's [timeout](crate::ClientBuilder::timeout) applies |
//! | metadata, headers | all but those below |
//! | a cancelled call, a closed connection | cancelled, too |
//!
//! | not passed on to the upstream | reason |
//! |---|---|
//! | `authorization`, `cookie`, `proxy-authorization` | the client has its own login. `authorization` of a caller with [`Identity::OwnToken`] is passed on |
//! | `connection` and the headers that it names, `keep-alive`, `proxy-connection`, `te`, `trailer`, `transfer-encoding`, `upgrade`, `http2-settings` | apply to one connection (RFC 9110, 7.6.1) |
//! | `accept…`, `content-…`, `expect`, `host`, `grpc-…` | describe one message, or are part of the protocol |
//! | `if-…`, `range`, `cache-control`, `pragma`, `priority` | conditions of one HTTP request |
//! | `user-agent`, `origin`, `referer`, `forwarded`, `x-forwarded-…`, `x-real-ip`, `via`, `sec-…`, `dnt`, `x-grpc-web`, `x-user-agent` | say who calls, and how |
//! | `response-id` | the client itself asks for pending responses ([facts](crate::facts#pending-responses)) |
//! | `eset-protect-…` | are for this server, such as `eset-protect-tenant` |
//!
//! Over gRPC a response is compressed, by gzip or deflate, if the request is and the caller accepts it.
//!
//! Of the response, the caller gets what the client gets: the code, the message, the details, and the metadata
//! described at [`Error::metadata`](crate::Error::metadata). Over REST, `grpc-retry-pushback-ms` is a header, too.
//!
//! | metadata of a failed call | meaning |
//! |---|---|
//! | `grpc-retry-pushback-ms: -1` | do not retry (gRFC A6): the bridge has retried as often as it may. Without it attempts would multiply |
//! | `eset-protect-code-inferred-from: 404` | the code was inferred from this HTTP status, see [`Error::is_code_inferred`](crate::Error::is_code_inferred) |
//! | `eset-protect-tenant: acme` | the upstream of this tenant does not answer, or refuses the tenant's own login (`UNAVAILABLE`); the message says why |
//!
//! Where the tenant has a login, `UNAUTHENTICATED` is about what the caller showed: to the bridge, or to the upstream
//! with [`Identity::OwnToken`].
//!
//! gRPC's own clients and this crate's obey `grpc-retry-pushback-ms`. Where another client does not, turn its
//! retries off.

mod access;
mod access_handle;
mod admitted;
mod audit;
mod bridge;
mod browsers;
mod caller;
mod certificate_files;
mod config;
mod failure;
mod gate;
mod health;
mod hosted;
mod jwt;
mod metadata;
mod operations;
#[cfg(feature = "redis")]
mod redis_budget;
mod rules;
mod tls;

pub use access::{Access, AccessError};
pub use access_handle::AccessHandle;
pub use audit::AuditLog;
pub use bridge::{Bridge, RunningBridge, TlsHandle};
pub use caller::{Caller, Identity, ParseHashError, TokenHash};
pub use certificate_files::CertificateFiles;
pub use config::{Config, ConfigError, FixedSettings};
pub use jwt::{Jwks, JwtIssuer};
pub use operations::Operations;
#[cfg(feature = "redis")]
pub use redis_budget::RedisBudget;
pub use rules::{ParsePatternError, RpcPattern, Rules};
pub use tls::ServerTls;
