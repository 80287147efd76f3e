//! `eset-protect emulator`.

mod account;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use eset_protect::emulator::{Builder, Emulator, EmulatorError, Origin};
use eset_protect::rpc::Deployment;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::output::Output;
use crate::run::block_on;
use crate::say::say;
use crate::stop_signal::stop_signal;
use crate::text::{printable, program};
use account::{Account, AccountArgs};

/// A device for the examples. The emulator creates tasks for devices that it does not have, as ESET does.
const DEVICE: &str = "123e4567-e89b-12d3-a456-426614174000";
/// The default endpoint of the other commands.
const DEFAULT: &str = "127.0.0.1:50051";

/// Run an emulator of ESET's services, over gRPC, gRPC-Web and REST
///
/// All data is in memory unless --data-dir is given. Ctrl-C or SIGTERM stops it after the current calls.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The address to listen on; port 0 chooses a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = DEFAULT, value_parser = parse_address)]
    listen: SocketAddr,
    /// Allow connections from other machines; these are not encrypted
    #[arg(long)]
    allow_remote: bool,
    /// Start with the data of a small company: devices in groups, tasks with their runs, policies,
    /// detections, incidents and the other resources of the services
    #[arg(long)]
    seed: bool,
    /// Seed this many devices, from 14 to 100000; implies --seed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(14..=100_000))]
    seed_devices: Option<u32>,
    /// Accept unknown actions, values, types and targets of policies, tasks without targets, and times in the past
    #[arg(long)]
    lenient: bool,
    /// Emulate ESET PROTECT On-Prem of this version, such as 13.1, or `cloud`; what it does not have is unavailable
    #[arg(long, value_name = "DEPLOYMENT", default_value = "cloud")]
    deployment: Deployment,
    /// Store all data in this directory
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// Limit calls to 10 per second for each token, as ESET does; further calls get 429 or RESOURCE_EXHAUSTED
    #[arg(long)]
    rate_limit: bool,
    /// Let web pages of this origin, such as http://localhost:5173, call the REST front (CORS); * allows
    /// every origin; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,
    /// Answer HEAD wherever GET works
    #[arg(long)]
    head: bool,
    #[command(flatten)]
    account: AccountArgs,
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    // The only name that needs no lookup.
    let address = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    address.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:50051".into())
}

impl Args {
    pub fn run(self) -> Result<(), Failure> {
        let address = self.listen;
        if !address.ip().is_loopback() && !self.allow_remote {
            return Err(Failure::Input(format!(
                "--listen {address}: expected a loopback address, such as {DEFAULT}; there is no TLS, \
                 so add --allow-remote if other machines need to connect"
            )));
        }
        let account = self.account.account()?;
        block_on(async move {
            let devices = self.seed_devices.map(|count| usize::try_from(count).unwrap_or_default());
            let builder = Emulator::builder()
                .seed(self.seed || devices.is_some())
                .strict(!self.lenient)
                .deployment(self.deployment)
                .rate_limit(self.rate_limit)
                .head(self.head)
                .on_notice(say);
            let builder = self.allow_origin.iter().cloned().fold(builder, Builder::allow_origin);
            let builder = devices.into_iter().fold(builder, Builder::seed_devices);
            let builder = account.iter().map(Account::auth).fold(builder, Builder::auth);
            let builder = self.data_dir.iter().fold(builder, Builder::data_dir);
            let emulator = builder.build().map_err(|error| failure(&error))?;
            let failed = |error| Failure::io(&format!("--listen {address}"), &error);
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            // Registered before the address is printed, so that no signal arrives too early.
            let stopped = stop_signal()?;
            match self.announce(address, account.as_ref()) {
                // The starting program may want only the first line.
                Ok(()) | Err(Failure::ReaderGone) => {}
                Err(failure) => return Err(failure),
            }
            emulator.serve(listener, stopped).await.map_err(|error| failure(&error))
        })
    }

    fn announce(&self, address: SocketAddr, account: Option<&Account>) -> Result<(), Failure> {
        let mut output = Output::new();
        let style = output.style;
        let origin = format!("http://{address}");
        // Programs read the port from this line.
        output.line(&format!("Listening on {}", style.bold(&origin)))?;
        let login = match account {
            Some(account) => account.describe(),
            None => "No login is required.".to_owned(),
        };
        output.line(&format!("It speaks gRPC, gRPC-Web and REST there. {}", printable(&login)))?;
        let place = match &self.data_dir {
            Some(directory) => format!("in {}", directory.display()),
            None => "in memory until this stops".to_owned(),
        };
        output.line(&format!("Everything is kept {place}. Ctrl-C ends it."))?;
        output.line("")?;
        let near = from_here(address);
        output.line("Try in another terminal:")?;
        let lines = match account.is_some() && !near.ip().is_loopback() {
            true => vec!["(this command sends no login to another address without TLS)".to_owned()],
            false => examples(near, account, self.deployment),
        };
        lines.iter().try_for_each(|line| output.line(&format!("  {}", printable(line))))?;
        // Programs for On-Prem servers log in in another way.
        if self.deployment != Deployment::Cloud {
            return output.flush();
        }
        output.line("")?;
        output.line("Without this command:")?;
        let lines = curl_examples(&format!("http://{near}"), account);
        lines.iter().try_for_each(|line| output.line(&format!("  {}", printable(line))))?;
        output.flush()
    }
}

/// Returns the address at which this machine reaches the emulator.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn examples(address: SocketAddr, account: Option<&Account>, of: Deployment) -> Vec<String> {
    let mut lines = Vec::new();
    if of != Deployment::Cloud {
        lines.push(format!("export ESET_PROTECT_ON_PREM=http://{address}"));
    } else if address.to_string() != DEFAULT {
        lines.push(format!("export ESET_PROTECT_ENDPOINT=http://{address}"));
    }
    if let Some(account) = account {
        let (username, password) = (account.username(), account.password());
        lines.push(format!(
            "export ESET_PROTECT_USERNAME={username} ESET_PROTECT_PASSWORD={password}"
        ));
    }
    let program = program();
    if of == Deployment::Cloud {
        lines.extend([
            format!("{program} tasks list"),
            format!(
                "{program} tasks create --name Restart --action ShutdownComputer --restart --device {DEVICE}"
            ),
            format!("{program} policies list --wire rest --output json"),
        ]);
    } else {
        lines.extend(["devices list", "policies list"].map(|args| format!("{program} {args}")));
    }
    lines
}

fn curl_examples(origin: &str, account: Option<&Account>) -> Vec<String> {
    let Some(account) = account else {
        return vec![format!("curl -s {origin}/v1/device_tasks")];
    };
    let (username, password) = (account.username(), account.password());
    vec![
        format!(
            "TOKEN=$(curl -s {origin}/oauth/token -d grant_type=password --data-urlencode \
             username={username} --data-urlencode password={password} | sed \
             's/.*\"access_token\": *\"\\([^\"]*\\)\".*/\\1/')"
        ),
        format!("curl -s -H \"Authorization: Bearer $TOKEN\" {origin}/v1/device_tasks"),
    ]
}

/// Returns the error with its causes.
fn failure(error: &EmulatorError) -> Failure {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Failure::Other(text)
}
