//! Flag values that may start with a hyphen, as in `--command-line '-c "id"'`.

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, Error};

/// Refuses such a value if it is a flag of this command: the value was forgotten.
pub fn check(root: &Command, matches: &ArgMatches) -> Result<(), Error> {
    let (mut command, mut matches) = (root, matches);
    while let Some((name, inner)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, matches) = (subcommand, inner);
    }
    for arg in command.get_arguments().filter(|arg| arg.is_allow_hyphen_values_set()) {
        let values = matches.try_get_raw(arg.get_id().as_str()).ok().flatten();
        for value in values.into_iter().flatten() {
            let text = value.to_string_lossy();
            if text.starts_with('-') && is_flag(root, &text) {
                let message = format!(
                    "invalid value '{text}' for '{arg}': that is a flag of this command, and the value \
                     is missing"
                );
                return Err(command.clone().error(ErrorKind::ValueValidation, message));
            }
        }
    }
    Ok(())
}

fn is_flag(command: &Command, text: &str) -> bool {
    let is_named = |arg: &clap::Arg| match text.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => {
            arg.get_short().is_some_and(|short| text.strip_prefix('-') == Some(&short.to_string()))
        }
    };
    matches!(text, "--help" | "-h" | "--version" | "-V")
        || command.get_arguments().any(is_named)
        || command.get_subcommands().any(|command| is_flag(command, text))
}
