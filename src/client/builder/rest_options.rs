//! The settings for REST.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::client::target::{Target, Wire};

#[derive(Clone)]
pub(super) struct RestOptions {
    pub(super) wire: Wire,
    pub(super) overrides: BTreeMap<String, String>,
    pub(super) token_url: Option<String>,
    pub(super) login: Option<(String, SecretString)>,
    pub(super) integration: Option<String>,
}

impl RestOptions {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            wire: target.wire(),
            overrides: BTreeMap::new(),
            token_url: None,
            login: None,
            integration: None,
        }
    }
}
