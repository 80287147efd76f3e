//! Who may call the emulator.

use clap::Args;
use eset_protect::emulator::Auth;
use secrecy::{ExposeSecret, SecretString};

use crate::environment;
use crate::failure::Failure;

/// The account, and its password, if nobody says another one. No secret: it is printed.
const DEFAULT: &str = "api";
const PASSWORD: &str = "ESET_PROTECT_EMULATOR_PASSWORD";

#[derive(Args, Debug)]
pub struct AccountArgs {
    /// Let everybody call without a login
    #[arg(long)]
    no_auth: bool,
    /// The account that may log in, with the password of ESET_PROTECT_EMULATOR_PASSWORD; if not given
    /// it is `api`, whose password is `api` if that variable is not set
    #[arg(long, value_name = "NAME", conflicts_with = "no_auth", allow_hyphen_values = true)]
    account: Option<String>,
}

/// The account that may log in.
#[derive(Debug)]
pub struct Account {
    username: String,
    /// None if it is the default.
    password: Option<SecretString>,
}

impl AccountArgs {
    /// The account; none if nobody needs to log in.
    pub fn account(&self) -> Result<Option<Account>, Failure> {
        if self.no_auth {
            return Ok(None);
        }
        let password = environment::text(PASSWORD)?.map(SecretString::from);
        match &self.account {
            Some(name) if name.is_empty() => {
                Err(Failure::Input("--account: expected a name".to_owned()))
            }
            Some(name) if password.is_none() => Err(Failure::Input(format!(
                "--account {name}: expected its password in {PASSWORD}"
            ))),
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

    /// How to log in, for a person.
    pub fn describe(&self) -> String {
        match self.password {
            None => format!("Log in as {} with the password {DEFAULT}.", self.username),
            Some(_) => format!("Log in as {} with the password of {PASSWORD}.", self.username),
        }
    }

    /// The name, as a shell takes it.
    pub fn username(&self) -> String {
        quoted(&self.username)
    }

    /// The password, as a shell takes it: what it is only if everybody knows it.
    pub fn password(&self) -> String {
        match self.password {
            None => DEFAULT.to_owned(),
            Some(_) => format!("\"${PASSWORD}\""),
        }
    }
}

/// A word in quotes, if a shell would make something else of it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@+".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
