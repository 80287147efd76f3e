//! Stands in for the table of Redis if the feature `redis` is off.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::config_error::ConfigError;
use super::place::Source;
use crate::client::ClientBuilder;
use crate::serve::TokenHash;

#[derive(Deserialize)]
pub(super) struct Table(#[allow(dead_code)] IgnoredAny);

/// There is none.
pub(in crate::serve) enum RedisBudget {}

impl RedisBudget {
    pub(super) fn share(self: &Arc<Self>, _: &str, _: ClientBuilder) -> ClientBuilder {
        match **self {}
    }
}

pub(super) fn read(
    source: &Source<'_>,
    table: &Spanned<Table>,
) -> Result<(Arc<RedisBudget>, TokenHash), ConfigError> {
    let problem = "this program was built without the feature `redis`";
    Err(source.at("redis", &table.span(), &problem))
}
