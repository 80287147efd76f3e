//! Logs to standard error on request.

mod calls;
mod format;
pub mod json;
mod line;
#[cfg(feature = "otlp")]
mod otlp;
mod prefix;

use std::io::{self, IsTerminal};

use clap::{ArgAction, Args};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, registry};

use crate::environment;
use crate::failure::Failure;
use crate::stderr;
use crate::style::Style;
use calls::Calls;
use format::Format;
use line::Line;

const VARIABLE: &str = "ESET_PROTECT_LOG";

/// What the operator of a server must know. Of single calls there could be a line for each.
const OF_SERVER: &str =
    "eset_protect=warn,eset_protect::server=info,eset_protect::call=error,eset_protect::wire=error";

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Logging {
    /// Log to standard error: a line for each call (code, time, attempts), retries and logins (-v), also
    /// connections (-vv), every frame (-vvv). Never contains secrets. Dropped if nobody reads it [env:
    /// ESET_PROTECT_LOG, a filter such as eset_protect=debug,h2=trace]. A server logs what fails and what works
    /// again in any case
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// How to log: as lines for people, or as JSON, one object a line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    log_format: Format,
}

impl Logging {
    /// Starts logging, if requested, and exporting the traces of a server, if the environment names a collector.
    pub fn start(&self, is_server: bool) -> Result<Exporting, Failure> {
        if self.log_format == Format::Json {
            json::start();
        }
        let mut layers = Vec::new();
        let exporting = Exporting::start(is_server, &mut layers)?;
        if let Some(filter) = self.filter(is_server)? {
            let style = Style::new(io::stderr().is_terminal());
            // It would report them with `eprintln`.
            let events = fmt::layer().with_writer(|| Stderr).log_internal_errors(false);
            let events = match self.log_format {
                Format::Text => events.with_ansi(style.is_enabled()).event_format(Line).boxed(),
                Format::Json => events.json().boxed(),
            };
            let calls = Calls::new(style, self.log_format);
            layers.push(events.and_then(calls).with_filter(filter).boxed());
        }
        if !layers.is_empty() {
            registry()
                .with(layers)
                .try_init()
                .map_err(|error| Failure::Other(format!("--verbose: {error}")))?;
        }
        Ok(exporting)
    }

    /// Flags take precedence over the environment.
    fn filter(&self, is_server: bool) -> Result<Option<EnvFilter>, Failure> {
        let directives = match self.verbose {
            0 => match environment::text(VARIABLE)? {
                Some(text) if !text.trim().is_empty() => text,
                _ if is_server => OF_SERVER.to_owned(),
                _ => return Ok(None),
            },
            1 => "eset_protect=debug,opentelemetry=warn".to_owned(),
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

type Layers = Vec<Box<dyn Layer<Registry> + Send + Sync>>;

/// Exports what is left of the traces when it is dropped.
#[must_use]
pub struct Exporting {
    #[cfg(feature = "otlp")]
    _exporter: Option<otlp::Exporter>,
}

impl Exporting {
    #[cfg(feature = "otlp")]
    fn start(is_server: bool, layers: &mut Layers) -> Result<Self, Failure> {
        let exporter = if is_server { otlp::Exporter::start()? } else { None };
        layers.extend(exporter.as_ref().map(otlp::Exporter::layer));
        Ok(Self { _exporter: exporter })
    }

    #[cfg(not(feature = "otlp"))]
    fn start(_: bool, _: &mut Layers) -> Result<Self, Failure> {
        Ok(Self {})
    }
}

/// Standard error as a writer that never fails or blocks.
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
