//! Configures a client from the environment.

mod credentials;
mod login;
mod login_file;
mod value;
mod variables;

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use super::builder::CONNECT_TIMEOUT;
use super::target::{Address, Target};
use super::{Client, ClientBuilder};
use crate::call::RetryPolicy;
use crate::error::Error;
use crate::rate_limiter::RateLimiter;
pub use value::duration;
use variables::{Variables, needs};

const ENDPOINT: &str = "ESET_PROTECT_ENDPOINT";
const REGION: &str = "ESET_PROTECT_REGION";
const ON_PREM: &str = "ESET_PROTECT_ON_PREM";
const WIRE: &str = "ESET_PROTECT_WIRE";
const TOKEN_URL: &str = "ESET_PROTECT_TOKEN_URL";
const TIMEOUT: &str = "ESET_PROTECT_TIMEOUT";
const MAX_ATTEMPTS: &str = "ESET_PROTECT_MAX_ATTEMPTS";
const RATE: &str = "ESET_PROTECT_RATE";
const CA_CERT: &str = "ESET_PROTECT_CA_CERT";
const PIN_CERT: &str = "ESET_PROTECT_PIN_CERT";

/// The default address of `eset-protect emulator`.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

impl Client {
    /// Connects to the server that the environment names, as the command `eset-protect` does.
    /// [`ClientBuilder::from_env`] lists the variables.
    pub async fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.connect().await
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
    /// | `ESET_PROTECT_CREDENTIALS` | instead: a file with either, at most 64 KiB: lines `username=…` and `password=…`, or `token=…`. Other users must not be able to read or write it |
    /// | `ESET_PROTECT_TOKEN_URL` | the [token endpoint](Self#method.token_url) (feature `rest`) |
    /// | `ESET_PROTECT_TIMEOUT` | the timeout of [calls](Self::timeout) and of [connecting](Self::connect_timeout): a number with a unit, such as `500ms`, `30s`, `2m` or `1h` |
    /// | `ESET_PROTECT_MAX_ATTEMPTS` | the [maximum number of attempts](RetryPolicy::max_attempts) of a call |
    /// | `ESET_PROTECT_RATE` | the maximum number of calls per second, from 1 to 10,000; `0` or `off` for no limit |
    /// | `ESET_PROTECT_CA_CERT` | a file of certificates in PEM: authorities to trust in addition to the system's (feature `tls`) |
    /// | `ESET_PROTECT_PIN_CERT` | instead: the only certificate to trust, in PEM, whatever its name and dates (feature `tls`) |
    ///
    /// Empty variables count as unset. Proxies always come from the environment, see [above](Self#proxies).
    ///
    /// # Errors
    ///
    /// Fails if a variable has an invalid value, if two variables that exclude each other are set, if a file
    /// cannot be read, or if the value needs a cargo feature that is off. The error is of kind
    /// [`Config`](crate::ErrorKind::Config) and contains the variable, the value unless it may be a secret,
    /// and what was expected. Nothing was sent.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(|name| env::var_os(name))
    }

    /// Does the same as [`from_env`](Self::from_env) with variables from another source: a function that
    /// returns the value for a name.
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
    let Some(name) = variables.one_of(&[CA_CERT, PIN_CERT])? else { return Ok(builder) };
    let path = variables.path(name).unwrap_or_default();
    let wrong = |problem: &str| Error::config(format!("{name} {}: {problem}", path.display()));
    let bytes = std::fs::read(&path).map_err(|error| wrong(&error.to_string()))?;
    // Binary data is not PEM either, and the TLS configuration reports that.
    let pem = crate::text::decode(&bytes).map_or(bytes, String::into_bytes);
    let tls = match name {
        CA_CERT => TlsConfig::new().ca_certificate(pem),
        _ => TlsConfig::new().pinned_certificate(pem),
    };
    let tls = tls.map_err(|error| {
        // The variable already names the kind of certificate.
        let message = error.message();
        wrong(message.split_once(" certificate: ").map_or(message, |(_, problem)| problem))
    })?;
    Ok(builder.tls(tls))
}

#[cfg(not(feature = "tls"))]
fn with_certificates(
    variables: &Variables<'_>,
    builder: ClientBuilder,
) -> Result<ClientBuilder, Error> {
    variables.one_of(&[CA_CERT, PIN_CERT])?.map_or(Ok(builder), |name| Err(needs(name, "tls")))
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
