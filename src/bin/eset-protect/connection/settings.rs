//! The settings from flags and the environment, by the names of the library's variables.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use eset_protect::{ClientBuilder, Error, Wire};

use crate::calls::type_registry;
use crate::failure::Failure;
use crate::server::{Server, ServerKind, Trust};

pub const ENDPOINT: &str = "ESET_PROTECT_ENDPOINT";
pub const REGION: &str = "ESET_PROTECT_REGION";
pub const ON_PREM: &str = "ESET_PROTECT_ON_PREM";
pub const WIRE: &str = "ESET_PROTECT_WIRE";
pub const CREDENTIALS: &str = "ESET_PROTECT_CREDENTIALS";
pub const TOKEN: &str = "ESET_PROTECT_TOKEN";
pub const USERNAME: &str = "ESET_PROTECT_USERNAME";
pub const PASSWORD: &str = "ESET_PROTECT_PASSWORD";
pub const TOKEN_URL: &str = "ESET_PROTECT_TOKEN_URL";
pub const TIMEOUT: &str = "ESET_PROTECT_TIMEOUT";
pub const MAX_ATTEMPTS: &str = "ESET_PROTECT_MAX_ATTEMPTS";
pub const RATE: &str = "ESET_PROTECT_RATE";
pub const CA_CERT: &str = "ESET_PROTECT_CA_CERT";
pub const PIN_CERT: &str = "ESET_PROTECT_PIN_CERT";

const LOGIN: [&str; 4] = [CREDENTIALS, TOKEN, USERNAME, PASSWORD];

/// All variables. A flag for one of a group overrides the environment for all of the group.
const GROUPS: [&[&str]; 8] = [
    &[ENDPOINT, REGION, ON_PREM],
    &LOGIN,
    &[CA_CERT, PIN_CERT],
    &[WIRE],
    &[TOKEN_URL],
    &[TIMEOUT],
    &[MAX_ATTEMPTS],
    &[RATE],
];

/// Settings by variable. Some are secret, so there is no `Debug`.
#[allow(missing_debug_implementations)]
pub struct Settings {
    values: BTreeMap<&'static str, OsString>,
    /// The variables that were set by flags.
    flags: Vec<&'static str>,
}

impl Settings {
    /// Combines these flags with the environment, where no flag overrides it.
    pub fn new(given: Vec<(&'static str, OsString)>) -> Result<Self, Failure> {
        if let Some((name, _)) = given.iter().find(|(_, value)| value.is_empty()) {
            return Err(Failure::Input(format!("{}: expected a value, found none", flag(name))));
        }
        let flags: Vec<_> = given.iter().map(|(name, _)| *name).collect();
        let mut settings = Self { values: given.into_iter().collect(), flags };
        for name in GROUPS.into_iter().flatten().copied() {
            if let Some(value) = env::var_os(name).filter(|value| !value.is_empty())
                && !settings.hides(name)
            {
                settings.values.insert(name, value);
            }
        }
        Ok(settings)
    }

    /// Reads variables with another prefix than ESET_PROTECT_.
    pub fn of_env(prefix: &str) -> Self {
        let find = |name: &'static str| {
            let value = env::var_os(name.replacen("ESET_PROTECT_", prefix, 1))?;
            Some((name, value)).filter(|(_, value)| !value.is_empty())
        };
        let values = GROUPS.into_iter().flatten().copied().filter_map(find).collect();
        Self { values, flags: Vec::new() }
    }

    /// Whether a flag overrides the environment for a variable.
    fn hides(&self, name: &str) -> bool {
        let has_flag = |name: &&str| self.flags.contains(name);
        match name {
            // The password of another user is useless.
            PASSWORD if has_flag(&USERNAME) => {
                let user = env::var_os(USERNAME).filter(|user| !user.is_empty());
                user.is_some_and(|user| self.values.get(USERNAME) != Some(&user))
            }
            WIRE => [REGION, ON_PREM, WIRE].iter().any(has_flag),
            _ => GROUPS.into_iter().filter(|group| group.contains(&name)).flatten().any(has_flag),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub fn set(&mut self, name: &'static str, value: OsString) {
        self.values.insert(name, value);
    }

    /// Returns the value as text for people.
    pub fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns the configuration of a client, without the login if only the rest is to be checked.
    pub fn builder(&self, with_login: bool) -> Result<ClientBuilder, Failure> {
        let find = |name: &str| {
            let is_hidden = !with_login && LOGIN.contains(&name);
            self.values.get(name).filter(|_| !is_hidden).cloned()
        };
        let is_plain = match &self.server().kind {
            ServerKind::Cloud(_) => false,
            ServerKind::Endpoint { url, .. } | ServerKind::OnPrem(url) => {
                url.starts_with("http://")
            }
        };
        if is_plain && self.flags.contains(&PIN_CERT) && !self.has(CA_CERT) {
            return Err(Failure::Input(
                "--pin-cert: the server does not use https, so it has no certificate".to_owned(),
            ));
        }
        let builder = ClientBuilder::from_vars(find).map_err(|error| self.blame(&error))?;
        Ok(builder.type_registry(type_registry().clone()))
    }

    /// Returns the library's error with flags instead of the variables that they set.
    fn blame(&self, error: &Error) -> Failure {
        let name_flag = |message: String, name: &&str| message.replace(*name, &flag(name));
        Failure::Input(self.flags.iter().fold(error.message().to_owned(), name_flag))
    }

    pub fn server(&self) -> Server {
        let kind = if let Some(region) = self.text(REGION) {
            ServerKind::Cloud(region.to_ascii_lowercase())
        } else if let Some(url) = self.text(ON_PREM) {
            ServerKind::OnPrem(url)
        } else {
            let wire = match self.text(WIRE).map(|wire| wire.to_ascii_lowercase()).as_deref() {
                Some("rest") => Wire::Rest,
                Some("auto") => Wire::Auto,
                _ => Wire::Grpc,
            };
            let url = self.text(ENDPOINT).unwrap_or_else(|| "http://127.0.0.1:50051".to_owned());
            ServerKind::Endpoint { url, wire }
        };
        let trust = match (self.has(PIN_CERT), self.has(CA_CERT)) {
            (true, _) => Trust::Pinned,
            (false, true) => Trust::Authority,
            (false, false) => Trust::System,
        };
        Server {
            kind,
            has_login: LOGIN.iter().any(|name| self.has(name)),
            is_named: [ENDPOINT, REGION, ON_PREM].iter().any(|name| self.has(name)),
            timeout: self.text(TIMEOUT),
            has_rate: self.has(RATE),
            has_token_url: self.has(TOKEN_URL),
            trust,
        }
    }
}

/// Returns the flag for a variable: `--token-url` for `ESET_PROTECT_TOKEN_URL`.
fn flag(variable: &str) -> String {
    let name = variable.trim_start_matches("ESET_PROTECT_");
    format!("--{}", name.to_ascii_lowercase().replace('_', "-"))
}
