//! The configuration file of a bridge.

mod callers;
mod config_error;
mod fixed;
mod place;
#[cfg_attr(not(feature = "redis"), path = "config/no_redis.rs")]
mod redis;
mod tenants;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use self::callers::CallerTable;
pub use self::config_error::ConfigError;
pub(super) use self::fixed::FixedSettings;
use self::place::Source;
pub(super) use self::redis::RedisBudget;
use super::access::Access;
use super::bridge::Bridge;
use super::certificate_files::{CertificateFiles, TlsFiles};
use super::jwt::{Jwks, JwtIssuer};
use super::tls::ServerTls;
use crate::client::{ClientBuilder, timeout};
use crate::error::Error;
use crate::server::ConnectionLimits;
use crate::transport::MessageLimit;

/// How long an upstream may take to begin its response. ESET's gateway begins within 30 seconds, 50 in older texts
/// (FACTS.md#pending-responses).
const FIRST_BYTE_TIME: Duration = Duration::from_secs(60);
const MESSAGE_LIMIT: MessageLimit = MessageLimit {
    bytes: 16 * 1024 * 1024,
    setting: Some("limits.max_message_size in the configuration file of the bridge"),
};
/// The most that protobuf allows.
const LONGEST_MESSAGE: usize = 0x7fff_ffff;

