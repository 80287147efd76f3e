//! The login in the environment.

use std::sync::Arc;

use secrecy::SecretString;

use super::login::{Login, token};
use super::login_file;
use super::names::{CREDENTIALS, PASSWORD, TOKEN, USERNAME};
use super::provided_token::TokenSource;
use super::variables::{Variables, needs};
use crate::error::Error;

/// Returns the login, if there is one.
pub(super) fn login(variables: &Variables<'_>) -> Result<Option<Login>, Error> {
    let username = variables.text(USERNAME)?;
    let password = variables.text(PASSWORD)?.map(SecretString::from);
    let user = if username.is_some() { USERNAME } else { PASSWORD };
    let Some(name) = variables.one_of(&[CREDENTIALS, TOKEN, user])? else { return Ok(None) };
    let login = match (name, username, password) {
        (CREDENTIALS, ..) => {
            let path = variables.path(CREDENTIALS).unwrap_or_default();
            let found = login_file::read(&path).map_err(|problem| {
                Error::config(format!("{CREDENTIALS} {}: {problem}", path.display()))
            })?;
            match found {
                Login::Token { token, .. } => {
                    let again: TokenSource = Arc::new(move || match login_file::read(&path)? {
                        Login::Token { token, .. } => Ok(token),
                        Login::Password { .. } => Err("it has no token any more".to_owned()),
                    });
                    Login::Token { token, source: Some(again) }
                }
                password => password,
            }
        }
        (TOKEN, ..) => {
            let text = variables.text(TOKEN)?.unwrap_or_default();
            let token = token(text);
            let token = token.map_err(|problem| Error::config(format!("{TOKEN}: {problem}")))?;
            Login::Token { token, source: None }
        }
        (_, Some(username), Some(password)) => Login::Password { username, password },
        (_, Some(username), None) => {
            return Err(Error::config(format!(
                "{PASSWORD}: expected the password of {username:?}, the user of {USERNAME}"
            )));
        }
        (_, None, _) => {
            return Err(Error::config(format!(
                "{USERNAME}: expected the user whose password is in {PASSWORD}"
            )));
        }
    };
    if cfg!(not(feature = "rest")) && matches!(login, Login::Password { .. }) {
        return Err(needs(name, "rest"));
    }
    Ok(Some(login))
}
