//! Which variables belong together, and their keys in files.
#![cfg_attr(not(feature = "profiles"), expect(unreachable_pub, reason = "the command uses them"))]

use super::names::{
    CA_CERT, CLIENT_CERT, CLIENT_KEY, CREDENTIALS, ENDPOINT, MAX_ATTEMPTS, METADATA, ON_PREM,
    PASSWORD, PIN_CERT, PIN_SHA256, RATE, REGION, SERVER_NAME, TENANT, TIMEOUT, TOKEN, TOKEN_URL,
    USERNAME, WIRE,
};

/// What the variables begin with.
pub(crate) const PREFIX: &str = "ESET_PROTECT_";

pub(super) const SERVER: &[&str] = &[ENDPOINT, REGION, ON_PREM];
pub(super) const LOGIN: &[&str] = &[CREDENTIALS, TOKEN, USERNAME, PASSWORD];
pub(super) const TRUST: &[&str] = &[CA_CERT, PIN_CERT, PIN_SHA256];
pub(super) const CLIENT: &[&str] = &[CLIENT_CERT, CLIENT_KEY];

/// All variables. A source that sets one of a group overrides all of the group.
pub(super) const GROUPS: &[&[&str]] = &[
    SERVER,
    LOGIN,
    TRUST,
    CLIENT,
    &[SERVER_NAME],
    &[WIRE],
    &[TOKEN_URL],
    &[TIMEOUT],
    &[MAX_ATTEMPTS],
    &[RATE],
    &[TENANT],
    &[METADATA],
];

/// Returns the names of all variables.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().copied().flatten().copied()
}

/// Returns the key of a variable in a file: `token_url` for `ESET_PROTECT_TOKEN_URL`.
pub fn key(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).to_ascii_lowercase()
}