/// The configuration of a bridge, a file in TOML:
///
/// ```toml
/// listen = "0.0.0.0:8443"                      # 127.0.0.1:50052 by default
/// allow_origins = ["https://console.example"]  # web pages that may call (CORS); no others by default
/// audit_log = "/var/log/eset-protect/audit.jsonl"  # every call that changes something; none by default
/// operations = "127.0.0.1:9090"                # /livez, /readyz and /metrics; none by default
///
/// [tls]                                        # needed for any address but loopback
/// certificate = "server.pem"
/// key = "server.key"
/// client_authorities = "clients.pem"           # only for callers with a certificate
///
/// [limits]
/// max_connections = 10000
/// max_connection_age = "30m"                   # never by default
/// idle_time = "5m"
/// head_time = "30s"
/// body_time = "30s"
/// first_byte_time = "60s"                      # for an upstream to begin its response
/// drain_time = "30s"                           # for current calls after SIGTERM
/// max_message_size = 16777216                  # in bytes, of a request or a response
///
/// [jwt]                                        # only for callers with a JWT
/// issuer = "https://idp.example/"
/// audience = "eset-protect"
/// jwks = "https://idp.example/keys"            # or a file
/// claim = "client_id"                          # which names the caller; "sub" by default
///
/// [redis]                                      # only if several bridges serve the same tenants (feature `redis`)
/// url_env = "REDIS_URL"                        # or `url_file`, or `url` without a password
/// ca_cert = "redis-ca.pem"                     # of a `rediss` server; the system's authorities by default
/// instances = 2                                # the number of bridges
///
/// [tenants.acme]
/// region = "eu"
/// username = "api-user"
/// password_env = "ACME_PASSWORD"               # the name of a variable
///
/// [tenants.plant]
/// on_prem = "https://protect.plant:9443"
/// pin_cert = "plant.pem"
/// credentials_command = ["vault-read", "plant"]
/// credentials_timeout = "10s"
///
/// [callers.soar]
/// # of a token of your own; this hash is refused
/// token_sha256 = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a"
/// tenants = ["acme"]
/// allow = ["DeviceTasks/*", "Policies/Get*"]
/// deny = ["*/Delete*"]
///
/// [callers.pipeline]
/// jwt = "ci-pipeline"                          # the value of the claim
/// tenants = ["acme"]
/// dry_run = ["*/*"]                            # checks calls that change something, and sends none
///
/// [callers.console]
/// certificate = "spiffe://example.org/console"
/// tenants = ["acme", "plant"]
/// read_only = true
/// ```
///
/// * **Tenants** have the settings that [`ClientBuilder::from_env`](crate::ClientBuilder::from_env) describes, by
///   their names without `ESET_PROTECT_` and in lower case: `endpoint`, `region` or `on_prem`, and `wire`, `username`,
///   `credentials`, `token_url`, `timeout`, `max_attempts`, `rate`, `ca_cert`, `pin_cert`, and for an upstream that is
///   a bridge `tenant`. Secrets are not in the file: `password_env` and `token_env` name variables of the environment,
///   and `credentials_command` is a program with its arguments that prints what a file of `credentials` contains. It
///   runs without a shell, whenever the file is read, for at most `credentials_timeout`, by default `"30s"`; those of
///   16 tenants run at a time. What it writes to standard error is not shown.
/// * **Callers** have one of `token_sha256`, `certificate`, `jwt`, `own_token = true` (their own token for the upstream
///   is passed on) and `anyone = true` (on loopback alone); see [`Identity`](super::Identity). `allow`, `deny`,
///   `dry_run` and `read_only` are [`Rules`](super::Rules). Without any caller, everybody on loopback may use every
///   tenant.
/// * **`max_message_size`** is the limit of what callers send and of what upstreams answer, uncompressed, as protobuf and
///   as JSON: from 1 to 2147483647, the most that protobuf allows. By default it is 16 MiB. A call holds its request and
///   its response, each as it was received and as it is passed on, so it takes up to about four times this memory; JSON
///   that consists of tiny values, such as millions of `{}`, up to about twenty times. Compressed, that is a thousandth of
///   it on the wire. Each of the `max_connections` may have 1,024 calls at a time, from callers that are known.
/// * **`[redis]`** is a [`RedisBudget`](super::RedisBudget): the bridges share the rate of each tenant.
/// * **The audit log** is an [`AuditLog`](super::AuditLog), **operations** are [`Operations`](super::Operations), and `[jwt]` is a
///   [`JwtIssuer`].
/// * **Paths** are relative to the folder of the file.
#[derive(Debug)]
pub struct Config {
    pub(super) path: PathBuf,
    /// The settings that a bridge takes when it starts.
    pub(super) fixed: FixedSettings,
    /// The certificate to serve with, and its files.
    pub(super) tls: Option<(ServerTls, CertificateFiles)>,
    pub(super) access: Access,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Spanned<String>>,
    #[serde(default)]
    allow_origins: Vec<Spanned<String>>,
    audit_log: Option<Spanned<PathBuf>>,
    operations: Option<Spanned<String>>,
    jwt: Option<JwtTable>,
    redis: Option<Spanned<redis::Table>>,
    tls: Option<Spanned<TlsFiles<Spanned<PathBuf>>>>,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    tenants: BTreeMap<String, Spanned<tenants::Table>>,
    #[serde(default)]
    callers: BTreeMap<String, Spanned<CallerTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtTable {
    issuer: Spanned<String>,
    audience: Spanned<String>,
    jwks: Spanned<String>,
    claim: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    max_connections: Option<Spanned<u32>>,
    max_connection_age: Option<Spanned<String>>,
    idle_time: Option<Spanned<String>>,
    head_time: Option<Spanned<String>>,
    body_time: Option<Spanned<String>>,
    first_byte_time: Option<Spanned<String>>,
    drain_time: Option<Spanned<String>>,
    max_message_size: Option<Spanned<i64>>,
}

impl Config {
    /// Sets the limits of a client that a file without `[limits]` sets: 60 seconds for the upstream to begin its response,
    /// and messages of 16 MiB. An error of a larger message names the key of the file.
    pub fn default_limits(builder: ClientBuilder) -> ClientBuilder {
        let setting = Some("limits.max_message_size in a configuration file, by --config");
        let limit = MessageLimit { setting, ..MESSAGE_LIMIT };
        builder.first_byte_timeout(FIRST_BYTE_TIME).message_limit(limit)
    }

