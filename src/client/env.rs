//! Configures a client from the environment.

mod background;
#[cfg(any(feature = "profiles", feature = "serve"))]
mod command;
mod credentials;
#[cfg(any(feature = "profiles", feature = "serve"))]
pub(crate) mod groups;
mod login;
mod login_file;
mod metadata;
#[doc(hidden)]
pub mod names;
#[cfg(feature = "profiles")]
mod profile;
mod provided_token;
#[cfg(feature = "profiles")]
mod settings;
#[cfg(any(feature = "profiles", feature = "serve"))]
pub(crate) mod table;
mod value;
mod variables;

use std::ffi::OsString;
use std::time::Duration;

use super::builder::CONNECT_TIMEOUT;
use super::target::{Address, Target};
use super::{Client, ClientBuilder};
use crate::call::RetryPolicy;
use crate::error::Error;
use crate::rate_limiter::RateLimiter;
use metadata::with_metadata;
use names::{
    CA_CERT, CLIENT_CERT, CLIENT_KEY, ENDPOINT, MAX_ATTEMPTS, ON_PREM, PIN_CERT, PIN_SHA256, RATE,
    REGION, SERVER_NAME, TIMEOUT, TOKEN_URL, WIRE,
};
#[cfg(feature = "profiles")]
pub use profile::Profile;
#[cfg(feature = "profiles")]
pub use settings::{Origin, Settings};
pub use value::duration;
#[cfg(feature = "serve")]
pub(crate) use value::timeout;
use variables::{Variables, needs};

/// The default address of `eset-protect emulator`.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

impl Client {
    /// Connects to the server that the environment names, as the command `eset-protect` does.
    /// [`ClientBuilder::from_env`] lists the variables.
    ///
    /// Files are read, and a `credentials_command` runs, on a thread of its own. If the future is dropped, that goes on
    /// until the end of the program or its time.
    pub async fn from_env() -> Result<Self, Error> {
        background::run(ClientBuilder::from_env).await?.connect().await
    }
}

