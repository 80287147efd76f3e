//! A server that forwards calls: gRPC in front of ESET's REST API, or REST in front of a gRPC server.
//!
//! A [`Bridge`] accepts gRPC, gRPC-Web and REST on one port, with health checks and reflection, and forwards every
//! call by a [`Client`](crate::Client). So programs in any language can call ESET's services over gRPC, with the client's
//! login, rate limit, retries and polls of pending responses.
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
//! [`Bridge::to`] serves one upstream to everybody. [`Access`] has many upstreams, called tenants, and says who may call
//! what. [`Server`] is a bridge with a configuration file, as `eset-protect serve` runs it.
//!
//! # What is passed on
//!
//! | of a call | to the upstream |
//! |---|---|
//! | the message | gRPC to gRPC: the same bytes. Otherwise as the client converts it, but nothing of its JSON is lost: members that the `.proto` files do not have are in an extra field of the request or response, as they do inside an [`Any`](crate::wkt::Any), and are JSON again at the next REST server or caller, also after several bridges. gRPC callers and servers that do not know the field ignore it. Unknown fields of the bytes are lost in JSON, which has no form for them |
//! | the deadline, `grpc-timeout` | over gRPC the time that is left; ESET's REST has no header for it, so a call is cancelled when its time is up. Without a deadline the client's [timeout](crate::ClientBuilder::timeout) applies |
//! | metadata, headers | all but those below |
//! | a cancelled call, a closed connection | cancelled, too |
//!
//! | not passed on to the upstream | reason |
//! |---|---|
//! | names with a word of credentials between their hyphens: `assertion`, `auth`, `authenticate`, `authenticated`, `authentication`, `authn`, `authorization`, `authz`, `bearer`, `consumer`, `cookie`, `cookie2`, `credential`, `credentials`, `creds`, `dpop`, `hmac`, `jwt`, `mfa`, `oauth`, `oauth2`, `oidc`, `otp`, `pass`, `pin`, `totp`, `userinfo`, `webauth`; with one of these anywhere: `api-key`, `apikey`, `csrf`, `passcode`, `passphrase`, `passw`, `saml`, `secret`, `session`, `token`, `xsrf`; names that end with `key`, except `…idempotency-key`. Such as `authorization`, `x-api-key`, `x-csrftoken` | the client has its own login. `authorization` of a caller with [`Identity::OwnToken`] is passed on |
//! | `x-http-…`, `x-method-…`, `x-original-…`, `x-override-…`, `x-rewrite-…`, `…-override` | would make the call another one |
//! | `connection` and the headers that it names, `keep-alive`, `te`, `trailer`, `transfer-encoding`, `upgrade`, `http2-settings`, `proxy-…`, `max-forwards`, `cdn-loop`, `early-data` | apply to one connection (RFC 9110, 7.6) |
//! | `accept…`, `content-…`, `digest`, `repr-digest`, `want-digest`, `want-content-digest`, `want-repr-digest`, `expect`, `host`, `grpc-…` | describe one message, or are part of the protocol |
//! | `if-…`, `range`, `cache-control`, `pragma`, `prefer`, `priority` | conditions of one HTTP request |
//! | `user-agent`, `origin`, `referer`, `from`, `via`, `sec-…`, `dnt`, `save-data`, `signature`, `signature-input`, `upgrade-insecure-requests`, `x-requested-with`, `x-grpc-web`, `x-user-agent` | say who calls, and how |
//! | `forwarded…`, `x-forwarded…`, `x-real-…`, `x-client-…`, `x-cluster-client-…`, `true-client-…`, `client-cert…`, `client-ip…`, `ssl-…`, `x-ssl-…`, `x-tls-…`, `remote-…`, `x-remote-…`, `impersonate-…`, `x-proxy…`, `x-host`, `x-originating-…`, `x-url-scheme…`, `front-end-https…`, `alt-…`, `cf-…`, `cloudfront-…`, `fastly-…`, `fly-…`, `iv-…`, `oam-…`, `sm-…`, `tailscale-…`, `wl-proxy-…`, `x-amz…`, `x-appengine-…`, `x-arr-…`, `x-azure-…`, `x-envoy-…`, `x-goog-…`, `x-ms-client-…`, `x-vouch-…` | what proxies say of the caller |
//! | what tells a browser about an origin, as in the table of responses | is not for servers |
//! | `response-id` | the client itself asks for pending responses ([facts](crate::facts#pending-responses)) |
//! | `eset-protect-…` | are for this server, such as `eset-protect-tenant` |
//!
//! `_` in a name counts as `-`. A name that ends with `-bin` has values in base64; others are refused with
//! `INVALID_ARGUMENT`. What gRPC cannot carry is not passed on to a gRPC upstream nor to a caller over gRPC or gRPC-Web:
//! text with other bytes than 0x20 to 0x7E, names with other characters than `a-z`, `0-9`, `-`, `_` and `.`, and in
//! responses `-bin` values that are not base64.
//!
//! Over gRPC a response is compressed, by gzip or deflate, if the request is and the caller accepts it.
//!
//! Of the response, the caller gets what the client gets: the code, the message, the details, and the metadata
//! described at [`Error::metadata`](crate::Error::metadata), without what an upstream says of its
//! own origin. From gRPC to gRPC, the trailers of a successful response stay trailers. Over REST,
//! `grpc-retry-pushback-ms` is a header, too.
//!
//! | not passed on to the caller | reason |
//! |---|---|
//! | `access-control-…`, `cross-origin-…`, `timing-allow-origin`, `x-frame-options` | say who may read or embed this server |
//! | `content-security-policy…`, `permissions-policy`, `feature-policy`, `document-policy`, `referrer-policy`, `strict-transport-security`, `public-key-pins…`, `expect-ct`, `x-content-type-options`, `x-xss-protection`, `origin-agent-cluster` | policies of this server |
//! | `set-cookie…`, `set-login`, `clear-site-data`, `activate-storage-access`, `use-as-dictionary`, `cache-control`, `age`, `expires`, `pragma`, `vary` | what a browser stores |
//! | `content-digest`, `repr-digest`, `digest`, `content-md5`, `want-digest`, `want-content-digest`, `want-repr-digest`, `signature`, `signature-input`, `accept-signature`, `etag`, `last-modified`, `accept-ranges`, `content-range` | fit only the bytes that the upstream sent: the bridge writes them anew |
//! | `authentication-info`, `www-authenticate` | are about the client's login; REST has its own `www-authenticate` |
//! | `alt-svc`, `link`, `location`, `refresh`, `service-worker-…`, `sourcemap`, `x-sourcemap`, `speculation-rules`, `supports-loading-mode`, `no-vary-search` | lead elsewhere |
//! | `x-aspnet…`, `x-backend…`, `x-cache…`, `x-envoy-…`, `x-forwarded…`, `x-host…`, `x-internal-…`, `x-node…`, `x-pod-…`, `x-powered-by`, `x-proxy…`, `x-real-…`, `x-serve…`, `x-squid-…`, `x-upstream…`, `x-varnish…` | name machines behind this server |
//! | `eset-protect-…`, `grpc-retry-pushback-ms` | are this server's own, as in the table of failed calls |
//! | `accept-ch…`, `critical-ch`, `sec-…`, `attribution-reporting-…`, `observe-browsing-topics`, `nel`, `report-to`, `reporting-endpoints` | ask a browser to report |
//!
//! | cut | reason |
//! |---|---|
//! | over gRPC and gRPC-Web, of an error of more than 5 KiB: metadata beyond 1 KiB, the message, which then ends with `... [cut]`, and details that have no room | clients and proxies give up a response with more headers than they take, and its code with it. gRPC suggests 8 KiB, nginx takes 4 KiB of compressed ones |
//! | of the headers of any response: values of more than 4 KiB, and the largest ones beyond 8 KiB or 64 headers | would fail the call: over REST, Node.js takes 16 KiB, aiohttp 8 KiB in a header, Python's own client 100 headers |
//!
//! | metadata of a failed call | meaning |
//! |---|---|
//! | `grpc-retry-pushback-ms: -1` | do not retry (gRFC A6): the bridge has retried as often as it may. Without it attempts would multiply |
//! | `eset-protect-code-inferred-from: 404` | the code was inferred from this HTTP status, see [`Error::is_code_inferred`](crate::Error::is_code_inferred) |
//! | `eset-protect-tenant: acme` | the upstream of this tenant does not answer, or refuses the tenant's own login (`UNAVAILABLE`). Where an upstream or a proxy is, why there is no connection, and what a page says that a proxy sends instead of an answer is in the log and in [`Operations`], not in the message |
//!
//! Where the tenant has a login, `UNAUTHENTICATED` is about what the caller showed: to the bridge, or to the upstream
//! with [`Identity::OwnToken`].
//!
//! The health service has each tenant as `tenants/NAME`; [`Operations`] says when one is `NOT_SERVING`.
//!
//! gRPC's own clients and this crate's obey `grpc-retry-pushback-ms`. Where another client does not, turn its
//! retries off.

mod access;
mod access_handle;
mod admitted;
mod audit;
mod background;
mod bridge;
mod caller;
mod certificate_files;
mod config;
mod failure;
mod gate;
mod health;
mod health_checks;
mod hosted_rpc;
mod jwt;
mod large;
mod metadata;
mod operations;
mod own_tokens;
#[cfg(feature = "redis")]
mod redis_budget;
mod rules;
mod server;
mod tls;

pub use access::Access;
pub use access_handle::AccessHandle;
pub use audit::AuditLog;
pub use bridge::{Bridge, RunningBridge};
pub use caller::{Caller, Identity, ParseHashError, TokenHash};
pub use config::{Config, ConfigError};
pub use jwt::{Jwks, JwtIssuer};
pub use operations::Operations;
#[cfg(feature = "redis")]
pub use redis_budget::RedisBudget;
pub use rules::{ParsePatternError, RpcPattern, Rules};
pub use server::{ReloadHandle, Server};
pub use tls::{ServerTls, TlsHandle};
