//! Prompts at the terminal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};

use console::Term;
use eset_protect::codegen::names::{CREDENTIALS, PASSWORD, TOKEN, USERNAME};
use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::text::printable;

/// The terminal itself, where standard input is something else.
const TERMINAL: &str = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };

/// Asks for a line of text, which is empty at Ctrl-D. `None` without a terminal.
pub fn line(question: &str) -> Result<Option<String>, Failure> {
    let Some(mut input) = input() else { return Ok(None) };
    let terminal = Term::stderr();
    terminal.write_str(question).map_err(failed())?;
    let mut answer = String::new();
    if input.read_line(&mut answer).map_err(failed())? == 0 {
        terminal.write_line("").map_err(failed())?;
    }
    Ok(Some(answer.trim().to_owned()))
}

/// Prompts for a user name.
pub fn username() -> Result<String, Failure> {
    match line("Username: ")? {
        None => Err(without_terminal("no login is given")),
        Some(name) if name.is_empty() => {
            Err(Failure::Credentials("no username was given".to_owned()))
        }
        Some(name) => Ok(name),
    }
}

/// Prompts for a password without echoing it.
pub fn password(username: &str) -> Result<SecretString, Failure> {
    if input().is_none() {
        return Err(without_terminal(&format!("no password of {username:?} is given")));
    }
    let terminal = Term::stderr();
    terminal.write_str(&format!("Password of {}: ", printable(username))).map_err(failed())?;
    let password: SecretString = terminal.read_secure_line().map_err(failed())?.into();
    if password.expose_secret().is_empty() {
        return Err(Failure::Credentials("no password was given".to_owned()));
    }
    Ok(password)
}

/// Returns where answers are typed. Prompts are on standard error, since standard output may be a pipe.
fn input() -> Option<Box<dyn BufRead>> {
    if !Term::stderr().is_term() {
        None
    } else if io::stdin().is_terminal() {
        Some(Box::new(io::stdin().lock()))
    } else {
        Some(Box::new(BufReader::new(File::open(TERMINAL).ok()?)))
    }
}

fn without_terminal(missing: &str) -> Failure {
    Failure::Credentials(format!(
        "{missing}, and there is no terminal for a prompt: set {USERNAME} and {PASSWORD}, or {TOKEN}, or \
         name a file with --credentials or {CREDENTIALS}"
    ))
}

fn failed() -> impl Fn(io::Error) -> Failure {
    |error| Failure::io("the terminal", &error)
}
