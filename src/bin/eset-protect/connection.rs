//! Options of all commands that make calls: server, login, timeouts and output.

mod settings;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use eset_protect::codegen::names::{
    CA_CERT, CLIENT_CERT, CLIENT_KEY, CREDENTIALS, ENDPOINT, MAX_ATTEMPTS, METADATA, ON_PREM,
    PASSWORD, PIN_CERT, PIN_SHA256, RATE, REGION, SERVER_NAME, TENANT, TIMEOUT, TOKEN, TOKEN_URL,
    USERNAME, WIRE,
};
use eset_protect::codegen::{self, Origin, key};
use eset_protect::{Client, ClientBuilder, Region};
use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::output::View;
use crate::prompt;
use crate::run::block_on;
use crate::safety::Safety;
use crate::server::{Server, ServerKind};
use crate::witness::watched;
use settings::Settings;

// The library parses the values of flags and variables alike. clap would report a conflict between a flag and
// the variable of another.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Upstream {
    /// The profile in ~/.config/eset-protect/config.toml whose settings apply where neither a flag nor a variable
    /// is given; see `eset-protect auth login --help` [env: ESET_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
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
    /// The maximum number of times to send a call that is safe to repeat; 5 by default. Not counted: once more
    /// with another token if the first was refused, once more after a connection that refused the call
    /// unprocessed [env: ESET_PROTECT_MAX_ATTEMPTS]
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
    /// Trust exactly the certificate with this SHA-256 fingerprint, in hexadecimal with or without colons
    /// [env: ESET_PROTECT_PIN_SHA256]
    #[arg(long, global = true, value_name = "HEX")]
    pin_sha256: Option<OsString>,
    /// The certificate to show to the server, with its chain: a file in PEM [env: ESET_PROTECT_CLIENT_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// The private key of that certificate: a file in PEM [env: ESET_PROTECT_CLIENT_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// The name that the server's certificate must have, instead of the host [env: ESET_PROTECT_SERVER_NAME]
    #[arg(long, global = true, value_name = "NAME")]
    server_name: Option<OsString>,
    /// The tenant, at a bridge (`eset-protect serve`) that has several [env: ESET_PROTECT_TENANT]
    #[arg(long, global = true, value_name = "NAME")]
    tenant: Option<OsString>,
    /// Send this header (gRPC: metadata) with every call, such as x-emulator-fault=code=UNAVAILABLE; may be
    /// repeated. Other users can see arguments, so a secret belongs in the variable, which has a header a line
    /// [env: ESET_PROTECT_METADATA]
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    metadata: Vec<OsString>,
}

/// What to connect to, and how to print what comes of it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Connection {
    #[command(flatten)]
    pub upstream: Upstream,
    #[command(flatten)]
    pub view: View,
}

impl Connection {
    /// Connects, logs in if there is a login, and makes calls.
    pub fn run(
        self,
        call: impl AsyncFnOnce(Client, &View) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut settings = self.upstream.settings()?;
        let view = self.view.settled(settings.profile())?;
        // A dry run connects only if it has to ask for something.
        let is_dry = view.safety.dry_run;
        with_client(&mut settings, is_dry, async |client| call(client, &view).await)
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
        let view = self.view()?;
        block_on(call(None, &view))
    }

    /// Returns how to print what needs no server.
    pub fn view(self) -> Result<View, Failure> {
        self.view.settled(self.upstream.settings()?.profile())
    }

    /// Adds the options that protect from mistakes.
    pub fn safely(mut self, safety: Safety) -> Self {
        self.view.safety = safety;
        self
    }

    /// Prints whole responses, even where a person would get a table.
    pub fn in_json(mut self) -> Result<Self, Failure> {
        self.view = self.view.in_json()?;
        Ok(self)
    }
}

impl Upstream {
    /// Returns the settings of a profile for this server and login, once `verify` has accepted them. Asks for a login
    /// where none is given.
    pub fn for_login(
        self,
        verify: impl AsyncFnOnce(Client) -> Result<(), Failure>,
    ) -> Result<Login, Failure> {
        let mut settings = Settings::new(self.flags(), Some(String::new()))?;
        if !settings.server().is_named {
            return Err(Failure::of("expected a server", "--region, --on-prem or --endpoint"));
        }
        with_client(&mut settings, false, verify)?;
        let text = |name: &str| Some((key(name), settings.text(name)?));
        let texts = [ENDPOINT, REGION, ON_PREM, WIRE, PIN_SHA256, SERVER_NAME, TOKEN_URL, TENANT];
        let file = |name: &str| {
            let path = std::path::absolute(settings.text(name)?).ok()?;
            Some((key(name), path.display().to_string()))
        };
        let files = [CREDENTIALS, CA_CERT, PIN_CERT, CLIENT_CERT, CLIENT_KEY];
        let given = texts.into_iter().filter_map(text).chain(files.into_iter().filter_map(file));
        let secrets = [USERNAME, PASSWORD, TOKEN].into_iter().filter_map(text);
        let lines: String = secrets.map(|(key, text)| format!("{key}={text}\n")).collect();
        let is_variable = |name| settings.origin(name) == Some(Origin::Environment);
        Ok(Login {
            is_in_environment: [PASSWORD, TOKEN].into_iter().any(is_variable),
            settings: given.collect(),
            username: settings.text(USERNAME),
            secret: (!lines.is_empty()).then(|| lines.into()),
        })
    }