/// Configuration from the environment.
impl ClientBuilder {
    /// Configures a client from the environment, by the rules of the command `eset-protect`. Variables that
    /// are not set leave the builder's defaults, and settings that you make on the builder afterwards
    /// override the environment.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `ESET_PROTECT_ENDPOINT` | a server, `http://HOST:PORT` or `https://HOST[:PORT]`; the default is `http://127.0.0.1:50051`, the address of the emulator, if none of the first three is set |
    /// | `ESET_PROTECT_REGION` | instead: the region of ESET's cloud, `eu`, `de`, `us`, `ca` or `jpn` (feature `rest`) |
    /// | `ESET_PROTECT_ON_PREM` | instead: an ESET PROTECT On-Prem server, usually `https://HOST:9443` (feature `rest`) |
    /// | `ESET_PROTECT_WIRE` | `grpc` (default), `rest` or `auto`, for an endpoint (feature `rest` for the last two) |
    /// | `ESET_PROTECT_USERNAME`, `ESET_PROTECT_PASSWORD` | the [login](Self#method.login) (feature `rest`) |
    /// | `ESET_PROTECT_TOKEN` | instead: an access token |
    /// | `ESET_PROTECT_CREDENTIALS` | instead: a file with either, at most 64 KiB: lines `username=…` and `password=…`, or `token=…`. Other users must not be able to read or write it, except that the group of a file of root's may read it. A token is read again when the service refuses it |
    /// | `ESET_PROTECT_TOKEN_URL` | the [token endpoint](Self#method.token_url) (feature `rest`) |
    /// | `ESET_PROTECT_TIMEOUT` | the timeout of [calls](Self::timeout) and of [connecting](Self::connect_timeout): a number with a unit, such as `500ms`, `30s`, `2m` or `1h`, at most 27 hours |
    /// | `ESET_PROTECT_MAX_ATTEMPTS` | the [maximum number of attempts](RetryPolicy::max_attempts) of a call |
    /// | `ESET_PROTECT_RATE` | the maximum number of calls per second, from 1 to 10,000; `0` or `off` for no limit |
    /// | `ESET_PROTECT_CA_CERT` | a file of certificates in PEM: authorities to trust in addition to the system's (feature `tls`) |
    /// | `ESET_PROTECT_PIN_CERT` | instead: the only certificate to trust, in PEM, whatever its name and dates (feature `tls`) |
    /// | `ESET_PROTECT_PIN_SHA256` | instead: the SHA-256 fingerprint of the only certificate to trust, in hexadecimal with or without colons (feature `tls`) |
    /// | `ESET_PROTECT_CLIENT_CERT`, `ESET_PROTECT_CLIENT_KEY` | files in PEM: the certificate to show to the server, with its chain, and its private key (feature `tls`) |
    /// | `ESET_PROTECT_SERVER_NAME` | the name that the server's certificate must have, instead of the host (feature `tls`) |
    /// | `ESET_PROTECT_TENANT` | the tenant at a bridge (`eset-protect serve`) that has several: the metadata `eset-protect-tenant` of every call |
    /// | `ESET_PROTECT_METADATA` | more metadata of every call, a line `NAME=VALUE` each, without those of the [protocol](crate::CallOptions::metadata) |
    /// | `ESET_PROFILE` | the profile whose settings apply where no variable is set (feature `profiles`) |
    ///
    /// Empty variables count as unset, and a line break at the end of a value does not count. With the feature `profiles`, settings that have no variable come from a profile in
    /// `$XDG_CONFIG_HOME/eset-protect/config.toml`, or else `~/.config/eset-protect/config.toml` (`%APPDATA%` on
    /// Windows): that of `ESET_PROFILE`, or the one that the file chooses, or `default`, if there is any. Its keys are the variables in
    /// lower case:
    ///
    /// ```toml
    /// profile = "cloud"                  # instead of `default`
    ///
    /// [profiles.cloud]
    /// region = "eu"
    /// credentials_command = ["secret-tool", "lookup", "service", "eset-protect"]
    ///
    /// [profiles.lab]
    /// on_prem = "https://protect.internal:9443"
    /// pin_cert = "lab.pem"               # files are relative to the folder of config.toml
    /// username = "api"
    /// password_env = "LAB_PASSWORD"      # the variable with the password; or token_env
    /// ```
    ///
    /// A `credentials_command` prints lines as in the file of `ESET_PROTECT_CREDENTIALS`, and runs again when the service
    /// refuses a token that it printed; a password stays the one that it printed first. Secrets themselves are
    /// refused in the file. A profile's login, certificates, wire, tenant and metadata belong to its server: they do not apply if a variable
    /// names the server. Proxies always come from the environment, see [above](Self#proxies).
    ///
    /// # Errors
    ///
    /// Fails if a variable has an invalid value, if two variables that exclude each other are set, if a file
    /// cannot be read, or if the value needs a cargo feature that is off. The error is of kind
    /// [`Config`](crate::ErrorKind::Config) and contains the variable, the value unless it may be a secret,
    /// and what was expected. Nothing was sent.
    ///
    /// It blocks while it reads files, and while a `credentials_command` runs; [`Client::from_env`] does not.
    pub fn from_env() -> Result<Self, Error> {
        #[cfg(feature = "profiles")]
        return Settings::new(Vec::new(), None)?.builder(true);
        #[cfg(not(feature = "profiles"))]
        match std::env::var_os("ESET_PROFILE").filter(|name| !name.is_empty()) {
            Some(_) => Err(needs("ESET_PROFILE", "profiles")),
            None => Self::from_vars(|name| std::env::var_os(name)),
        }
    }

