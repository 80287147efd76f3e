//! The command's own variables. An empty variable counts as not set.

use std::env;

use crate::failure::Failure;

/// The text of a variable. The error does not show it: it may be a secret.
pub fn text(name: &str) -> Result<Option<String>, Failure> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    let text = value.map(std::ffi::OsString::into_string).transpose();
    text.map_err(|_| Failure::Input(format!("{name}: expected text in UTF-8")))
}
