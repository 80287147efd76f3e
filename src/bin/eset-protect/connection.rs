//! Where to connect, as whom, how long to wait, and how to print: what all commands that call share.

mod credentials;
mod environment;
mod rate;
mod target;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use eset_protect::auth::StaticToken;
use eset_protect::{Client, ClientBuilder, RetryPolicy, TlsConfig};
use secrecy::ExposeSecret;

use crate::duration;
use crate::failure::Failure;
use crate::input;
use crate::output::Format;
use crate::run::block_on;
use credentials::{Credentials, Login};
use rate::Rate;
pub use target::Place;
use target::Target;

/// The longest time to wait for a connection; a shorter --timeout goes before.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call may take at an endpoint. The cloud and On-Prem have the library's own time.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Connection {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    credentials: Credentials,
    /// The token endpoint to log in at; if not given, that of the region or of the server
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "ESET_PROTECT_TOKEN_URL",
        hide_env_values = true
    )]
    token_url: Option<String>,
    /// How long a call may take, such as 500ms, 30s or 2m; in a list, each page. 30s if not given,
    /// 150s for the cloud and On-Prem, whose gateways may take two minutes
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "ESET_PROTECT_TIMEOUT",
        hide_env_values = true,
        value_parser = parse_duration
    )]
    timeout: Option<Duration>,
    /// How often a call may be sent in all, where a second time does no harm. What the rate limit refuses
    /// is sent again until --timeout, and does not count unless N is 1
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "ESET_PROTECT_MAX_ATTEMPTS",
        hide_env_values = true,
        default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_attempts: u32,
    /// How many calls a second at most; 0 or `off` for no limit. If not given, 10 over REST with a
    /// login, which is what ESET allows, and no limit elsewhere
    #[arg(
        long,
        global = true,
        value_name = "CALLS",
        env = "ESET_PROTECT_RATE",
        hide_env_values = true,
        value_parser = Rate::parse
    )]
    rate: Option<Rate>,
    /// Trust this authority too: a file of certificates in PEM [env: ESET_PROTECT_CA_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Trust exactly this certificate, whatever name and dates it has: a file in PEM, for servers that
    /// signed their own [env: ESET_PROTECT_PIN_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    pin_cert: Option<PathBuf>,
    /// For whom to print
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

impl Connection {
    /// Connects, logs in if that is asked for, and runs a call.
    pub fn run(
        self,
        call: impl AsyncFnOnce(Client, Format) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let place = self.target.place()?;
        // Before anybody is asked for a password.
        let mut builder = self.configure(&place)?;
        let login = self.credentials.find(place.needs_login() || self.token_url.is_some())?;
        let has_login = login.is_some();
        builder = match login {
            Some(login) => login.give(builder),
            None => builder,
        };
        let format = self.output;
        block_on(async { call(builder.connect().await?, format).await })
            .map_err(|failure| failure.at(place, has_login))
    }

    fn configure(&self, place: &Place) -> Result<ClientBuilder, Failure> {
        let retry = RetryPolicy::default().max_attempts(self.max_attempts);
        let mut builder = place.builder().retry(retry);
        if let Some(rate) = self.rate {
            builder = rate.give(builder);
        }
        let timeout = self.timeout.or(match place {
            Place::Endpoint { .. } => Some(TIMEOUT),
            _ => None,
        });
        if let Some(timeout) = timeout {
            builder = builder.timeout(timeout).connect_timeout(timeout.min(CONNECT_TIMEOUT));
        }
        if let Some(url) = &self.token_url {
            // Not shown: it may be a token or hold a password.
            if !(url.starts_with("https://") || url.starts_with("http://")) || url.contains('@') {
                return Err(Failure::Input(
                    "--token-url: expected https://HOST[:PORT]/PATH, without credentials"
                        .to_owned(),
                ));
            }
            builder = builder.token_url(url);
        }
        match self.tls(place)? {
            Some(tls) => Ok(builder.tls(tls)),
            None => Ok(builder),
        }
    }

    fn tls(&self, place: &Place) -> Result<Option<TlsConfig>, Failure> {
        // What a flag says goes before what the environment says, of either.
        let (ca_cert, pin_cert) = match (&self.ca_cert, &self.pin_cert) {
            (None, None) => (
                environment::path("ESET_PROTECT_CA_CERT"),
                environment::path("ESET_PROTECT_PIN_CERT"),
            ),
            (ca_cert, pin_cert) => (ca_cert.clone(), pin_cert.clone()),
        };
        let read = |flag: &str, path: &PathBuf| {
            let bytes = input::read_file(flag, path)?;
            // What is no text is no PEM either, which is for the library to say.
            Ok::<_, Failure>(input::decode(&bytes).map_or(bytes, String::into_bytes))
        };
        match (ca_cert, pin_cert) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Failure::Input(
                "--ca-cert, --pin-cert: expected one of them: a pinned certificate needs no authority"
                    .to_owned(),
            )),
            (Some(path), None) => {
                let tls = TlsConfig::new().ca_certificate(read("--ca-cert", &path)?);
                tls.map(Some).map_err(|error| wrong("--ca-cert", &path, &error))
            }
            (None, Some(path)) => {
                if !place.is_secure() && self.pin_cert.is_some() {
                    return Err(Failure::Input(format!(
                        "--pin-cert: {place} is not https, so it shows no certificate"
                    )));
                }
                let tls = TlsConfig::new().pinned_certificate(read("--pin-cert", &path)?);
                tls.map(Some).map_err(|error| wrong("--pin-cert", &path, &error))
            }
        }
    }
}

fn wrong(flag: &str, path: &std::path::Path, error: &eset_protect::Error) -> Failure {
    Failure::Input(format!("{flag} {}: {}", path.display(), error.message()))
}

impl Login {
    fn give(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Password { username, password } => {
                builder.login(username, password.expose_secret())
            }
            Self::Token(token) => builder.credentials(StaticToken::new(token.expose_secret())),
        }
    }
}

/// A time such as `30s`. gRPC has a limit of its own: eight digits of the largest unit that is needed.
fn parse_duration(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        time if time.as_millis() <= 99_999_999 => Ok(time),
        _ => Err("expected at most 27 hours".to_owned()),
    }
}
