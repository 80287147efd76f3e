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

/// What a flag says, or else the variable, which is read as the flag is.
pub fn or<T>(
    flag: Option<T>,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    if flag.is_some() {
        return Ok(flag);
    }
    let Some(text) = text(name)? else { return Ok(None) };
    let value = parse(&text)
        .map_err(|problem| Failure::Input(format!("{name}: {problem}, found {text:?}")))?;
    Ok(Some(value))
}

/// The path in a variable.
pub fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}