    /// Reads a file, the files that it names and the variables that it names, and runs its commands. Connects to
    /// nothing.
    ///
    /// Tenants that have the same settings as in `previous`, the access of a bridge that is running, keep their
    /// clients: connections, tokens and what is left of their budgets. With other settings, a tenant that has the same
    /// server and user keeps what is left of its budget.
    ///
    /// # Errors
    ///
    /// Fails if anything cannot be read or is not valid. The error names the file, the line, the key and what was
    /// expected.
    pub fn read(path: impl AsRef<Path>, previous: Option<&Access>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
        let source = Source { path, text: &text };
        let file: File = toml::from_str(&text).map_err(|error| source.syntax(&error))?;
        let tls = file.tls.as_ref().map(|table| tls(&source, table)).transpose()?;
        let access = access(&source, &file, previous)?;
        let listen = match &file.listen {
            None => SocketAddr::from(([127, 0, 0, 1], 50_052)),
            Some(text) => address(&source, "listen", text)?,
        };
        if let Some(at) = file.listen.as_ref().filter(|_| !listen.ip().is_loopback()) {
            if tls.is_none() {
                return Err(source.wrong("listen", at, "a loopback address, or a table [tls]"));
            }
            if access.is_open() {
                let expected =
                    "a loopback address, or callers that show who they are, without `anyone`";
                return Err(source.wrong("listen", at, expected));
            }
        }
        let origin = |text: &Spanned<String>| {
            text.as_ref().parse().map_err(|error| source.at("allow_origins", &text.span(), &error))
        };
        let origins = file.allow_origins.iter().map(origin).collect::<Result<_, _>>()?;
        let limits = limits(&source, &file.limits)?;
        let operations = file.operations.as_ref();
        let operations = operations.map(|text| operations_at(&source, text, listen)).transpose()?;
        let audit_log = file.audit_log.as_ref().map(|path| source.new_file("audit_log", path));
        let audit_log = audit_log.transpose()?;
        let has_tls = tls.is_some();
        let fixed = FixedSettings { listen, has_tls, origins, limits, audit_log, operations };
        Ok(Self { path: path.to_owned(), fixed, tls, access })
    }

    /// Returns the address to listen on.
    pub fn listen(&self) -> SocketAddr {
        self.fixed.listen
    }

    /// Returns who may call what.
    pub fn into_access(self) -> Access {
        self.access
    }

