//! Profiles: named settings in the user's configuration file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io};

use serde::Deserialize;
use toml::{Table, Value};

use super::groups::{PREFIX, key};
use super::provided_token::TokenSource;
use super::table::{PATIENCE, SECRETS, SettingsTable, no_secret};
use super::value::duration;
use crate::error::Error;

/// The variable that names the profile.
const VARIABLE: &str = "ESET_PROFILE";
/// The profile where none is named.
const DEFAULT: &str = "default";
/// The key of the output format, which only the command uses.
const OUTPUT: &str = "output";

/// How long a command may take that prints a login: it may ask a person.
const USUAL_PATIENCE: Duration = Duration::from_secs(120);

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Table>,
}

/// A profile, as it is in the file. The file has no secrets.
#[derive(Debug)]
pub struct Profile {
    name: String,
    path: PathBuf,
    table: Table,
}

impl Profile {
    /// Finds the profile of this name, which something named gives, or that the environment or the file names, or
    /// [`DEFAULT`]. None has an empty name.
    pub(super) fn find(name: Option<(String, &str)>) -> Result<Option<Self>, Error> {
        let variable = env::var_os(VARIABLE).filter(|name| !name.is_empty());
        let (wanted, what) = match (name, variable) {
            (Some((name, what)), _) => (Some(name), what),
            (None, Some(name)) => (Some(name.to_string_lossy().into_owned()), VARIABLE),
            (None, None) => (None, "profile"),
        };
        if wanted.as_deref() == Some("") {
            return Ok(None);
        }
        let Some(path) = Self::file() else {
            return match wanted {
                Some(_) => Err(Error::config(format!(
                    "{what}: there is no home directory to look for profiles"
                ))),
                None => Ok(None),
            };
        };
        let wrong = |problem: &str| Error::config(format!("{}: {problem}", path.display()));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && wanted.is_none() => {
                return Ok(None);
            }
            Err(error) => {
                return Err(Error::config(format!("{what}: {}: {error}", path.display())));
            }
        };
        let mut file: File = toml::from_str(&text).map_err(|error| {
            // Its text would quote the line, which may have a secret.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            wrong(&format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
        })?;
        for (name, table) in &file.profiles {
            if let Some(key) = SECRETS.into_iter().find(|key| table.contains_key(*key)) {
                return Err(wrong(&format!("profiles.{name}.{key}: {}", no_secret(key))));
            }
        }
        let default = file.profiles.contains_key(DEFAULT).then(|| DEFAULT.to_owned());
        let Some(name) = wanted.or(file.profile.take()).or(default) else { return Ok(None) };
        match file.profiles.remove(&name) {
            Some(table) => Ok(Some(Self { name, path, table })),
            None => {
                let known: Vec<_> = file.profiles.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let path = path.display();
                Err(Error::config(format!(
                    "{what}: {path} has no profile {name:?}; it has {known}"
                )))
            }
        }
    }

    /// Returns the path of the file: `eset-protect/config.toml` in `$XDG_CONFIG_HOME`, or else in `~/.config`
    /// (`%APPDATA%` on Windows).
    pub fn file() -> Option<PathBuf> {
        let variable = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
        let folder = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = folder.or_else(|| Some(env::home_dir()?.join(".config")))?;
        Some(folder.join("eset-protect").join("config.toml"))
    }

    /// Returns the settings that are wanted, by variable, and the source of the token. Only for those is the command of
    /// a login run.
    pub(super) fn settings(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(BTreeMap<String, OsString>, Option<TokenSource>), Error> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let patience = match self.table.get(PATIENCE) {
            None => USUAL_PATIENCE,
            Some(text) => duration(text.as_str().unwrap_or_default())
                .map_err(|problem| self.wrong(PATIENCE, &problem))?,
        };
        let empty = || SettingsTable { others: &[OUTPUT], ..SettingsTable::default() };
        let (mut settings, mut unwanted) = (empty(), empty());
        for (key, value) in
            self.table.iter().filter(|(key, _)| ![OUTPUT, PATIENCE].contains(&key.as_str()))
        {
            let is_unwanted = |key: &&str| !is_wanted(&variable(key));
            let into = if !SettingsTable::sets(key).iter().any(is_unwanted) {
                &mut settings
            } else if value.is_array() || key.ends_with("_env") {
                // No command is run for it, and no variable has to be there.
                continue;
            } else {
                // Still, a key that does not exist is an error, and a secret too.
                &mut unwanted
            };
            into.add(folder, key, value, patience).map_err(|problem| self.wrong(key, &problem))?;
        }
        let values = settings.values.into_iter().map(|(key, value)| (variable(&key), value));
        Ok((values.collect(), settings.token_source))
    }

    /// Returns the text of the setting of a variable.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.table.get(&key(name)).and_then(Value::as_str).map(str::to_owned)
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the output format, if the profile chooses it.
    pub fn output(&self) -> Option<&str> {
        self.table.get(OUTPUT).and_then(Value::as_str)
    }

    /// Returns where the setting of a variable is, for errors.
    pub fn place(&self, name: &str) -> String {
        format!("{}: profiles.{}.{}", self.path.display(), self.name, key(name))
    }

    fn wrong(&self, key: &str, problem: &str) -> Error {
        Error::config(format!("{}: {problem}", self.place(&variable(key))))
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}
