//! Who calls: from a file, from the environment or by a prompt. Never from an argument, which every
//! process of the machine can see.

mod file;
mod prompt;

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::environment;
use crate::failure::Failure;
use crate::free_text;

const FILE: &str = "ESET_PROTECT_CREDENTIALS";
const USERNAME: &str = "ESET_PROTECT_USERNAME";
const PASSWORD: &str = "ESET_PROTECT_PASSWORD";
const TOKEN: &str = "ESET_PROTECT_TOKEN";

/// Where the login is. Passwords and tokens are read from ESET_PROTECT_PASSWORD and ESET_PROTECT_TOKEN.
#[derive(Args, Debug)]
pub struct Credentials {
    /// Log in with this file of 64 KiB at most: lines `username=…` and `password=…`, or `token=…`;
    /// nobody else may read it [env: ESET_PROTECT_CREDENTIALS]
    #[arg(long, global = true, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Log in as this user, with the password of ESET_PROTECT_PASSWORD or by a prompt; a token instead
    /// of both goes into ESET_PROTECT_TOKEN [env: ESET_PROTECT_USERNAME]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        allow_hyphen_values = true, value_parser = free_text::parse
    )]
    username: Option<String>,
}

/// A login.
#[derive(Debug)]
pub enum Login {
    Password { username: String, password: SecretString },
    Token(SecretString),
}

impl Credentials {
    /// The login that the flags say, or else the environment; asks for what is missing, on a terminal.
    /// None if nothing says one and none is needed.
    pub fn find(&self, is_needed: bool) -> Result<Option<Login>, Failure> {
        match (&self.credentials, &self.username) {
            (Some(_), Some(_)) => {
                Err(Failure::Input("--credentials, --username: expected one of them".to_owned()))
            }
            (None, Some(name)) if name.is_empty() => {
                Err(Failure::Input("--username: expected a name".to_owned()))
            }
            (Some(path), None) => file::read("--credentials", path).map(Some),
            (None, Some(name)) => of_user(name.clone()).map(Some),
            (None, None) => from_environment(is_needed),
        }
    }
}

/// The login of the user that `--username` names.
fn of_user(username: String) -> Result<Login, Failure> {
    // A password beside another name is another user's.
    let is_same = environment::text(USERNAME)?.is_none_or(|name| name == username);
    let password = if is_same { environment::text(PASSWORD)? } else { None };
    with_password(username, password)
}

fn from_environment(is_needed: bool) -> Result<Option<Login>, Failure> {
    let file = environment::path(FILE);
    let token = environment::text(TOKEN)?;
    let username = environment::text(USERNAME)?;
    let password = environment::text(PASSWORD)?;
    let ways = [
        (FILE, file.is_some()),
        (TOKEN, token.is_some()),
        (USERNAME, username.is_some() || password.is_some()),
    ];
    let ways: Vec<_> = ways.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
    if ways.len() > 1 {
        return Err(Failure::Input(format!("{}: expected one of them", ways.join(", "))));
    }
    if let Some(path) = file {
        return file::read(FILE, &path).map(Some);
    }
    if let Some(token) = token {
        return Ok(Some(Login::Token(token.into())));
    }
    match (username, password) {
        (Some(username), password) => with_password(username, password).map(Some),
        (None, Some(_)) => Err(Failure::Input(format!(
            "{PASSWORD}: whose is it? Set {USERNAME} too, or say --username"
        ))),
        (None, None) if is_needed => {
            let username = prompt::username()?;
            with_password(username, None).map(Some)
        }
        (None, None) => Ok(None),
    }
}

fn with_password(username: String, password: Option<String>) -> Result<Login, Failure> {
    let password = match password {
        Some(password) => password.into(),
        None => prompt::password(&username)?,
    };
    Ok(Login::Password { username, password })
}
