//! What happens on the way, on standard error, for whoever asks for it.

mod calls;
mod line;
mod prefix;

use std::io::{self, IsTerminal};

use clap::{ArgAction, Args};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::environment;
use crate::failure::Failure;
use crate::stderr;
use crate::style::Style;
use calls::Calls;
use line::Line;

const VARIABLE: &str = "ESET_PROTECT_LOG";

#[derive(Args, Debug)]
pub struct Logging {
    /// Tell on standard error what happens on the way: a line for each call (its code, its time, how
    /// often it was sent), retries and logins (-v), connections too (-vv), every frame (-vvv); never a
    /// secret. What nobody reads is dropped [env: ESET_PROTECT_LOG, a filter such as
    /// eset_protect=debug,h2=trace]
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl Logging {
    /// Begins to tell, if somebody wants to know.
    pub fn start(&self) -> Result<(), Failure> {
        let Some(filter) = self.filter()? else { return Ok(()) };
        let style = Style::new(io::stderr().is_terminal());
        let events = fmt::layer()
            .with_ansi(style.is_enabled())
            .event_format(Line)
            .with_writer(|| Stderr)
            // It would tell of them by `eprintln`.
            .log_internal_errors(false);
        registry()
            .with(filter)
            .with(events)
            .with(Calls::new(style))
            .try_init()
            .map_err(|error| Failure::Other(format!("--verbose: {error}")))
    }

    /// What a flag says goes before what the environment says.
    fn filter(&self) -> Result<Option<EnvFilter>, Failure> {
        let directives = match self.verbose {
            0 => match environment::text(VARIABLE)? {
                Some(text) if !text.trim().is_empty() => text,
                _ => return Ok(None),
            },
            1 => "eset_protect=debug".to_owned(),
            2 => "debug".to_owned(),
            _ => "trace".to_owned(),
        };
        let filter = EnvFilter::try_new(&directives);
        filter.map(Some).map_err(|_| {
            let expected = "expected a filter such as debug or eset_protect=debug,h2=trace";
            Failure::Input(format!("{VARIABLE}: {expected}, found {directives:?}"))
        })
    }
}

/// Standard error as a writer that never fails, nor waits.
struct Stderr;

impl io::Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        stderr::log(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
