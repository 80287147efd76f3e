//! Prompts at the terminal.

use std::io;

use console::Term;
use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::text::printable;
use eset_protect::codegen::names::{CREDENTIALS, PASSWORD, TOKEN, USERNAME};

/// Prompts for a user name.
pub fn username() -> Result<String, Failure> {
    let terminal = terminal("no login is given")?;
    terminal.write_str("Username: ").map_err(|error| failed(&error))?;
    let name = terminal.read_line().map_err(|error| failed(&error))?;
    let name = name.trim();
    if name.is_empty() {
        return Err(Failure::Credentials("no username was given".to_owned()));
    }
    Ok(name.to_owned())
}

/// Prompts for a password without echoing it.
pub fn password(username: &str) -> Result<SecretString, Failure> {
    let terminal = terminal(&format!("no password of {username:?} is given"))?;
    let prompt = format!("Password of {}: ", printable(username));
    terminal.write_str(&prompt).map_err(|error| failed(&error))?;
    let password: SecretString =
        terminal.read_secure_line().map_err(|error| failed(&error))?.into();
    if password.expose_secret().is_empty() {
        return Err(Failure::Credentials("no password was given".to_owned()));
    }
    Ok(password)
}

/// Returns the terminal for prompts and errors, since standard output may be a pipe.
fn terminal(missing: &str) -> Result<Term, Failure> {
    let terminal = Term::stderr();
    if terminal.is_term() {
        return Ok(terminal);
    }
    Err(Failure::Credentials(format!(
        "{missing}, and there is no terminal for a prompt: set {USERNAME} and {PASSWORD}, or {TOKEN}, or \
         name a file with --credentials or {CREDENTIALS}"
    )))
}

fn failed(error: &io::Error) -> Failure {
    Failure::io("the terminal", error)
}
