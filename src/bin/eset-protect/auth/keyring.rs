//! The keyring of the desktop, by the program secret-tool of libsecret: no secret is ever an argument of it.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;

const PROGRAM: &str = "secret-tool";

/// The logins in the keyring, by profile.
#[derive(Debug)]
pub struct Keyring;

impl Keyring {
    /// Stores a login. Returns whether there is a keyring.
    pub fn store(profile: &str, secret: &SecretString) -> Result<bool, Failure> {
        let mut command = Command::new(PROGRAM);
        command.args(["store", "--label", &format!("eset-protect, profile {profile}")]);
        let child = command.args(attributes(profile)).stdin(Stdio::piped()).spawn();
        let failed = |error: io::Error| Failure::io(PROGRAM, &error);
        let mut child = match child {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(secret.expose_secret().as_bytes()).map_err(failed)?;
        }
        let status = child.wait().map_err(failed)?;
        match status.success() {
            true => Ok(true),
            false => Err(Failure::Other(format!("{PROGRAM} store: {status}; nothing was written"))),
        }
    }

    /// Returns the program that prints the login, with its arguments.
    pub fn lookup(profile: &str) -> Vec<String> {
        [PROGRAM, "lookup"].into_iter().chain(attributes(profile)).map(str::to_owned).collect()
    }

    pub fn clear(profile: &str) -> Result<(), Failure> {
        let status = Command::new(PROGRAM).arg("clear").args(attributes(profile)).status();
        match status.map_err(|error| Failure::io(PROGRAM, &error))? {
            status if status.success() => Ok(()),
            status => Err(Failure::Other(format!("{PROGRAM} clear: {status}"))),
        }
    }
}

fn attributes(profile: &str) -> [&str; 4] {
    ["service", "eset-protect", "profile", profile]
}
