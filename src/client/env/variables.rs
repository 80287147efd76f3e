//! The variables of an environment.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::Error;

/// The variables of an environment.
pub(super) struct Variables<'a> {
    pub(super) lookup: &'a dyn Fn(&str) -> Option<OsString>,
}

impl Variables<'_> {
    /// Returns the one of these variables that is set, if any. Fails if several are.
    pub(super) fn one_of(&self, names: &[&'static str]) -> Result<Option<&'static str>, Error> {
        let set: Vec<_> = names.iter().copied().filter(|name| self.path(name).is_some()).collect();
        match set.as_slice() {
            [] | [_] => Ok(set.first().copied()),
            _ => Err(Error::config(format!("{}: expected only one of them", set.join(", ")))),
        }
    }

    /// Returns the value as a path.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        (self.lookup)(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Returns the value as text, without the line break that it ends with if it was made from a file, as secrets of
    /// Kubernetes are. Errors omit it, since it may be a secret.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty());
        let text = value.map(OsString::into_string).transpose();
        let text = text.map_err(|_| Error::config(format!("{name}: expected text in UTF-8")))?;
        let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    pub(super) fn parsed<T>(
        &self,
        name: &str,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = parse(&text)
            .map_err(|expected| Error::config(format!("{name}: {expected}, found {text:?}")))?;
        Ok(Some(value))
    }
}

/// Returns the error for a value that needs a cargo feature.
pub(super) fn needs(name: &str, feature: &str) -> Error {
    Error::config(format!("{name}: it needs the cargo feature `{feature}`"))
}
