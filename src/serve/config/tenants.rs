//! The table of a tenant: the settings of a client, by the names of its environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::{Spanned, Value};

use super::command;
use super::config_error::ConfigError;
use super::place::Source;
use super::redis::Budget;
use crate::client::{ClientBuilder, duration};
use crate::serve::TokenHash;
use crate::serve::access::{Access, Tenant};

pub(super) type Table = BTreeMap<String, Spanned<Value>>;

/// What the environment variables of a client begin with.
const PREFIX: &str = "ESET_PROTECT_";
const SETTINGS: [&str; 12] = [
    "ca_cert",
    "credentials",
    "endpoint",
    "max_attempts",
    "on_prem",
    "pin_cert",
    "rate",
    "region",
    "timeout",
    "token_url",
    "username",
    "wire",
];
const SECRETS: [&str; 2] = ["password", "token"];
const FILES: [&str; 3] = ["ca_cert", "credentials", "pin_cert"];
const COMMAND: &str = "credentials_command";
/// How long the command may take.
const PATIENCE: &str = "credentials_timeout";
const USUAL_PATIENCE: Duration = Duration::from_secs(30);

/// The settings of a client by name. Some are secret, so there is no `Debug`.
#[derive(Default)]
struct Settings(BTreeMap<String, OsString>);

pub(super) fn tenant(
    source: &Source<'_>,
    name: &str,
    table: &Spanned<Table>,
    redis: Option<&Budget>,
    previous: Option<&Access>,
) -> Result<Arc<Tenant>, ConfigError> {
    let place = |key: &str| format!("tenants.{name}.{key}");
    let mut settings = Settings::default();
    let patience = table.as_ref().get(PATIENCE);
    let patience = patience.map_or(Ok(USUAL_PATIENCE), |value| {
        let text = value.as_ref().as_str().unwrap_or_default();
        duration(text).map_err(|problem| source.at(&place(PATIENCE), &value.span(), &problem))
    })?;
    for (key, value) in table.as_ref() {
        let wrong = |problem: String| source.at(&place(key), &value.span(), &problem);
        match key.as_str() {
            PATIENCE => Ok(()),
            COMMAND => settings.run(source, value.as_ref(), patience),
            _ => settings.add(source, key, value.as_ref()),
        }
        .map_err(wrong)?;
    }
    let of_table = |problem: &str| source.at(&format!("tenants.{name}"), &table.span(), &problem);
    if !["endpoint", "region", "on_prem"].iter().any(|key| settings.0.contains_key(*key)) {
        return Err(of_table("expected one of endpoint, region and on_prem"));
    }
    let fingerprint = settings.fingerprint(redis);
    let same = previous.and_then(|access| access.same(name, fingerprint));
    if let Some(same) = same {
        return Ok(same);
    }
    let lookup = |variable: &str| {
        let key = variable.strip_prefix(PREFIX)?.to_ascii_lowercase();
        settings.0.get(&key).cloned()
    };
    let builder = ClientBuilder::from_vars(lookup);
    let builder = match redis {
        Some(redis) => builder.map(|builder| redis.share(name, builder)),
        None => builder,
    };
    let client = builder.and_then(ClientBuilder::connect_lazy);
    let client = client.map_err(|error| {
        let message = as_keys(error.message());
        // The key to which the error belongs, if it says so.
        let key = message.split([':', ' ']).next().unwrap_or_default();
        match table.as_ref().get(key) {
            Some(value) => source.at(&format!("tenants.{name}"), &value.span(), &message),
            None => of_table(&message),
        }
    })?;
    Ok(Arc::new(Tenant::new(name, client, Some(fingerprint))))
}

impl Settings {
    /// Adds what a key says. The error omits the value, which may be a secret in the wrong place.
    fn add(&mut self, source: &Source<'_>, key: &str, value: &Value) -> Result<(), String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            other => return Err(format!("expected text, found a {}", other.type_str())),
        };
        if let Some(secret) = key.strip_suffix("_env").filter(|key| SECRETS.contains(key)) {
            let found = std::env::var_os(&text).filter(|value| !value.is_empty());
            let found = found.ok_or_else(|| format!("the environment has no variable {text:?}"))?;
            self.0.insert(secret.to_owned(), found);
        } else if SECRETS.contains(&key) {
            return Err(format!("a secret does not belong in this file; use {key}_env"));
        } else if FILES.contains(&key) {
            self.0.insert(key.to_owned(), source.resolve(Path::new(&text)).into());
        } else if SETTINGS.contains(&key) {
            self.0.insert(key.to_owned(), text.into());
        } else {
            let known = SETTINGS.join(", ");
            return Err(format!(
                "expected one of {known}, password_env, token_env, {COMMAND}, {PATIENCE}"
            ));
        }
        Ok(())
    }

    /// Adds the login that a command prints.
    fn run(
        &mut self,
        source: &Source<'_>,
        value: &Value,
        patience: Duration,
    ) -> Result<(), String> {
        let expected = "expected a program and its arguments, such as [\"vault-read\", \"acme\"]";
        let parts = value.as_array().ok_or(expected)?;
        let parts: Option<Vec<_>> = parts.iter().map(Value::as_str).collect();
        let parts = parts.filter(|parts| !parts.is_empty()).ok_or(expected)?;
        let text = command::output(&parts, &source.resolve(Path::new(".")), patience)?;
        let printed = "expected it to print username=… and password=…, or token=…";
        let text = String::from_utf8(text).map_err(|_| printed)?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (key, value) = line.split_once('=').ok_or(printed)?;
            if !["username", "password", "token"].contains(&key) {
                return Err(printed.to_owned());
            }
            self.0.insert(key.to_owned(), value.into());
        }
        Ok(())
    }

    /// Returns a hash of all settings, with the contents of their files.
    fn fingerprint(&self, redis: Option<&Budget>) -> TokenHash {
        let mut text = format!("{:?}\n", redis.map(Budget::fingerprint));
        for (key, value) in &self.0 {
            let file = FILES.contains(&key.as_str()).then(|| fs::read(value).unwrap_or_default());
            text.push_str(&format!("{key}={value:?} {file:?}\n"));
        }
        TokenHash::of(&text)
    }
}

/// Names the keys in an error instead of the variables.
fn as_keys(message: &str) -> String {
    let mut parts = message.split(PREFIX);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        text.push_str(&name.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}
