//! The table of Redis.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::config_error::ConfigError;
use super::place::Source;
use crate::error::Error;
pub(in crate::serve) use crate::serve::RedisBudget;
use crate::serve::TokenHash;
use crate::transport::tls::TlsConfig;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    url: Option<Spanned<String>>,
    url_env: Option<Spanned<String>>,
    url_file: Option<Spanned<PathBuf>>,
    ca_cert: Option<Spanned<PathBuf>>,
    instances: Spanned<u32>,
}

/// Returns the budget that bridges share, and a hash of its settings.
pub(super) fn read(
    source: &Source<'_>,
    table: &Spanned<Table>,
) -> Result<(Arc<RedisBudget>, TokenHash), ConfigError> {
    let of_table = |problem: &str| source.at("redis", &table.span(), &problem);
    let Table { url, url_env, url_file, ca_cert, instances } = table.as_ref();
    let (key, span, address) = match (url, url_env, url_file) {
        (Some(url), None, None) if url.as_ref().contains('@') => {
            let problem = "a secret does not belong in this file; use url_env or url_file";
            return Err(source.at("redis.url", &url.span(), &problem));
        }
        (Some(url), None, None) => ("redis.url", url.span(), url.as_ref().clone()),
        (None, Some(name), None) => {
            let found = std::env::var(name.as_ref()).ok().filter(|value| !value.is_empty());
            let missing = || format!("the environment has no variable {:?}", name.as_ref());
            let found =
                found.ok_or_else(|| source.at("redis.url_env", &name.span(), &missing()))?;
            ("redis.url_env", name.span(), found)
        }
        (None, None, Some(path)) => {
            let text = String::from_utf8_lossy(&source.file("redis.url_file", path)?).into();
            ("redis.url_file", path.span(), text)
        }
        _ => return Err(of_table("expected one of url, url_env and url_file")),
    };
    let address = address.trim();
    if *instances.as_ref() == 0 {
        return Err(source.wrong("redis.instances", instances, "the number of bridges"));
    }
    let authority = ca_cert.as_ref().map(|path| source.file("redis.ca_cert", path));
    let authority = authority.transpose()?;
    let tls = match (&authority, ca_cert) {
        (Some(pem), Some(path)) => TlsConfig::new()
            .ca_certificate(pem)
            .map_err(|error| source.at("redis.ca_cert", &path.span(), &Error::message(&error)))?,
        _ => TlsConfig::new(),
    };
    let budget = RedisBudget::with_tls(address, *instances.as_ref(), &tls);
    let budget = budget.map_err(|error| source.at(key, &span, &Error::message(&error)))?;
    let fingerprint = format!("{address} {} {authority:?}", instances.as_ref());
    Ok((budget, TokenHash::of(&fingerprint)))
}
