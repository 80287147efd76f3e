//! Where to connect, how long to wait, and how to print: what all commands that call share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use eset_protect::{Client, TlsConfig};

use crate::failure::Failure;
use crate::input;
use crate::output::Format;

/// The longest time to wait for a connection; a shorter --timeout goes before.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct Connection {
    /// The gRPC server, http://HOST:PORT or https://HOST[:PORT]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "ESET_PROTECT_ENDPOINT",
        hide_env_values = true,
        default_value = "http://127.0.0.1:50051"
    )]
    endpoint: String,
    /// How long a call may take, such as 500ms, 30s or 2m; in a list, each page
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "ESET_PROTECT_TIMEOUT",
        hide_env_values = true,
        default_value = "30s",
        value_parser = parse_duration
    )]
    timeout: Duration,
    /// Trust this authority too: a file of certificates in PEM
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ESET_PROTECT_CA_CERT",
        hide_env_values = true
    )]
    ca_cert: Option<PathBuf>,
    /// For whom to print
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub output: Format,
}

impl Connection {
    pub async fn connect(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder(&self.endpoint)
            .timeout(self.timeout)
            .connect_timeout(self.timeout.min(CONNECT_TIMEOUT));
        if let Some(path) = &self.ca_cert {
            let pem = input::read_file("--ca-cert", path)?;
            let tls = TlsConfig::new().ca_certificate(pem).map_err(|error| {
                Failure::Input(format!("--ca-cert {}: {}", path.display(), error.message()))
            })?;
            builder = builder.tls(tls);
        }
        Ok(builder.connect().await?)
    }
}

/// A time such as `30s`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = "expected a number with a unit, such as 500ms, 30s, 2m or 1h";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let number: u64 = digits.parse().map_err(|_| expected.to_owned())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(expected.to_owned()),
    };
    match milliseconds {
        Some(0) => Err("expected more than no time at all".to_owned()),
        // gRPC's own limit: eight digits of the largest unit that is needed.
        Some(milliseconds) if milliseconds <= 99_999_999 => Ok(Duration::from_millis(milliseconds)),
        _ => Err("expected at most 27 hours".to_owned()),
    }
}
