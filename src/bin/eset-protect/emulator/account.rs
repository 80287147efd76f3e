//! The account of the emulator.

use clap::Args;
use eset_protect::emulator::Auth;
use secrecy::{ExposeSecret, SecretString};

use crate::environment;
use crate::failure::Failure;

/// The default account and password. Not a secret: it is printed.
const DEFAULT: &str = "api";
const PASSWORD: &str = "ESET_PROTECT_EMULATOR_PASSWORD";

#[derive(Args, Debug)]
pub struct AccountArgs {
    /// Accept calls without a login
    #[arg(long)]
    no_auth: bool,
    /// The account that may log in, with the password in ESET_PROTECT_EMULATOR_PASSWORD; by default `api`,
    /// whose password is `api` unless that variable is set
    #[arg(long, value_name = "NAME", conflicts_with = "no_auth", allow_hyphen_values = true)]
    account: Option<String>,
}

/// The account that may log in.
#[derive(Debug)]
pub struct Account {
    username: String,
    /// `None` for the default password.
    password: Option<SecretString>,
}

impl AccountArgs {
    /// Returns the account; `None` if no login is needed.
    pub fn account(&self) -> Result<Option<Account>, Failure> {
        if self.no_auth {
            return Ok(None);
        }
        let password = environment::text(PASSWORD)?.map(SecretString::from);
        match &self.account {
            Some(name) if name.is_empty() => Err(Failure::of("--account", "expected a name")),
            Some(name) if password.is_none() => {
                let expected = format!("expected its password in {PASSWORD}");
                Err(Failure::of(&format!("--account {name}"), expected))
            }
            name => {
                let username = name.clone().unwrap_or_else(|| DEFAULT.to_owned());
                Ok(Some(Account { username, password }))
            }
        }
    }
}

impl Account {
    pub fn auth(&self) -> Auth {
        let password = self.password.as_ref().map_or(DEFAULT, |password| password.expose_secret());
        Auth::new().account(&self.username, password)
    }

    /// Explains how to log in.
    pub fn describe(&self) -> String {
        match self.password {
            None => format!("Log in as {} with the password {DEFAULT}.", self.username),
            Some(_) => format!("Log in as {} with the password of {PASSWORD}.", self.username),
        }
    }

    /// Returns the name, quoted for a shell.
    pub fn username(&self) -> String {
        quoted(&self.username)
    }

    /// Returns the password for a shell: the value only if it is the public default.
    pub fn password(&self) -> String {
        match self.password {
            None => DEFAULT.to_owned(),
            Some(_) => format!("\"${PASSWORD}\""),
        }
    }
}

/// Quotes a word if a shell would interpret it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@+".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
