//! What to connect to.

use std::fmt;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use eset_protect::{Client, ClientBuilder, Region, Wire};

use super::environment;
use crate::failure::Failure;

/// Where `eset-protect emulator` listens if nobody tells it.
const DEFAULT: &str = "http://127.0.0.1:50051";
const ENDPOINT: &str = "ESET_PROTECT_ENDPOINT";
const REGION: &str = "ESET_PROTECT_REGION";
const ON_PREM: &str = "ESET_PROTECT_ON_PREM";
const WIRE: &str = "ESET_PROTECT_WIRE";

/// One of three kinds of servers. The environment is read here and not by clap, which would take a flag
/// of one kind and a variable of another for a contradiction.
#[derive(Args, Debug)]
pub struct Target {
    /// A server of these services, http://HOST:PORT or https://HOST[:PORT];
    /// http://127.0.0.1:50051 if nothing else is said [env: ESET_PROTECT_ENDPOINT]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,
    /// ESET's cloud, in the region of your ESET PROTECT [env: ESET_PROTECT_REGION]
    #[arg(
        long,
        global = true,
        ignore_case = true,
        value_parser = PossibleValuesParser::new(Region::ALL.map(Region::name))
            .try_map(|name| name.parse::<Region>())
    )]
    region: Option<Region>,
    /// An ESET PROTECT On-Prem server, usually https://HOST:9443 [env: ESET_PROTECT_ON_PREM]
    #[arg(long, global = true, value_name = "URL")]
    on_prem: Option<String>,
    /// How to speak with an endpoint; grpc if nothing else is said [env: ESET_PROTECT_WIRE]
    #[arg(long, global = true, ignore_case = true)]
    wire: Option<WireName>,
}

/// `Wire` as a flag's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WireName {
    /// gRPC
    Grpc,
    /// HTTP and JSON, as ESET documents it
    Rest,
    /// gRPC if the server speaks it, or else REST
    Auto,
}

impl From<WireName> for Wire {
    fn from(name: WireName) -> Self {
        match name {
            WireName::Grpc => Self::Grpc,
            WireName::Rest => Self::Rest,
            WireName::Auto => Self::Auto,
        }
    }
}

/// What is connected to.
#[derive(Clone, Debug)]
pub enum Place {
    Endpoint { url: String, wire: Wire },
    Cloud(Region),
    OnPrem(String),
}

impl Target {
    /// What the flags say, or else the environment, or else the default; with the name of the flag or the
    /// variable.
    pub fn place(&self) -> Result<(Place, Option<&'static str>), Failure> {
        let flags = [
            ("--endpoint", self.endpoint.is_some()),
            ("--region", self.region.is_some()),
            ("--on-prem", self.on_prem.is_some()),
        ];
        if let Some(name) = one_of(flags)? {
            let place = self.of(self.endpoint.as_deref(), self.region, self.on_prem.as_deref());
            return Ok((place?, Some(name)));
        }
        let endpoint = environment::text(ENDPOINT)?;
        let region = environment::text(REGION)?;
        let on_prem = environment::text(ON_PREM)?;
        let name = one_of([
            (ENDPOINT, endpoint.is_some()),
            (REGION, region.is_some()),
            (ON_PREM, on_prem.is_some()),
        ])?;
        let region = region.map(|name| name.parse().map_err(|error| wrong(REGION, &error)));
        let place = self.of(endpoint.as_deref(), region.transpose()?, on_prem.as_deref())?;
        Ok((place, name))
    }

    fn of(
        &self,
        endpoint: Option<&str>,
        region: Option<Region>,
        on_prem: Option<&str>,
    ) -> Result<Place, Failure> {
        let place = match (region, on_prem) {
            (Some(region), _) => Place::Cloud(region),
            (None, Some(server)) => Place::OnPrem(server.to_owned()),
            (None, None) => {
                let url = endpoint.unwrap_or(DEFAULT).to_owned();
                return Ok(Place::Endpoint { url, wire: self.wire()?.into() });
            }
        };
        match self.wire {
            Some(WireName::Grpc | WireName::Auto) => Err(Failure::Input(
                "--wire: it is for --endpoint; the cloud and On-Prem speak REST only".to_owned(),
            )),
            _ => Ok(place),
        }
    }

    fn wire(&self) -> Result<WireName, Failure> {
        if let Some(wire) = self.wire {
            return Ok(wire);
        }
        let Some(name) = environment::text(WIRE)? else { return Ok(WireName::Grpc) };
        WireName::from_str(&name, true).map_err(|_| {
            Failure::Input(format!("{WIRE}: expected grpc, rest or auto, found {name:?}"))
        })
    }
}

/// The one that is given; an error if it is more than one.
fn one_of<const N: usize>(
    given: [(&'static str, bool); N],
) -> Result<Option<&'static str>, Failure> {
    let given: Vec<_> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if given.len() > 1 {
        return Err(Failure::Input(format!("{}: expected one of them", given.join(", "))));
    }
    Ok(given.first().copied())
}

fn wrong(name: &str, error: &eset_protect::Error) -> Failure {
    let message = error.message();
    Failure::Input(format!("{name}: {}", message.strip_prefix("region: ").unwrap_or(message)))
}

impl Place {
    pub fn builder(&self) -> ClientBuilder {
        match self {
            Self::Endpoint { url, wire } => Client::builder(url).wire(*wire),
            Self::Cloud(region) => Client::cloud(*region),
            Self::OnPrem(server) => Client::on_prem(server),
        }
    }

    /// Whether nothing works there without a login.
    pub fn needs_login(&self) -> bool {
        !matches!(self, Self::Endpoint { .. })
    }

    /// Whether it is reached by TLS.
    pub fn is_secure(&self) -> bool {
        match self {
            Self::Cloud(_) => true,
            Self::Endpoint { url, .. } | Self::OnPrem(url) => !url.starts_with("http://"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { .. } => f.write_str("the endpoint"),
            Self::Cloud(region) => write!(f, "the cloud in region {region}"),
            Self::OnPrem(_) => f.write_str("the On-Prem server"),
        }
    }
}