    /// Does the same as [`from_env`](Self::from_env) with variables from another source, and without profiles: a
    /// function returns the value for a name.
    ///
    /// ```
    /// use eset_protect::ClientBuilder;
    ///
    /// let vars = [("ESET_PROTECT_ENDPOINT", "http://127.0.0.1:50051")];
    /// let find = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
    /// let builder = ClientBuilder::from_vars(find)?;
    ///
    /// let error = ClientBuilder::from_vars(|name| Some("soon".into()).filter(|_| name.ends_with("_TIMEOUT")));
    /// assert_eq!(
    ///     error.unwrap_err().message(),
    ///     r#"ESET_PROTECT_TIMEOUT: expected a number with a unit, such as 500ms, 30s, 2m or 1h, found "soon""#,
    /// );
    /// # Ok::<(), eset_protect::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails in the same cases.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        builder(&Variables { lookup: &lookup })
    }
}

fn builder(variables: &Variables<'_>) -> Result<ClientBuilder, Error> {
    let (target, name) = target(variables)?;
    let address = match target.address() {
        Some(text) => Some((Address::parse(text).map_err(of(name))?, text.to_owned())),
        None => None,
    };
    let mut builder = with_wire(variables, ClientBuilder::new(target))?;
    if let Some(attempts) = variables.parsed(MAX_ATTEMPTS, value::attempts)? {
        builder = builder.retry(RetryPolicy::default().max_attempts(attempts));
    }
    match variables.parsed(RATE, value::rate)? {
        None => {}
        Some(0) => builder = builder.no_rate_limiter(),
        Some(calls) => {
            let limiter = RateLimiter::new(calls, Duration::from_secs(1));
            builder = builder.rate_limiter(&limiter);
        }
    }
    if let Some(timeout) = variables.parsed(TIMEOUT, value::timeout)? {
        builder = builder.timeout(timeout).connect_timeout(timeout.min(CONNECT_TIMEOUT));
    }
    builder = with_token_url(variables, builder)?;
    builder = with_certificates(variables, builder)?;
    builder = with_metadata(variables, builder)?;
    if let Some(login) = credentials::login(variables)? {
        if let Some((address, text)) = address {
            address.check_token(&text).map_err(of(name))?;
        }
        builder = login.give(builder);
    }
    Ok(builder)
}

/// Returns what to connect to, and the variable that names it.
fn target(variables: &Variables<'_>) -> Result<(Target, &'static str), Error> {
    let name = variables.one_of(&[ENDPOINT, REGION, ON_PREM])?.unwrap_or(ENDPOINT);
    let text = variables.text(name)?.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    let target = match name {
        ENDPOINT => Target::Endpoint(text),
        #[cfg(feature = "rest")]
        REGION => Target::Cloud(text.parse().map_err(of(name))?),
        #[cfg(feature = "rest")]
        ON_PREM => Target::OnPrem(text),
        _ => return Err(needs(name, "rest")),
    };
    Ok((target, name))
}

#[cfg(feature = "rest")]
fn with_wire(variables: &Variables<'_>, builder: ClientBuilder) -> Result<ClientBuilder, Error> {
    use super::Wire;
    let Some(wire) = variables.parsed(WIRE, value::wire)? else { return Ok(builder) };
    match builder.target {
        Target::Endpoint(_) => Ok(builder.wire(wire)),
        Target::Cloud(_) | Target::OnPrem(_) if wire == Wire::Rest => Ok(builder),
        Target::Cloud(_) | Target::OnPrem(_) => Err(Error::config(format!(
            "{WIRE}: it is for an endpoint; the cloud and On-Prem speak REST only"
        ))),
    }
}

#[cfg(not(feature = "rest"))]
fn with_wire(variables: &Variables<'_>, builder: ClientBuilder) -> Result<ClientBuilder, Error> {
    match variables.text(WIRE)? {
        Some(wire) if !wire.eq_ignore_ascii_case("grpc") => Err(needs(WIRE, "rest")),
        _ => Ok(builder),
    }
}

#[cfg(feature = "rest")]
fn with_token_url(
    variables: &Variables<'_>,
    builder: ClientBuilder,
) -> Result<ClientBuilder, Error> {
    let Some(url) = variables.text(TOKEN_URL)? else { return Ok(builder) };
    // Not included in the error: it may be a token or contain a password.
    if !(url.starts_with("https://") || url.starts_with("http://")) || url.contains('@') {
        return Err(Error::config(format!(
            "{TOKEN_URL}: expected https://HOST[:PORT]/PATH, without credentials"
        )));
    }
    super::builder::token_address(&url).map_err(of(TOKEN_URL))?;
    Ok(builder.token_url(url))
}

