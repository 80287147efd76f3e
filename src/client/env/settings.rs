//! Settings from flags, the environment and a profile.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use super::groups::{CLIENT, GROUPS, LOGIN, PREFIX, SERVER, TRUST, all};
use super::names::{
    CREDENTIALS, METADATA, ON_PREM, PASSWORD, REGION, SERVER_NAME, TENANT, TOKEN, TOKEN_URL,
    USERNAME, WIRE,
};
use super::profile::Profile;
use super::provided_token::TokenSource;
use super::table::with_token_source;
use crate::client::ClientBuilder;
use crate::error::Error;

/// Settings of a profile for its server, beside the login and the certificates.
const OF_SERVER: [&str; 5] = [SERVER_NAME, WIRE, TOKEN_URL, TENANT, METADATA];

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of a command.
    Flag,
    /// An environment variable.
    Environment,
    /// The profile.
    Profile,
}

/// Settings by variable. Some are secret, so there is no `Debug`.
#[allow(missing_debug_implementations)]
pub struct Settings {
    values: BTreeMap<&'static str, (OsString, Origin)>,
    profile: Option<Profile>,
    /// Of the profile's token.
    token_source: Option<TokenSource>,
}

impl Settings {
    /// Combines flags, by the names of their variables, with the environment, which they override, and with a
    /// profile, which both override. Without a name it is the profile that the environment names, or that the file of
    /// profiles chooses, or `default`.
    ///
    /// The login, the certificates and the wire of a profile are for its server: they are not used if a flag or a
    /// variable names the server.
    pub fn new(
        flags: Vec<(&'static str, OsString)>,
        profile: Option<String>,
    ) -> Result<Self, Error> {
        let mut settings = Self { values: BTreeMap::new(), profile: None, token_source: None };
        settings
            .values
            .extend(flags.into_iter().map(|(name, value)| (name, (value, Origin::Flag))));
        settings.add(Origin::Environment, variable);
        settings.with_profile(profile.map(|name| (name, "--profile")))
    }

    /// Adds the settings of the profile that is named by what is named, or of the usual one.
    fn with_profile(mut self, name: Option<(String, &str)>) -> Result<Self, Error> {
        let Some(found) = Profile::find(name)? else { return Ok(self) };
        let settings = &mut self;
        let names_server = settings.has_any(SERVER);
        let (table, token_source) = found.settings(|name| {
            let is_for_server = [LOGIN, TRUST, CLIENT, &OF_SERVER];
            let is_for_server = is_for_server.iter().any(|group| group.contains(&name));
            let is_hidden = || settings.hides(name, &|name| found.text(name).map(Into::into));
            !((names_server && is_for_server) || is_hidden())
        })?;
        settings.add(Origin::Profile, |name| table.get(name).cloned());
        settings.token_source =
            token_source.filter(|_| settings.origin(TOKEN) == Some(Origin::Profile));
        settings.profile = Some(found);
        Ok(self)
    }

    /// Reads variables with another prefix than ESET_PROTECT_, and the profile that `PROFILE` with that prefix names.
    pub fn of_env(prefix: &str) -> Result<Self, Error> {
        let other = |name: &str| variable(&name.replacen(PREFIX, prefix, 1));
        let values = all().filter_map(|name| Some((name, (other(name)?, Origin::Environment))));
        let settings = Self { values: values.collect(), profile: None, token_source: None };
        let named = format!("{prefix}PROFILE");
        match variable(&named) {
            Some(name) => settings.with_profile(Some((name.to_string_lossy().into(), &named))),
            None => Ok(settings),
        }
    }

    /// Adds the values of a source that nothing before it hides.
    fn add(&mut self, origin: Origin, value: impl Fn(&str) -> Option<OsString>) {
        let added: Vec<_> = all()
            .filter_map(|name| Some((name, (value(name)?, origin))))
            .filter(|(name, _)| !self.hides(name, &value))
            .collect();
        self.values.extend(added);
    }

    /// Whether the values so far override a variable of a further source.
    fn hides(&self, name: &str, lower: &dyn Fn(&str) -> Option<OsString>) -> bool {
        match name {
            // The password of another user is useless.
            PASSWORD if self.has(USERNAME) && !self.has_any(&[CREDENTIALS, TOKEN, PASSWORD]) => {
                lower(USERNAME).is_some_and(|user| self.get(USERNAME) != Some(&user))
            }
            // A password alone is that of the user of the other source.
            USERNAME if self.has(PASSWORD) && !self.has_any(&[CREDENTIALS, TOKEN, USERNAME]) => {
                false
            }
            WIRE => self.has_any(&[REGION, ON_PREM, WIRE]),
            _ => GROUPS.iter().any(|group| group.contains(&name) && self.has_any(group)),
        }
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// Whether a variable is set.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns the value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsString> {
        self.values.get(name).map(|(value, _)| value)
    }

    /// Returns where the value of a variable comes from.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.values.get(name).map(|(_, origin)| *origin)
    }

    /// Returns the names of the variables that flags set.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let is_flag = |(name, (_, origin)): (&&'static str, &(_, Origin))| {
            (*origin == Origin::Flag).then_some(*name)
        };
        self.values.iter().filter_map(is_flag)
    }

    /// Sets a variable, as a flag does.
    pub fn set(&mut self, name: &'static str, value: OsString) {
        self.values.insert(name, (value, Origin::Flag));
    }

    /// Returns the profile that was read.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Whether there is a login.
    pub fn has_login(&self) -> bool {
        self.has_any(LOGIN)
    }

    /// Returns the configuration of a client, without the login if only the rest is to be checked.
    pub fn builder(&self, with_login: bool) -> Result<ClientBuilder, Error> {
        let find =
            |name: &str| self.get(name).filter(|_| with_login || !LOGIN.contains(&name)).cloned();
        let builder = ClientBuilder::from_vars(find).map_err(|error| self.blame(error))?;
        let source = self.token_source.as_ref().filter(|_| with_login);
        Ok(with_token_source(builder, source, self.get(TOKEN).and_then(|text| text.to_str())))
    }

    /// Names the keys of the profile in an error, instead of variables.
    fn blame(&self, error: Error) -> Error {
        let Some(profile) = &self.profile else { return error };
        let names = self.values.iter().filter(|(_, (_, origin))| *origin == Origin::Profile);
        let message = names.fold(error.message().to_owned(), |message, (name, _)| {
            message.replace(name, &profile.place(name))
        });
        if message == error.message() { error } else { Error::config(message) }
    }
}
