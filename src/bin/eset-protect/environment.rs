//! The command's own variables. Empty variables count as unset.

use std::env;

use crate::failure::Failure;

/// Returns the text of a variable. Errors omit it, since it may be a secret.
pub fn text(name: &str) -> Result<Option<String>, Failure> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    let text = value.map(std::ffi::OsString::into_string).transpose();
    text.map_err(|_| Failure::Input(format!("{name}: expected text in UTF-8")))
}
