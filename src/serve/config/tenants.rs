//! The table of a tenant: the settings of a client, by the names of its environment variables.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::{Spanned, Value};

use super::config_error::ConfigError;
use super::place::Source;
use super::redis::Budget;
use crate::client::{ClientBuilder, FILES, PATIENCE, PREFIX, SettingsTable, duration};
use crate::serve::TokenHash;
use crate::serve::access::{Access, Tenant};
use crate::transport::MessageLimit;

pub(super) type Table = BTreeMap<String, Spanned<Value>>;

const USUAL_PATIENCE: Duration = Duration::from_secs(30);

/// What the file sets for all tenants.
pub(super) struct OfAll {
    pub(super) first_byte: Duration,
    pub(super) message: MessageLimit,
    pub(super) redis: Option<Budget>,
}

pub(super) fn tenant(
    source: &Source<'_>,
    name: &str,
    table: &Spanned<Table>,
    of_all: &OfAll,
    previous: Option<&Access>,
) -> Result<Arc<Tenant>, ConfigError> {
    let place = |key: &str| format!("tenants.{name}.{key}");
    // Callers name it in a header.
    if name.trim() != name
        || name.is_empty()
        || !name.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    {
        let expected = "expected a name of printable ASCII characters";
        return Err(source.at(&format!("tenants.{name:?}"), &table.span(), &expected));
    }
    let mut settings = SettingsTable::default();
    let folder = source.resolve(Path::new("."));
    let patience = table.as_ref().get(PATIENCE);
    let patience = patience.map_or(Ok(USUAL_PATIENCE), |value| {
        let text = value.as_ref().as_str().unwrap_or_default();
        duration(text).map_err(|problem| source.at(&place(PATIENCE), &value.span(), &problem))
    })?;
    for (key, value) in table.as_ref().iter().filter(|(key, _)| *key != PATIENCE) {
        let added = settings.add(&folder, key, value.as_ref(), patience);
        added.map_err(|problem| source.at(&place(key), &value.span(), &problem))?;
    }
    let of_table = |problem: &str| source.at(&format!("tenants.{name}"), &table.span(), &problem);
    if !["endpoint", "region", "on_prem"].iter().any(|key| settings.values.contains_key(*key)) {
        return Err(of_table("expected one of endpoint, region and on_prem"));
    }
    let fingerprint = fingerprint(&settings, of_all);
    if let Some(same) = previous.and_then(|access| access.same(name, fingerprint)) {
        return Ok(same);
    }
    let lookup = |variable: &str| {
        let key = variable.strip_prefix(PREFIX)?.to_ascii_lowercase();
        settings.values.get(&key).cloned()
    };
    let client = ClientBuilder::from_vars(lookup).and_then(|builder| {
        let builder = settings.with_token_source(builder);
        let builder = builder.first_byte_timeout(of_all.first_byte).message_limit(of_all.message);
        match &of_all.redis {
            Some(redis) => redis.share(name, builder).connect_lazy(),
            None => builder.connect_lazy(),
        }
    });
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

/// Returns a hash of all settings, with the contents of their files. The client reads these afterwards: one that changes
/// in between has another hash the next time, so that the client is built anew.
fn fingerprint(settings: &SettingsTable, of_all: &OfAll) -> TokenHash {
    let OfAll { first_byte, message, redis } = of_all;
    let redis = redis.as_ref().map(Budget::fingerprint);
    let mut text = format!("{first_byte:?} {} {redis:?}\n", message.bytes);
    for (key, value) in &settings.values {
        let file = FILES.contains(&key.as_str()).then(|| fs::read(value).unwrap_or_default());
        text.push_str(&format!("{key}={value:?} {file:?}\n"));
    }
    TokenHash::of(&text)
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
