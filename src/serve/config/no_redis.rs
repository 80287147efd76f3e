//! Stands in for the table of Redis if the feature `redis` is off.

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
pub(in crate::serve) enum Budget {}

impl Budget {
    pub(super) fn read(source: &Source<'_>, table: &Spanned<Table>) -> Result<Self, ConfigError> {
        let problem = "this program was built without the feature `redis`";
        Err(source.at("redis", &table.span(), &problem))
    }

    pub(super) fn share(&self, _tenant: &str, _builder: ClientBuilder) -> ClientBuilder {
        match *self {}
    }

    pub(super) fn fingerprint(&self) -> TokenHash {
        match *self {}
    }
}
