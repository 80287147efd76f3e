//! Free text as the value of a flag. It may begin with a hyphen, as `-c "id"` does.

use clap::{Command, CommandFactory};

use crate::cli::Cli;

/// Takes any text but a flag of this command alone: there the value was forgotten.
pub fn parse(text: &str) -> Result<String, String> {
    if text.starts_with('-') && is_flag(&Cli::command(), text) {
        return Err("that is a flag of this command, and the value is missing".to_owned());
    }
    Ok(text.to_owned())
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