#[cfg(not(feature = "rest"))]
fn with_token_url(
    variables: &Variables<'_>,
    builder: ClientBuilder,
) -> Result<ClientBuilder, Error> {
    variables.one_of(&[TOKEN_URL])?.map_or(Ok(builder), |name| Err(needs(name, "rest")))
}

#[cfg(feature = "tls")]
fn with_certificates(
    variables: &Variables<'_>,
    builder: ClientBuilder,
) -> Result<ClientBuilder, Error> {
    use crate::transport::tls::TlsConfig;
    let read = |name: &str| {
        let path = variables.path(name).unwrap_or_default();
        let bytes = std::fs::read(&path);
        let bytes =
            bytes.map_err(|error| Error::config(format!("{name} {}: {error}", path.display())))?;
        // Binary data is not PEM either, and the TLS configuration reports that.
        Ok::<_, Error>(crate::text::decode(&bytes).map_or(bytes, String::into_bytes))
    };
    // The variable already names the kind of certificate.
    let wrong = |name: &str, error: &Error| {
        let message = error.message();
        let problem = message.split_once(": ").map_or(message, |(_, problem)| problem);
        let path = variables.path(name).unwrap_or_default();
        Error::config(format!("{name} {}: {problem}", path.display()))
    };
    let mut tls = TlsConfig::new();
    let trust = variables.one_of(&[CA_CERT, PIN_CERT, PIN_SHA256])?;
    if let Some(name) = trust {
        let trusting = match name {
            CA_CERT => tls.ca_certificate(read(name)?),
            PIN_CERT => tls.pinned_certificate(read(name)?),
            _ => tls.pinned_sha256(&variables.text(name)?.unwrap_or_default()),
        };
        tls = trusting.map_err(|error| wrong(name, &error))?;
    }
    let client = [CLIENT_CERT, CLIENT_KEY].map(|name| variables.path(name));
    tls = match client {
        [None, None] if trust.is_none() && variables.path(SERVER_NAME).is_none() => {
            return Ok(builder);
        }
        [None, None] => tls,
        [Some(_), Some(_)] => {
            let with_client = tls.client_certificate(read(CLIENT_CERT)?, read(CLIENT_KEY)?);
            with_client.map_err(|error| {
                let is_key = error.message().starts_with("the client key");
                wrong(if is_key { CLIENT_KEY } else { CLIENT_CERT }, &error)
            })?
        }
        _ => {
            return Err(Error::config(format!(
                "{CLIENT_CERT}, {CLIENT_KEY}: expected both of them"
            )));
        }
    };
    if let Some(name) = variables.text(SERVER_NAME)? {
        tls = tls.server_name(&name).map_err(|error| {
            Error::config(error.message().replace("the server name", SERVER_NAME))
        })?;
    }
    Ok(builder.tls(tls))
}

#[cfg(not(feature = "tls"))]
fn with_certificates(
    variables: &Variables<'_>,
    builder: ClientBuilder,
) -> Result<ClientBuilder, Error> {
    let all = [CA_CERT, PIN_CERT, PIN_SHA256, CLIENT_CERT, CLIENT_KEY, SERVER_NAME];
    match all.into_iter().find(|name| variables.path(name).is_some()) {
        Some(name) => Err(needs(name, "tls")),
        None => Ok(builder),
    }
}

/// Names the variable instead of the setting in an error.
fn of(name: &str) -> impl Fn(Error) -> Error {
    move |error| {
        let settings = ["endpoint", "region", "token_url"];
        match settings.iter().find_map(|setting| error.message().strip_prefix(setting)) {
            Some(rest) => Error::config(format!("{name}{rest}")),
            None => error,
        }
    }
}
