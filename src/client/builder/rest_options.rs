//! The settings for REST.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::client::target::Wire;

#[derive(Clone, Default)]
pub(super) struct RestOptions {
    /// `None` for the usual wire of the target.
    pub(super) wire: Option<Wire>,
    pub(super) overrides: BTreeMap<String, String>,
    pub(super) token_url: Option<String>,
    pub(super) login: Option<(String, SecretString)>,
    pub(super) integration: Option<String>,
}