    /// Returns a bridge with this configuration, without its `audit_log` and `operations`. A [`Server`](super::Server) has
    /// all of it, and follows the file.
    pub fn into_bridge(self) -> Bridge {
        let FixedSettings { limits, origins, .. } = self.fixed;
        let bridge = Bridge::new(self.access).connection_limits(limits);
        let bridge = origins.into_iter().fold(bridge, Bridge::allow_origin);
        match self.tls {
            Some((tls, _)) => bridge.tls(tls),
            None => bridge,
        }
    }
}

fn address(
    source: &Source<'_>,
    key: &str,
    text: &Spanned<String>,
) -> Result<SocketAddr, ConfigError> {
    let expected = "an IP address and a port, such as 127.0.0.1:50052";
    text.as_ref().parse().map_err(|_| source.wrong(key, text, expected))
}

/// Returns the address for operations, which the address for calls must leave free.
fn operations_at(
    source: &Source<'_>,
    text: &Spanned<String>,
    listen: SocketAddr,
) -> Result<SocketAddr, ConfigError> {
    let at = address(source, "operations", text)?;
    let (one, other) = (at.ip(), listen.ip());
    let overlaps = one == other || one.is_unspecified() || other.is_unspecified();
    match at.port() {
        port if port > 0 && port == listen.port() && overlaps => {
            Err(source.wrong("operations", text, "another port than that of `listen`"))
        }
        _ => Ok(at),
    }
}

fn jwt(source: &Source<'_>, table: &JwtTable) -> Result<JwtIssuer, ConfigError> {
    let (text, span) = (table.jwks.as_ref(), table.jwks.span());
    let keys = if text.contains("://") {
        Jwks::fetched_from(text)
    } else {
        let path = Spanned::new(span.clone(), PathBuf::from(text));
        Jwks::parse(source.file("jwt.jwks", &path)?)
    };
    let keys = keys.map_err(|error| source.at("jwt.jwks", &span, &Error::message(&error)))?;
    let issuer = JwtIssuer::new(
        source.text("jwt.issuer", &table.issuer)?,
        source.text("jwt.audience", &table.audience)?,
        keys,
    );
    Ok(match &table.claim {
        Some(claim) => issuer.claim(source.text("jwt.claim", claim)?),
        None => issuer,
    })
}

fn tls(
    source: &Source<'_>,
    table: &Spanned<TlsFiles<Spanned<PathBuf>>>,
) -> Result<(ServerTls, CertificateFiles), ConfigError> {
    let paths = table.as_ref().try_map(|_, path| Ok(source.resolve(path.as_ref())))?;
    let contents = table.as_ref().try_map(|key, path| source.file(&format!("tls.{key}"), path))?;
    let tls = contents.tls();
    let tls = tls.map_err(|error| source.at("tls", &table.span(), &Error::message(&error)))?;
    Ok((tls, CertificateFiles::new(paths, &contents)))
}

fn limits(source: &Source<'_>, table: &LimitsTable) -> Result<ConnectionLimits, ConfigError> {
    let mut limits = ConnectionLimits { drain_time: Duration::from_secs(30), ..Default::default() };
    if let Some(count) = &table.max_connections {
        limits.max_connections = match usize::try_from(*count.as_ref()) {
            Ok(count) if count > 0 => count,
            _ => return Err(source.wrong("limits.max_connections", count, "a number above zero")),
        };
    }
    let age = table.max_connection_age.as_ref();
    let age = age.map(|text| time(source, "limits.max_connection_age", text));
    limits.max_connection_age = age.transpose()?;
    let times = [
        ("limits.idle_time", &table.idle_time, &mut limits.idle_time),
        ("limits.head_time", &table.head_time, &mut limits.head_time),
        ("limits.body_time", &table.body_time, &mut limits.body_time),
        ("limits.drain_time", &table.drain_time, &mut limits.drain_time),
    ];
    for (key, text, place) in times {
        if let Some(text) = text {
            *place = time(source, key, text)?;
        }
    }
    Ok(limits)
}

fn message_limit(source: &Source<'_>, table: &LimitsTable) -> Result<MessageLimit, ConfigError> {
    let mut limit = MESSAGE_LIMIT;
    if let Some(bytes) = &table.max_message_size {
        limit.bytes = match usize::try_from(*bytes.as_ref()) {
            Ok(count @ 1..=LONGEST_MESSAGE) => count,
            _ => {
                let expected = format!("a number of bytes from 1 to {LONGEST_MESSAGE}");
                return Err(source.wrong("limits.max_message_size", bytes, &expected));
            }
        };
    }
    Ok(limit)
}

fn time(source: &Source<'_>, key: &str, text: &Spanned<String>) -> Result<Duration, ConfigError> {
    timeout(text.as_ref()).map_err(|expected| {
        source.at(key, &text.span(), &format!("{expected}, found {:?}", text.as_ref()))
    })
}

fn access(
    source: &Source<'_>,
    file: &File,
    previous: Option<&Access>,
) -> Result<Access, ConfigError> {
    let mut access = Access::new();
    let first_byte = file.limits.first_byte_time.as_ref();
    let redis = file.redis.as_ref().map(|table| redis::read(source, table)).transpose()?;
    // A budget stays with its connection if its settings do.
    let kept = previous.and_then(|access| access.redis.as_ref());
    let kept = kept.filter(|(_, settings)| redis.as_ref().is_some_and(|(_, new)| new == settings));
    let of_all = tenants::OfAll {
        first_byte: first_byte
            .map_or(Ok(FIRST_BYTE_TIME), |text| time(source, "limits.first_byte_time", text))?,
        message: message_limit(source, &file.limits)?,
        redis: kept.cloned().or(redis),
    };
    access.redis.clone_from(&of_all.redis);
    for tenant in tenants::all(source, &file.tenants, &of_all, previous)? {
        access.insert(tenant);
    }
    if let Some(table) = &file.jwt {
        access = access
            .jwt(jwt(source, table)?.after(previous.and_then(|access| access.jwt.as_deref())));
    }
    if file.tenants.is_empty() {
        return Err(ConfigError(format!(
            "{}: expected a table [tenants.NAME]",
            source.path.display()
        )));
    }
    if file.callers.is_empty() {
        return Ok(access.open_all());
    }
    let tls = file.tls.as_ref().map(Spanned::as_ref);
    let has_authorities = tls.is_some_and(|tls| tls.client_authorities.is_some());
    for (name, table) in &file.callers {
        let caller = callers::caller(source, name, table, file.jwt.is_some(), has_authorities)?;
        let added = access.caller(caller);
        access =
            added.map_err(|error| source.at("callers", &table.span(), &Error::message(&error)))?;
    }
    Ok(access)
}
