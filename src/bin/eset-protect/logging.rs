//! What happens on the way, on standard error, for whoever asks for it.

use std::env;
use std::io::{self, IsTerminal};

use clap::{ArgAction, Args};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::style::Style;

const VARIABLE: &str = "ESET_PROTECT_LOG";

#[derive(Args, Debug)]
pub struct Logging {
    /// Tell on standard error what happens on the way: calls and retries (-v), connections too (-vv),
    /// every frame (-vvv); never a secret [env: ESET_PROTECT_LOG, a filter such as
    /// eset_protect=debug,h2=trace]
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl Logging {
    /// Begins to tell, if somebody wants to know.
    pub fn start(&self) -> Result<(), Failure> {
        let Some(filter) = self.filter()? else { return Ok(()) };
        let style = Style::new(io::stderr().is_terminal());
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(style.is_enabled())
            .with_writer(io::stderr)
            .try_init()
            .map_err(|error| Failure::Other(format!("--verbose: {error}")))
    }

    /// What a flag says goes before what the environment says.
    fn filter(&self) -> Result<Option<EnvFilter>, Failure> {
        let directives = match self.verbose {
            0 => match env::var(VARIABLE) {
                Ok(text) if !text.trim().is_empty() => text,
                Err(env::VarError::NotUnicode(_)) => return Err(wrong("expected text in UTF-8")),
                _ => return Ok(None),
            },
            1 => "eset_protect=debug".to_owned(),
            2 => "debug".to_owned(),
            _ => "trace".to_owned(),
        };
        EnvFilter::try_new(directives).map(Some).map_err(|error| wrong(&error.to_string()))
    }
}

fn wrong(problem: &str) -> Failure {
    let expected = "expected a filter such as debug or eset_protect=debug,h2=trace";
    Failure::Input(format!("{VARIABLE}: {expected}: {problem}"))
}
