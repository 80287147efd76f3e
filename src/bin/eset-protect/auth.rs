//! `eset-protect auth`: logins and profiles.

mod config;
mod keyring;

use clap::{Args, Subcommand};
use eset_protect::Client;
use eset_protect::device_management::v1::ListDevicesRequest;
use tonic::Code;

use crate::connection::{Login, Upstream};
use crate::failure::Failure;
use crate::output::Output;
use crate::say::say;
use config::Config;
use keyring::Keyring;

const LONG: &str = include_str!("auth/about.txt").trim_ascii_end();

/// Log in for further commands, see how they log in, and log out
#[derive(Args, Debug)]
#[command(long_about = LONG)]
pub struct Auth {
    #[command(flatten)]
    connection: Upstream,
    #[command(subcommand)]
    command: Verb,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Verb {
    /// Check a login, keep it in the keyring, and write the profile that uses it
    ///
    /// The profile is that of --profile, or `default`. The keyring is that of a Linux desktop, by the program
    /// secret-tool of libsecret. Without it, the profile has everything but the secret: add a `credentials_command`
    /// that prints the login from the store of your system, as below. The exit code is 5 then, unless the secret is in
    /// the environment, where further commands find it, too.
    #[command(after_help = "\
Examples:
  eset-protect auth login --region eu --username api@example.com
  eset-protect auth login --profile lab --on-prem https://protect.internal:9443 --username api

On macOS, store the password with `security add-generic-password -s eset-protect -a NAME -w`, which \
asks for it, and add to the profile:
  credentials_command = [\"sh\", \"-c\", \"\"\"
    echo username=NAME; printf password=
    security find-generic-password -s eset-protect -a NAME -w\"\"\"]

On Windows, store it with `Set-Secret eset-protect` of the PowerShell module SecretManagement, and add:
  credentials_command = [\"powershell\", \"-NoProfile\", \"-Command\", \"\"\"
    'username=NAME'; 'password=' + (Get-Secret eset-protect -AsPlainText)\"\"\"]")]
    Login,
    /// Show the profile, the server and the login that commands use, and try them
    #[command(after_help = "Example:\n  eset-protect auth status --profile lab")]
    Status,
    /// Remove the login of the profile from the keyring
    #[command(after_help = "Example:\n  eset-protect auth logout --profile lab")]
    Logout,
}

/// The name of the profile where none is given.
const DEFAULT: &str = "default";

impl Auth {
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Verb::Login => login(self.connection),
            Verb::Status => status(self.connection),
            Verb::Logout => logout(&self.connection),
        }
    }
}

fn login(connection: Upstream) -> Result<(), Failure> {
    let name = connection.profile.clone().unwrap_or_else(|| DEFAULT.to_owned());
    let mut config = Config::open()?;
    let Login { mut settings, username, secret, is_in_environment } =
        connection.for_login(verify)?;
    let kept = match &secret {
        Some(secret) => Keyring::store(&name, secret)?,
        None => false,
    };
    if !kept {
        settings.extend(username.map(|name| ("username".to_owned(), name)));
    }
    config.set(&name, &settings, kept.then(|| Keyring::lookup(&name)).as_deref())?;
    say(&format!("Wrote the profile {name:?} to {}.", config.path.display()));
    if kept {
        say("The login is in the keyring.");
    } else if secret.is_some() {
        let missing = "There is no keyring here that the command can use (secret-tool of libsecret), so the password \
                       is not kept";
        if is_in_environment {
            say(&format!(
                "{missing}: further commands need it in the environment, as this one had it."
            ));
            return Ok(());
        }
        return Err(Failure::Credentials(format!(
            "{missing}: set ESET_PROTECT_PASSWORD, or add to the profile password_env, or credentials_command: a \
             program that prints username=… and password=… from the store of your system"
        )));
    }
    Ok(())
}

/// Makes a call that changes nothing.
async fn verify(client: Client) -> Result<(), Failure> {
    let request = ListDevicesRequest { page_size: 1, ..Default::default() };
    match client.devices().list_devices(request).await {
        // It is a valid login, whatever it may do.
        Err(error) if error.code() != Code::PermissionDenied => Err(error.into()),
        _ => Ok(()),
    }
}

fn status(connection: Upstream) -> Result<(), Failure> {
    let mut output = Output::new();
    for (name, value) in connection.described()? {
        output.line(&format!("{name:8}  {value}"))?;
    }
    output.flush()?;
    connection.run(verify)?;
    output.line("status    the server accepts the login")?;
    output.flush()
}

fn logout(connection: &Upstream) -> Result<(), Failure> {
    let mut config = Config::open()?;
    let name = connection.profile.clone().or_else(|| config.default_profile());
    let name = name.unwrap_or_else(|| DEFAULT.to_owned());
    if !config.forget_command(&name, &Keyring::lookup(&name))? {
        return Err(Failure::Input(format!("the profile {name:?} has no login in the keyring")));
    }
    Keyring::clear(&name)?;
    say(&format!("Removed the login of the profile {name:?}."));
    Ok(())
}
