//! The configuration file of a bridge.

mod callers;
mod config_error;
mod place;
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
use self::place::Source;
use super::access::Access;
use super::bridge::Bridge;
use super::tls::ServerTls;
use crate::client::duration;
use crate::error::Error;
use crate::server::{ConnectionLimits, Origin};

/// The configuration of a bridge, a file in TOML:
///
/// ```toml
/// listen = "0.0.0.0:8443"                      # 127.0.0.1:50051 by default
/// allow_origins = ["https://console.example"]  # web pages that may call (CORS); none by default
///
/// [tls]                                        # needed for any address but loopback
/// certificate = "server.pem"
/// key = "server.key"
/// client_authorities = "clients.pem"           # only for callers with a certificate
///
/// [limits]
/// max_connections = 10000
/// idle_time = "5m"
/// head_time = "30s"
/// body_time = "30s"
/// drain_time = "30s"                           # for current calls after SIGTERM
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
///
/// [callers.soar]
/// token_sha256 = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a"
/// tenants = ["acme"]
/// allow = ["DeviceTasks/*", "Policies/Get*"]
/// deny = ["*/Delete*"]
///
/// [callers.console]
/// certificate = "spiffe://example.org/console"
/// tenants = ["acme", "plant"]
/// read_only = true
/// ```
///
/// * **Tenants** have the settings that [`ClientBuilder::from_env`](crate::ClientBuilder::from_env) describes, by
///   their names without `ESET_PROTECT_` and in lower case: `endpoint`, `region` or `on_prem`, and `wire`, `username`,
///   `credentials`, `token_url`, `timeout`, `max_attempts`, `rate`, `ca_cert`, `pin_cert`. Secrets are not in the file:
///   `password_env` and `token_env` name variables of the environment, and `credentials_command` is a program with its
///   arguments that prints what a file of `credentials` contains. It runs without a shell, whenever the file is read.
/// * **Callers** have one of `token_sha256`, `certificate`, `own_token = true` (their own token for the upstream is
///   passed on) and `anyone = true` (on loopback alone); see [`Identity`](super::Identity). `allow`, `deny` and
///   `read_only` are [`Rules`](super::Rules). Without any caller, everybody on loopback may use every tenant.
/// * **Paths** are relative to the folder of the file.
#[derive(Debug)]
pub struct Config {
    listen: SocketAddr,
    origins: Vec<Origin>,
    tls: Option<ServerTls>,
    limits: ConnectionLimits,
    access: Access,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Spanned<String>>,
    #[serde(default)]
    allow_origins: Vec<Spanned<String>>,
    tls: Option<Spanned<TlsTable>>,
    #[serde(default)]
    limits: LimitsTable,
    tenants: BTreeMap<String, Spanned<tenants::Table>>,
    #[serde(default)]
    callers: BTreeMap<String, Spanned<CallerTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsTable {
    certificate: Spanned<PathBuf>,
    key: Spanned<PathBuf>,
    client_authorities: Option<Spanned<PathBuf>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    max_connections: Option<usize>,
    idle_time: Option<Spanned<String>>,
    head_time: Option<Spanned<String>>,
    body_time: Option<Spanned<String>>,
    drain_time: Option<Spanned<String>>,
}

impl Config {
    /// Reads a file, the files that it names and the variables that it names, and runs its commands. Connects to
    /// nothing.
    ///
    /// Tenants that have the same settings as in `previous`, the access of a bridge that is running, keep their
    /// clients: connections, tokens and what is left of their budgets.
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
            None => SocketAddr::from(([127, 0, 0, 1], 50_051)),
            Some(text) => text.as_ref().parse().map_err(|_| {
                let expected = "an IP address and a port, such as 127.0.0.1:50051";
                source.wrong("listen", text, expected)
            })?,
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
        Ok(Self { listen, origins, tls, limits, access })
    }

    /// Returns the address to listen on.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Returns the certificate to serve with.
    pub fn tls(&self) -> Option<&ServerTls> {
        self.tls.as_ref()
    }

    /// Returns who may call what.
    pub fn into_access(self) -> Access {
        self.access
    }

    /// Returns a bridge with this configuration.
    pub fn into_bridge(self) -> Bridge {
        let bridge = Bridge::new(self.access).connection_limits(self.limits);
        let bridge = self.origins.into_iter().fold(bridge, Bridge::allow_origin);
        match self.tls {
            Some(tls) => bridge.tls(tls),
            None => bridge,
        }
    }
}

fn tls(source: &Source<'_>, table: &Spanned<TlsTable>) -> Result<ServerTls, ConfigError> {
    let TlsTable { certificate, key, client_authorities } = table.as_ref();
    let certificate = source.file("tls.certificate", certificate)?;
    let key = source.file("tls.key", key)?;
    let authorities = client_authorities.as_ref();
    let authorities =
        authorities.map(|path| source.file("tls.client_authorities", path)).transpose()?;
    let tls = ServerTls::new(certificate, key, authorities.as_deref());
    tls.map_err(|error| source.at("tls", &table.span(), &Error::message(&error)))
}

fn limits(source: &Source<'_>, table: &LimitsTable) -> Result<ConnectionLimits, ConfigError> {
    let mut limits = ConnectionLimits { drain_time: Duration::from_secs(30), ..Default::default() };
    limits.max_connections = table.max_connections.unwrap_or(limits.max_connections);
    let times = [
        ("limits.idle_time", &table.idle_time, &mut limits.idle_time),
        ("limits.head_time", &table.head_time, &mut limits.head_time),
        ("limits.body_time", &table.body_time, &mut limits.body_time),
        ("limits.drain_time", &table.drain_time, &mut limits.drain_time),
    ];
    for (key, text, place) in times {
        if let Some(text) = text {
            *place = duration(text.as_ref()).map_err(|e| source.at(key, &text.span(), &e))?;
        }
    }
    Ok(limits)
}

fn access(
    source: &Source<'_>,
    file: &File,
    previous: Option<&Access>,
) -> Result<Access, ConfigError> {
    let mut access = Access::new();
    for (name, table) in &file.tenants {
        let tenant = tenants::tenant(source, name, table, previous)?;
        access.insert(name, tenant);
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
    for (name, table) in &file.callers {
        let caller = callers::caller(source, name, table)?;
        let added = access.caller(caller);
        access = added.map_err(|error| source.at("callers", &table.span(), &error))?;
    }
    Ok(access)
}
