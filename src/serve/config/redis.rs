//! The table of Redis.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::config_error::ConfigError;
use super::place::Source;
use crate::client::ClientBuilder;
use crate::error::Error;
use crate::serve::{RedisBudget, TokenHash};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    url: Option<Spanned<String>>,
    url_env: Option<Spanned<String>>,
    instances: Spanned<u32>,
}

/// The budget that bridges share.
pub(super) struct Budget {
    budget: Arc<RedisBudget>,
    fingerprint: TokenHash,
}

impl Budget {
    pub(super) fn read(source: &Source<'_>, table: &Spanned<Table>) -> Result<Self, ConfigError> {
        let Table { url, url_env, instances } = table.as_ref();
        let (key, place, address) = match (url, url_env) {
            (Some(url), None) if url.as_ref().contains('@') => {
                let problem = "a secret does not belong in this file; use url_env";
                return Err(source.at("redis.url", &url.span(), &problem));
            }
            (Some(url), None) => ("redis.url", url, url.as_ref().clone()),
            (None, Some(name)) => {
                let found = std::env::var(name.as_ref()).ok().filter(|value| !value.is_empty());
                let missing = || format!("the environment has no variable {:?}", name.as_ref());
                let found =
                    found.ok_or_else(|| source.at("redis.url_env", &name.span(), &missing()))?;
                ("redis.url_env", name, found)
            }
            _ => return Err(source.at("redis", &table.span(), &"expected one of url and url_env")),
        };
        if *instances.as_ref() == 0 {
            return Err(source.wrong("redis.instances", instances, "the number of bridges"));
        }
        let budget = RedisBudget::new(&address, *instances.as_ref());
        let budget =
            budget.map_err(|error| source.at(key, &place.span(), &Error::message(&error)))?;
        let fingerprint = TokenHash::of(&format!("{address} {}", instances.as_ref()));
        Ok(Self { budget, fingerprint })
    }

    /// Shares the rate limit of a tenant.
    pub(super) fn share(&self, tenant: &str, builder: ClientBuilder) -> ClientBuilder {
        self.budget.share(tenant, builder)
    }

    pub(super) fn fingerprint(&self) -> TokenHash {
        self.fingerprint
    }
}
