//! Settings from the environment. An empty variable is none.

use std::env;
use std::path::PathBuf;

use crate::failure::Failure;

/// The text of a variable. An error does not show it: it may be a secret.
pub fn text(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::Input(format!("{name}: expected text in UTF-8")))
        }
    }
}

/// The path in a variable.
pub fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}
