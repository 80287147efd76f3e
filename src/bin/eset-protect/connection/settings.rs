//! The settings from flags and the environment, by the names of the library's variables.

use std::ffi::OsString;
use std::ops::Deref;

use eset_protect::codegen::names::{
    CA_CERT, ENDPOINT, ON_PREM, PIN_CERT, PIN_SHA256, RATE, REGION, TIMEOUT, TOKEN_URL, WIRE,
};
use eset_protect::codegen::{self, Origin, key};
use eset_protect::{ClientBuilder, Error, Wire};

use crate::calls::type_registry;
use crate::failure::Failure;
use crate::server::{Server, ServerKind, Trust};

/// Downloads and policies may be large, and there is no other way to get them.
const MAX_MESSAGE_SIZE: usize = 256 * 1024 * 1024;

/// The settings, and how their errors name them.
#[allow(missing_debug_implementations)]
pub struct Settings(pub codegen::Settings);

impl Deref for Settings {
    type Target = codegen::Settings;

    fn deref(&self) -> &codegen::Settings {
        &self.0
    }
}

impl Settings {
    /// Combines these flags with the environment and the profile, where no flag overrides them.
    pub fn new(
        given: Vec<(&'static str, OsString)>,
        profile: Option<String>,
    ) -> Result<Self, Failure> {
        if let Some((name, _)) = given.iter().find(|(_, value)| value.is_empty()) {
            return Err(Failure::Input(format!("{}: expected a value, found none", flag(name))));
        }
        let settings = codegen::Settings::new(given, profile);
        settings.map(Self).map_err(|error| Failure::Input(error.message().to_owned()))
    }

    /// Returns the value as text for people.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns the configuration of a client, without the login if only the rest is to be checked.
    pub fn builder(&self, with_login: bool) -> Result<ClientBuilder, Failure> {
        let is_plain = match &self.server().kind {
            ServerKind::Cloud(_) => false,
            ServerKind::Endpoint { url, .. } | ServerKind::OnPrem(url) => {
                url.starts_with("http://")
            }
        };
        if is_plain && self.origin(PIN_CERT) == Some(Origin::Flag) && !self.has(CA_CERT) {
            let why = "the server does not use https, so it has no certificate";
            return Err(Failure::of("--pin-cert", why));
        }
        let builder = self.0.builder(with_login).map_err(|error| self.blame(&error))?;
        let builder = builder.max_message_size(MAX_MESSAGE_SIZE).without_methods_in_errors();
        Ok(builder.type_registry(type_registry().clone()))
    }

    /// Returns the library's error with flags instead of the variables that they set.
    fn blame(&self, error: &Error) -> Failure {
        let message = error.message().to_owned();
        let named = |message: String, name| message.replace(name, &flag(name));
        Failure::Input(self.0.flags().fold(message, named))
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
        let trust = if self.has(PIN_CERT) {
            Trust::Pinned { flag: "--pin-cert" }
        } else if self.has(PIN_SHA256) {
            Trust::Pinned { flag: "--pin-sha256" }
        } else if self.has(CA_CERT) {
            Trust::Authority
        } else {
            Trust::System
        };
        Server {
            kind,
            has_login: self.0.has_login(),
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
    format!("--{}", key(variable).replace('_', "-"))
}
