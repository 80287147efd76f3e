//! Where to connect, as whom, how long to wait, and how to print: what all commands that call share.

mod credentials;
pub mod environment;
mod rate;
mod target;
mod trust;

use std::time::Duration;

use clap::Args;
use eset_protect::auth::StaticToken;
use eset_protect::{Client, ClientBuilder, Error, ErrorKind, RetryPolicy};
use secrecy::ExposeSecret;

use crate::duration;
use crate::failure::{At, Failure};
use crate::output::Format;
use crate::run::block_on;
use credentials::{Credentials, Login};
use rate::Rate;
pub use target::Place;
use target::Target;
use trust::Trust;
pub use trust::Trusted;

/// The longest time to wait for a connection; a shorter --timeout goes before.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call may take at an endpoint. The cloud and On-Prem have the library's own time.
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: u32 = 5;
const TOKEN_URL: &str = "ESET_PROTECT_TOKEN_URL";

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Connection {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    credentials: Credentials,
    /// The token endpoint to log in at; if not given, that of the region or of the server
    /// [env: ESET_PROTECT_TOKEN_URL]
    #[arg(long, global = true, value_name = "URL")]
    token_url: Option<String>,
    /// How long a call may take, such as 500ms, 30s or 2m; in a list, each page. 30s if not given,
    /// 150s for the cloud and On-Prem, whose gateways may take two minutes [env: ESET_PROTECT_TIMEOUT]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// How often a call may be sent in all, where a second time does no harm; 5 times if not given
    /// [env: ESET_PROTECT_MAX_ATTEMPTS]
    #[arg(long, global = true, value_name = "N", value_parser = parse_attempts)]
    max_attempts: Option<u32>,
    /// How many calls a second at most; 0 or `off` for no limit. If not given, 10 over REST with a
    /// login, which is what ESET allows, and no limit elsewhere [env: ESET_PROTECT_RATE]
    #[arg(long, global = true, value_name = "CALLS", value_parser = Rate::parse)]
    rate: Option<Rate>,
    #[command(flatten)]
    trust: Trust,
    /// For whom to print
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table", ignore_case = true)]
    output: Format,
}

/// What somebody has said, by a flag or a variable, so that no hint recommends it.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub timeout: Option<Duration>,
    pub has_endpoint: bool,
    pub has_rate: bool,
    pub has_token_url: bool,
    pub trusted: Trusted,
}

impl Connection {
    /// Connects, logs in if that is asked for, and runs a call.
    pub fn run(
        self,
        call: impl AsyncFnOnce(Client, Format) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (place, name) = self.target.place()?;
        // Before anybody is asked for a password.
        let (mut builder, mut said) = self.configure(&place)?;
        said.has_endpoint = name.is_some();
        let login = self.credentials.find(place.needs_login() || said.has_token_url)?;
        let has_login = login.is_some();
        builder = match login {
            Some(login) => login.give(builder),
            None => builder,
        };
        let format = self.output;
        block_on(async {
            let client = builder.connect().await.map_err(|error| blamed(error, name))?;
            call(client, format).await
        })
        .map_err(|failure| failure.at(At { place, has_login, said }))
    }

    fn configure(&self, place: &Place) -> Result<(ClientBuilder, Said), Failure> {
        let attempts =
            environment::or(self.max_attempts, "ESET_PROTECT_MAX_ATTEMPTS", parse_attempts)?;
        let retry = RetryPolicy::default().max_attempts(attempts.unwrap_or(MAX_ATTEMPTS));
        let mut builder = place.builder().retry(retry);
        let rate = environment::or(self.rate, "ESET_PROTECT_RATE", Rate::parse)?;
        if let Some(rate) = rate {
            builder = rate.give(builder);
        }
        let said = environment::or(self.timeout, "ESET_PROTECT_TIMEOUT", parse_duration)?;
        let timeout = said.or(match place {
            Place::Endpoint { .. } => Some(TIMEOUT),
            _ => None,
        });
        if let Some(timeout) = timeout {
            builder = builder.timeout(timeout).connect_timeout(timeout.min(CONNECT_TIMEOUT));
        }
        let (name, token_url) = match &self.token_url {
            Some(url) => ("--token-url", Some(url.clone())),
            None => (TOKEN_URL, environment::text(TOKEN_URL)?),
        };
        if let Some(url) = &token_url {
            // Not shown: it may be a token or hold a password.
            if !(url.starts_with("https://") || url.starts_with("http://")) || url.contains('@') {
                return Err(Failure::Input(format!(
                    "{name}: expected https://HOST[:PORT]/PATH, without credentials"
                )));
            }
            builder = builder.token_url(url);
        }
        let (trusted, tls) = self.trust.find(place)?;
        if let Some(tls) = tls {
            builder = builder.tls(tls);
        }
        let said = Said {
            timeout: said,
            has_endpoint: false,
            has_rate: rate.is_some(),
            has_token_url: token_url.is_some(),
            trusted,
        };
        Ok((builder, said))
    }
}

/// An error in an address, with the name of the flag or the variable that says it.
fn blamed(error: Error, name: Option<&str>) -> Failure {
    let rest =
        error.message().strip_prefix("endpoint").filter(|_| error.kind() == ErrorKind::Config);
    match (name, rest) {
        (Some(name), Some(rest)) => Failure::Input(format!("{name}{rest}")),
        _ => error.into(),
    }
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

fn parse_attempts(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|attempts| *attempts > 0)
        .ok_or_else(|| format!("expected a number from 1 to {}", u32::MAX))
}
