//! Errors with the line and the key to which they belong.

use std::fmt::{Debug, Display};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::config_error::ConfigError;

/// A configuration file.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// Returns the error about the value of a key.
    pub(super) fn at(&self, key: &str, span: &Range<usize>, problem: &impl Display) -> ConfigError {
        let line = self.line(span.start);
        ConfigError(format!("{}:{line}: {key}: {problem}", self.path.display()))
    }

    /// Returns the error about a value, which is not secret.
    pub(super) fn wrong<T: Debug>(
        &self,
        key: &str,
        value: &Spanned<T>,
        expected: &str,
    ) -> ConfigError {
        let found = value.as_ref();
        self.at(key, &value.span(), &format!("expected {expected}, found {found:?}"))
    }

    /// Returns a text that must not be empty.
    pub(super) fn text(&self, key: &str, text: &Spanned<String>) -> Result<String, ConfigError> {
        match text.as_ref().trim() {
            "" => Err(self.wrong(key, text, "a text that is not empty")),
            _ => Ok(text.as_ref().clone()),
        }
    }

    /// Returns the error of a text that is not TOML, or not of this form. It does not quote the line, which may hold
    /// a password in the wrong place.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let (path, message) = (self.path.display(), error.message());
        let Some(span) = error.span() else { return ConfigError(format!("{path}: {message}")) };
        let before = self.text.get(..span.start).unwrap_or_default();
        let (above, _) = before.split_at(before.rfind('\n').map_or(0, |at| at + 1));
        let line = self.text.get(above.len()..).unwrap_or_default().lines().next();
        let line = line.unwrap_or_default();
        let key = match line.split_once('=') {
            Some((key, _)) => {
                let table = above.lines().rev().find_map(table);
                table.into_iter().chain([key.trim()]).collect::<Vec<_>>().join(".")
            }
            None => table(line).unwrap_or_default().to_owned(),
        };
        match key.as_str() {
            "" => ConfigError(format!("{path}:{}: {message}", self.line(span.start))),
            key => self.at(key, &span, &message),
        }
    }

    /// Reads a file that the configuration names.
    pub(super) fn file(&self, key: &str, path: &Spanned<PathBuf>) -> Result<Vec<u8>, ConfigError> {
        let found = self.resolve(path.as_ref());
        fs::read(&found)
            .map_err(|error| self.at(key, &path.span(), &format!("{}: {error}", found.display())))
    }

    /// Returns the path of a file to append to, which need not exist, in a folder that must.
    pub(super) fn new_file(
        &self,
        key: &str,
        path: &Spanned<PathBuf>,
    ) -> Result<PathBuf, ConfigError> {
        let found = self.resolve(path.as_ref());
        let folder = found.parent().filter(|folder| !folder.as_os_str().is_empty());
        if found.file_name().is_none() || !folder.is_none_or(Path::is_dir) || found.is_dir() {
            return Err(self.wrong(key, path, "a file in a folder that exists"));
        }
        // Opening a pipe would wait for its reader.
        if found.is_file()
            && let Err(error) = fs::OpenOptions::new().append(true).open(&found)
        {
            return Err(self.at(key, &path.span(), &format!("{}: {error}", found.display())));
        }
        Ok(found)
    }

    /// Returns a path, relative to the folder of the configuration.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

/// Returns the name of the table that a line begins.
fn table(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.bytes().all(is_of_name).then_some(name)
}
