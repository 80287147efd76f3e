//! Options of all commands that make calls: server, login, timeouts and output.

mod prompt;
mod settings;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use eset_protect::{Client, Region};
use secrecy::ExposeSecret;

use crate::failure::Failure;
use crate::output::View;
use crate::run::block_on;
use crate::server::Server;
use settings::{
    CA_CERT, CREDENTIALS, ENDPOINT, MAX_ATTEMPTS, ON_PREM, PASSWORD, PIN_CERT, RATE, REGION,
    Settings, TIMEOUT, TOKEN, TOKEN_URL, USERNAME, WIRE,
};

// The library parses the values of flags and variables alike. clap would report a conflict between a flag and
// the variable of another.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Connection {
    /// A server of these services, http://HOST:PORT or https://HOST[:PORT]; http://127.0.0.1:50051 by default
    /// [env: ESET_PROTECT_ENDPOINT]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<OsString>,
    /// ESET's cloud, in the region of your ESET PROTECT instance [env: ESET_PROTECT_REGION]
    #[arg(
        long,
        global = true,
        ignore_case = true,
        value_parser = PossibleValuesParser::new(Region::ALL.map(Region::name))
    )]
    region: Option<String>,
    /// An ESET PROTECT On-Prem server, usually https://HOST:9443 [env: ESET_PROTECT_ON_PREM]
    #[arg(long, global = true, value_name = "URL")]
    on_prem: Option<OsString>,
    /// The wire to an endpoint: grpc, rest (HTTP and JSON, as ESET documents it), or auto (gRPC if the server
    /// supports it, otherwise REST); grpc by default [env: ESET_PROTECT_WIRE]
    #[arg(
        long,
        global = true,
        ignore_case = true,
        value_parser = PossibleValuesParser::new(["grpc", "rest", "auto"])
    )]
    wire: Option<String>,
    /// Log in with this file (at most 64 KiB) with the lines `username=…` and `password=…`, or `token=…`;
    /// other users must not be able to read it [env: ESET_PROTECT_CREDENTIALS]
    #[arg(long, global = true, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Log in as this user, with the password in ESET_PROTECT_PASSWORD or from a prompt; for a token, set
    /// ESET_PROTECT_TOKEN instead [env: ESET_PROTECT_USERNAME]
    #[arg(long, global = true, value_name = "NAME", allow_hyphen_values = true)]
    username: Option<OsString>,
    /// The token endpoint for the login; by default that of the region or server [env:
    /// ESET_PROTECT_TOKEN_URL]
    #[arg(long, global = true, value_name = "URL")]
    token_url: Option<OsString>,
    /// The timeout of a call, such as 500ms, 30s or 2m; for a list, of each page. 60s by default, and 150s
    /// for the cloud and On-Prem, whose gateways may take two minutes [env: ESET_PROTECT_TIMEOUT]
    #[arg(long, global = true, value_name = "TIME")]
    timeout: Option<OsString>,
    /// The maximum number of times to send a call that is safe to repeat; 5 by default [env:
    /// ESET_PROTECT_MAX_ATTEMPTS]
    #[arg(long, global = true, value_name = "N")]
    max_attempts: Option<OsString>,
    /// The maximum number of calls per second; 0 or `off` for no limit. By default 10 over REST with a login,
    /// which is ESET's limit, and otherwise no limit [env: ESET_PROTECT_RATE]
    #[arg(long, global = true, value_name = "CALLS")]
    rate: Option<OsString>,
    /// Also trust this authority: a file of certificates in PEM [env: ESET_PROTECT_CA_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Trust exactly this certificate, whatever its name and dates: a file in PEM, for servers with a
    /// self-signed certificate [env: ESET_PROTECT_PIN_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    pin_cert: Option<PathBuf>,
    #[command(flatten)]
    view: View,
}

impl Connection {
    /// Connects, logs in if there is a login, and makes calls.
    pub fn run(
        self,
        call: impl AsyncFnOnce(Client, &View) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let view = self.view.clone();
        let mut settings = self.settings()?;
        ask_for_login(&mut settings)?;
        let builder = settings.builder(true)?;
        block_on(async { call(builder.connect().await?, &view).await })
            .map_err(|failure| failure.at(settings.server()))
    }

    /// Makes calls if any are needed, and otherwise connects to no server.
    pub fn run_if(
        self,
        is_needed: bool,
        call: impl AsyncFnOnce(Option<Client>, &View) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if is_needed {
            return self.run(async |client, view| call(Some(client), view).await);
        }
        block_on(call(None, &self.view))
    }

    /// Returns a client of the second tenant, which the variables `ESET_PROTECT_OTHER_…` name, and its server.
    pub fn other() -> Result<(Client, Server), Failure> {
        const PREFIX: &str = "ESET_PROTECT_";
        let mut settings = Settings::of_env("ESET_PROTECT_OTHER_");
        if ![ENDPOINT, REGION, ON_PREM].iter().any(|name| settings.has(name)) {
            let what = "expected a second tenant in ESET_PROTECT_OTHER_ENDPOINT, _REGION or _ON_PREM, found none";
            return Err(Failure::Input(format!("--other: {what}")));
        }
        let mut connect = || -> Result<_, Failure> {
            ask_for_login(&mut settings)?;
            Ok((settings.builder(true)?.connect_lazy()?, settings.server()))
        };
        connect().map_err(|failure| match failure {
            Failure::Input(what) => Failure::Input(what.replace(PREFIX, "ESET_PROTECT_OTHER_")),
            other => other,
        })
    }

    /// Returns a client that connects with its first call, and the server for people.
    pub fn lazy_client(self) -> Result<(Client, String), Failure> {
        let mut settings = self.settings()?;
        ask_for_login(&mut settings)?;
        let client = settings.builder(true)?.connect_lazy()?;
        Ok((client, settings.server().to_string()))
    }

    fn settings(self) -> Result<Settings, Failure> {
        let flags = [
            (ENDPOINT, self.endpoint),
            (REGION, self.region.map(Into::into)),
            (ON_PREM, self.on_prem),
            (WIRE, self.wire.map(Into::into)),
            (CREDENTIALS, self.credentials.map(Into::into)),
            (USERNAME, self.username),
            (TOKEN_URL, self.token_url),
            (TIMEOUT, self.timeout),
            (MAX_ATTEMPTS, self.max_attempts),
            (RATE, self.rate),
            (CA_CERT, self.ca_cert.map(Into::into)),
            (PIN_CERT, self.pin_cert.map(Into::into)),
        ];
        let given = flags.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Settings::new(given.collect())
    }
}

/// Prompts at the terminal for a missing username or password.
fn ask_for_login(settings: &mut Settings) -> Result<(), Failure> {
    if settings.has(CREDENTIALS) || settings.has(TOKEN) || settings.has(PASSWORD) {
        return Ok(());
    }
    let needs_login = [REGION, ON_PREM, TOKEN_URL].iter().any(|name| settings.has(name));
    let username = match settings.text(USERNAME) {
        Some(username) => username,
        None if !needs_login => return Ok(()),
        None => {
            settings.builder(false)?;
            let username = prompt::username()?;
            settings.set(USERNAME, username.clone().into());
            username
        }
    };
    // Reports other errors before it prompts.
    settings.builder(false)?;
    settings.set(PASSWORD, prompt::password(&username)?.expose_secret().into());
    Ok(())
}