    /// Describes the profile, the server and the login, and where they come from.
    pub fn described(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let settings = Settings::new(self.flags(), self.profile.clone())?;
        let origin = |names: &[&str]| match names.iter().find_map(|name| settings.origin(name)) {
            Some(Origin::Flag) => ", by a flag",
            Some(Origin::Environment) => ", from the environment",
            Some(Origin::Profile) => ", from the profile",
            None => "",
        };
        let profile =
            settings.profile().map_or("none".to_owned(), |profile| profile.name().to_owned());
        let login = match settings.text(USERNAME) {
            Some(name) => format!("user {name}"),
            None if settings.has(TOKEN) => "a token".to_owned(),
            None if settings.has(CREDENTIALS) => "a file".to_owned(),
            None => "none".to_owned(),
        };
        let server = format!("{}{}", settings.server(), origin(&[ENDPOINT, REGION, ON_PREM]));
        let login = format!("{login}{}", origin(&[USERNAME, TOKEN, CREDENTIALS]));
        Ok(vec![("profile", profile), ("server", server), ("login", login)])
    }

    /// Returns the configuration of a client that asks nobody for a login.
    pub fn builder_without_prompt(self) -> Result<ClientBuilder, Failure> {
        self.settings()?.builder(true)
    }

    /// Returns a client of the second tenant, which the variables `ESET_PROTECT_OTHER_…` name, and its server.
    pub fn other() -> Result<(Client, Server), Failure> {
        const PREFIX: &str = "ESET_PROTECT_";
        let settings = codegen::Settings::of_env("ESET_PROTECT_OTHER_");
        let mut settings =
            Settings(settings.map_err(|error| Failure::Input(error.message().to_owned()))?);
        if ![ENDPOINT, REGION, ON_PREM].iter().any(|name| settings.has(name)) {
            let what = "expected a second tenant in ESET_PROTECT_OTHER_ENDPOINT, _REGION, _ON_PREM or _PROFILE, found none";
            return Err(Failure::of("--other", what));
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

    /// Makes calls whose results are not printed.
    pub fn run(self, call: impl AsyncFnOnce(Client) -> Result<(), Failure>) -> Result<(), Failure> {
        with_client(&mut self.settings()?, false, call)
    }

    /// Returns a builder for a client, and the server for people.
    pub fn builder(self) -> Result<(ClientBuilder, String), Failure> {
        let mut settings = self.settings()?;
        ask_for_login(&mut settings)?;
        Ok((settings.builder(true)?, settings.server().to_string()))
    }

    /// Names the server, the tenant at a bridge, and for the cloud the user, since a region has many tenants: a plan is for
    /// one.
    pub fn tenant(&self) -> Result<String, Failure> {
        let settings = self.settings()?;
        let server = settings.server();
        let name = match (&server.kind, settings.text(USERNAME)) {
            (ServerKind::Cloud(_), Some(user)) => format!("{server}, user {user}"),
            _ => server.to_string().trim_end_matches('/').to_ascii_lowercase(),
        };
        Ok(match settings.text(TENANT) {
            Some(tenant) => format!("{name}, tenant {tenant}"),
            None => name,
        })
    }

    fn settings(&self) -> Result<Settings, Failure> {
        Settings::new(self.flags(), self.profile.clone())
    }

    /// Returns an option of the connection that is given.
    pub fn given(&self) -> Option<String> {
        let first = self.flags().first().map(|(name, _)| key(name).replace('_', "-"));
        first
            .or(self.profile.is_some().then(|| "profile".to_owned()))
            .map(|name| format!("--{name}"))
    }

    /// Returns the flags that are given, by the names of their variables.
    fn flags(&self) -> Vec<(&'static str, OsString)> {
        let path = |path: &Option<PathBuf>| path.clone().map(OsString::from);
        let flags = [
            (ENDPOINT, self.endpoint.clone()),
            (REGION, self.region.clone().map(Into::into)),
            (ON_PREM, self.on_prem.clone()),
            (WIRE, self.wire.clone().map(Into::into)),
            (CREDENTIALS, path(&self.credentials)),
            (USERNAME, self.username.clone()),
            (TOKEN_URL, self.token_url.clone()),
            (TIMEOUT, self.timeout.clone()),
            (MAX_ATTEMPTS, self.max_attempts.clone()),
            (RATE, self.rate.clone()),
            (CA_CERT, path(&self.ca_cert)),
            (PIN_CERT, path(&self.pin_cert)),
            (PIN_SHA256, self.pin_sha256.clone()),
            (CLIENT_CERT, path(&self.client_cert)),
            (CLIENT_KEY, path(&self.client_key)),
            (SERVER_NAME, self.server_name.clone()),
            (TENANT, self.tenant.clone()),
            (METADATA, (!self.metadata.is_empty()).then(|| self.metadata.join(OsStr::new("\n")))),
        ];
        flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// What a profile needs.
#[derive(Debug)]
pub struct Login {
    /// The server and its certificates, by key.
    pub settings: Vec<(String, String)>,
    pub username: Option<String>,
    /// The login as a file of credentials has it.
    pub secret: Option<SecretString>,
    /// Whether further commands find the secret in the environment.
    pub is_in_environment: bool,
}

/// Connects, and asks for a login first where one is missing.
fn with_client(
    settings: &mut Settings,
    is_lazy: bool,
    call: impl AsyncFnOnce(Client) -> Result<(), Failure>,
) -> Result<(), Failure> {
    ask_for_login(settings)?;
    let builder = watched(settings.builder(true)?);
    block_on(async {
        call(if is_lazy { builder.connect_lazy()? } else { builder.connect().await? }).await
    })
    .map_err(|failure| failure.at(settings.server()))
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
            settings.0.set(USERNAME, username.clone().into());
            username
        }
    };
    // Reports other errors before it prompts.
    settings.builder(false)?;
    settings.0.set(PASSWORD, prompt::password(&username)?.expose_secret().into());
    Ok(())
}
