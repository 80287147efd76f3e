//! Settings of a client as a table of TOML: its keys are the variables in lower case, without their prefix.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Value;

use super::login::{Login, token};
use super::provided_token::TokenSource;
use super::{command, groups, login_file};
use crate::auth::AccessToken;
use crate::client::ClientBuilder;

pub(super) const SECRETS: [&str; 2] = ["password", "token"];
const TOKEN: &str = "token";
pub(crate) const FILES: [&str; 5] =
    ["ca_cert", "client_cert", "client_key", "credentials", "pin_cert"];
pub(crate) const COMMAND: &str = "credentials_command";
/// How long the command may take.
pub(crate) const PATIENCE: &str = "credentials_timeout";

/// The problem with a key that is a secret.
pub(super) fn no_secret(key: &str) -> String {
    format!("a secret does not belong in this file; use {key}_env")
}

/// The settings by key. Some are secret, so there is no `Debug`.
#[derive(Default)]
pub(crate) struct SettingsTable {
    pub(crate) values: BTreeMap<String, OsString>,
    /// The keys of the table that are no settings of a client, beside the time for the command.
    pub(crate) others: &'static [&'static str],
    /// What a command printed is a token: runs it again.
    pub(super) token_source: Option<TokenSource>,
}

impl SettingsTable {
    /// Returns the settings that a key may set: several for a command that prints a login.
    #[cfg(feature = "profiles")]
    pub(crate) fn sets(key: &str) -> Vec<&str> {
        match key {
            COMMAND => login_file::MEMBERS.to_vec(),
            key => {
                vec![key.strip_suffix("_env").filter(|key| SECRETS.contains(key)).unwrap_or(key)]
            }
        }
    }

    /// Adds what a key says; `folder` is that of the file, and `patience` the time that a command which prints a login
    /// may take. The error omits the value, which may be a secret in the wrong place.
    pub(crate) fn add(
        &mut self,
        folder: &Path,
        key: &str,
        value: &Value,
        patience: Duration,
    ) -> Result<(), String> {
        if key == COMMAND {
            return self.run(folder, value, patience);
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            other => return Err(format!("expected text, found a {}", other.type_str())),
        };
        if text.is_empty() {
            return Err("expected a value, found an empty text; leave the key out".to_owned());
        }
        if let Some(secret) = key.strip_suffix("_env").filter(|key| SECRETS.contains(key)) {
            let found = match std::env::var_os(&text) {
                None => return Err(format!("the environment has no variable {text:?}")),
                Some(value) if value.is_empty() => {
                    return Err(format!("the variable {text:?} of the environment is empty"));
                }
                Some(value) => value,
            };
            self.values.insert(secret.to_owned(), found);
            self.token_source = None;
        } else if SECRETS.contains(&key) {
            return Err(no_secret(key));
        } else {
            let mut known: Vec<_> = groups::all().map(groups::key).collect();
            if !known.iter().any(|known| known == key) {
                known.retain(|key| !SECRETS.contains(&key.as_str()));
                known.extend(SECRETS.map(|key| format!("{key}_env")));
                let others = self.others.iter().copied().chain([COMMAND, PATIENCE]);
                known.extend(others.map(str::to_owned));
                known.sort();
                return Err(format!("expected one of {}", known.join(", ")));
            }
            let is_file = FILES.contains(&key);
            let value = if is_file { folder.join(text).into() } else { text.into() };
            self.values.insert(key.to_owned(), value);
        }
        Ok(())
    }

    /// Adds the login that a command prints.
    fn run(&mut self, folder: &Path, value: &Value, patience: Duration) -> Result<(), String> {
        let expected = "expected a program and its arguments, such as [\"vault-read\", \"acme\"]";
        let parts = value.as_array().ok_or(expected)?;
        let parts: Option<Vec<_>> = parts.iter().map(Value::as_str).collect();
        let parts = parts.filter(|parts| !parts.is_empty()).ok_or(expected)?;
        let text = command::output(&parts, folder, patience)?;
        let printed = "expected it to print username=… and password=…, or token=…";
        let text = String::from_utf8(text).map_err(|_| printed)?;
        for (key, value) in login_file::members(&text).map_err(|_| printed)? {
            self.values.insert(key.to_owned(), value.into());
        }
        if self.values.contains_key(TOKEN) {
            let (folder, value) = (folder.to_owned(), value.clone());
            self.token_source = Some(Arc::new(move || {
                let mut again = Self::default();
                again.run(&folder, &value, patience)?;
                let text = again.values.remove(TOKEN).and_then(|text| text.into_string().ok());
                Ok(token(text.ok_or("it prints no token any more")?)?)
            }));
        }
        Ok(())
    }

    /// Gives a client with these settings the command for another token, if a command printed the first.
    #[cfg(feature = "serve")]
    pub(crate) fn with_token_source(&self, builder: ClientBuilder) -> ClientBuilder {
        let text = self.values.get(TOKEN).and_then(|text| text.to_str());
        with_token_source(builder, self.token_source.as_ref(), text)
    }
}

/// Gives a client the source of this token.
pub(super) fn with_token_source(
    builder: ClientBuilder,
    source: Option<&TokenSource>,
    text: Option<&str>,
) -> ClientBuilder {
    match (source.cloned(), text) {
        (Some(source), Some(text)) => {
            Login::Token { token: AccessToken::new(text), source: Some(source) }.give(builder)
        }
        _ => builder,
    }
}
