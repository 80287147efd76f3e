//! The table of a tenant: the settings of a client, by the names of its environment variables.

use std::collections::BTreeMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;
use toml::{Spanned, Value};

use super::config_error::ConfigError;
use super::place::Source;
use super::redis::RedisBudget;
use crate::client::{COMMAND, ClientBuilder, FILES, PATIENCE, PREFIX, SettingsTable, duration};
use crate::serve::TokenHash;
use crate::serve::access::{Access, BuiltFrom, Tenant};
use crate::transport::MessageLimit;

pub(super) type Table = BTreeMap<String, Spanned<Value>>;

const USUAL_PATIENCE: Duration = Duration::from_secs(30);
/// How many commands run at a time.
const MOST_COMMANDS: usize = 16;

/// What the file sets for all tenants.
pub(super) struct OfAll {
    pub(super) first_byte: Duration,
    pub(super) message: MessageLimit,
    /// The budget that bridges share, and a hash of its settings.
    pub(super) redis: Option<(Arc<RedisBudget>, TokenHash)>,
}

/// Returns all tenants, in the order of their names. Their commands run concurrently, since each may take long.
pub(super) fn all(
    source: &Source<'_>,
    tables: &BTreeMap<String, Spanned<Table>>,
    of_all: &OfAll,
    previous: Option<&Access>,
) -> Result<Vec<Arc<Tenant>>, ConfigError> {
    let has_command = |table: &&Spanned<Table>| table.as_ref().contains_key(COMMAND);
    let threads = tables.values().filter(has_command).count().clamp(1, MOST_COMMANDS);
    let rest = Mutex::new(tables.iter().enumerate());
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    let read_rest = || {
        let mut read = Vec::new();
        while let Some((index, (name, table))) = next() {
            read.push((index, tenant(source, name, table, of_all, previous)));
        }
        read
    };
    let mut read = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(read_rest)).collect();
        let others = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        read_rest().into_iter().chain(others.flatten()).collect::<Vec<_>>()
    });
    read.sort_by_key(|(index, _)| *index);
    read.into_iter().map(|(_, tenant)| tenant).collect()
}

fn tenant(
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
    let built_from = built_from(&settings, of_all);
    let previous = previous.and_then(|access| access.built(name));
    if let Some((same, _)) = previous.filter(|(_, before)| *before == built_from) {
        return Ok(Arc::clone(same));
    }
    // ESET counts the calls of a credential: a new client may not make as many as the old one at once.
    let same_budget = previous.filter(|(_, before)| before.budget == built_from.budget);
    let same_login = previous.filter(|(_, before)| before.login == built_from.login);
    let kept = same_budget.and(same_login).and_then(|(before, _)| before.client.rate_limiter());
    let lookup = |variable: &str| {
        let key = variable.strip_prefix(PREFIX)?.to_ascii_lowercase();
        settings.values.get(&key).cloned()
    };
    let client = ClientBuilder::from_vars(lookup).and_then(|builder| {
        let builder = settings.with_token_source(builder);
        let builder = builder.first_byte_timeout(of_all.first_byte).message_limit(of_all.message);
        let builder = match &of_all.redis {
            Some((redis, _)) => redis.share(name, builder),
            None => builder,
        };
        builder.resume_limiter(kept).connect_lazy()
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
    if let (None, Some(_), Some(limiter)) = (kept, same_login, client.rate_limiter()) {
        limiter.spend(Instant::now());
    }
    let mut tenant = Tenant::new(name, client);
    tenant.built_from = Some(built_from);
    if let Some((before, _)) = same_budget {
        tenant.own_tokens = Arc::clone(&before.own_tokens);
    }
    Ok(Arc::new(tenant))
}

/// Returns hashes of the settings, with the contents of their files. The client reads these afterwards: one that changes
/// in between has another hash the next time, so that the client is built anew.
fn built_from(settings: &SettingsTable, of_all: &OfAll) -> BuiltFrom {
    let OfAll { first_byte, message, redis } = of_all;
    let redis = redis.as_ref().map(|(_, settings)| settings);
    let (mut budget, mut login) = (format!("{redis:?}\n"), String::new());
    let mut others = format!("{first_byte:?} {}\n", message.bytes);
    for (key, value) in &settings.values {
        let file = FILES.contains(&key.as_str()).then(|| fs::read(value).unwrap_or_default());
        let line = format!("{key}={value:?} {file:?}\n");
        match key.as_str() {
            "endpoint" | "region" | "on_prem" | "rate" => budget.push_str(&line),
            "username" | "token" => login.push_str(&line),
            "credentials" => {
                login.push_str(&user(file.as_deref().unwrap_or_default()));
                others.push_str(&line);
            }
            _ => others.push_str(&line),
        }
    }
    BuiltFrom {
        all: TokenHash::of(&[&*budget, &login, &others].concat()),
        budget: TokenHash::of(&budget),
        login: TokenHash::of(&login),
    }
}

/// Returns the user whom a file of credentials names, whose password may change, or else all of it.
fn user(file: &[u8]) -> String {
    let text = String::from_utf8_lossy(file);
    let user = text.lines().find(|line| line.starts_with("username=")).map(str::to_owned);
    user.unwrap_or_else(|| text.into_owned())
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
