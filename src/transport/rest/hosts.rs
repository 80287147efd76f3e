//! The host for each RPC.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use http::uri::{self, Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use crate::error::Error;
use crate::rpc::{METHODS, MethodSpec};
use crate::telemetry::Server;

/// A region of ESET Connect: the location of the ESET PROTECT instance ([facts](crate::facts#services)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// Europe.
    Eu,
    /// Germany.
    De,
    /// The United States.
    Us,
    /// Canada.
    Ca,
    /// Japan.
    Jpn,
}

impl Region {
    /// All regions.
    pub const ALL: [Self; 5] = [Self::Eu, Self::De, Self::Us, Self::Ca, Self::Jpn];

    /// Returns the part of the host names: `eu`, `de`, `us`, `ca`, `jpn`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::De => "de",
            Self::Us => "us",
            Self::Ca => "ca",
            Self::Jpn => "jpn",
        }
    }

    /// Returns the URL of the token endpoint.
    pub(crate) fn token_url(self) -> String {
        format!("https://{self}.business-account.iam.eset.systems/oauth/token")
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Region {
    type Err = Error;

    /// Parses a name, ignoring case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |region: &Self| region.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            Error::config(format!("region: expected eu, de, us, ca or jpn, found {text:?}"))
        })
    }
}

/// The hosts for requests.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// The origins of services, by [`MethodSpec::host`].
    of_services: BTreeMap<String, Origin>,
    others: Others,
}

/// The origins of all other services.
#[derive(Debug)]
enum Others {
    /// One for each service.
    Cloud(Region),
    Single(Origin),
}

/// The limit of the crate `http`. Checked here so that no error repeats a path of megabytes.
const MAX_PATH_AND_QUERY: usize = u16::MAX as usize - 1;

/// A scheme, host and port.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    scheme: Scheme,
    authority: Authority,
    /// The header `Host`, which hyper would write anew for each request. `None` over TLS: in HTTP/2 there is none.
    pub(super) host: Option<HeaderValue>,
    /// As telemetry names it.
    pub(crate) server: Server,
}

impl Origin {
    /// Reads `scheme://host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || Error::config(format!("the address {text:?}: expected a scheme and a host"));
        let uri: Uri = text.parse().map_err(|error| wrong().with_source(error))?;
        let server = Server::of(&uri);
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(wrong());
        };
        let (name, port) = (authority.host(), authority.port_u16());
        let host = match (scheme == Scheme::HTTP).then_some(port) {
            None => None,
            Some(None | Some(80)) => HeaderValue::try_from(name).ok(),
            Some(Some(port)) => HeaderValue::try_from(format!("{name}:{port}")).ok(),
        };
        Ok(Self { scheme, authority, host, server })
    }

    /// The address of a path and a query.
    pub(crate) fn uri(self, path_and_query: &str) -> Result<Uri, Error> {
        let length = path_and_query.len();
        if length > MAX_PATH_AND_QUERY {
            let problem = format!(
                "the path and query have {length} bytes; an address has at most {MAX_PATH_AND_QUERY}"
            );
            return Err(Error::config(problem));
        }
        // Neither the address nor the path: a bridge tells the caller.
        let wrong = |error: http::Error| Error::config(format!("the path and query: {error}"));
        let path = PathAndQuery::try_from(path_and_query).map_err(|error| wrong(error.into()))?;
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme);
        parts.authority = Some(self.authority);
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).map_err(|error| wrong(error.into()))
    }
}

impl Hosts {
    pub(crate) fn cloud(region: Region) -> Result<Self, Error> {
        let hosts: BTreeSet<_> = METHODS.iter().map(|spec| spec.host).collect();
        let origins = hosts.into_iter().map(|host| Ok((host.to_owned(), of_cloud(region, host)?)));
        let of_services = origins.collect::<Result<_, Error>>()?;
        Ok(Self { of_services, others: Others::Cloud(region) })
    }

    pub(crate) fn single(origin: &str) -> Result<Self, Error> {
        let others = Others::Single(Origin::parse(origin)?);
        Ok(Self { of_services: BTreeMap::new(), others })
    }

    /// Sends the RPCs of a service elsewhere; `host` as in [`MethodSpec::host`].
    pub(crate) fn set(&mut self, host: String, origin: &str) -> Result<(), Error> {
        self.of_services.insert(host, Origin::parse(origin)?);
        Ok(())
    }

    /// The origin for an RPC.
    pub(crate) fn origin(&self, spec: &MethodSpec) -> Result<Origin, Error> {
        match (self.of_services.get(spec.host), &self.others) {
            (Some(origin), _) | (None, Others::Single(origin)) => Ok(origin.clone()),
            (None, Others::Cloud(region)) => of_cloud(*region, spec.host),
        }
    }
}

fn of_cloud(region: Region, host: &str) -> Result<Origin, Error> {
    Origin::parse(&format!("https://{region}.{host}.eset.systems"))
}
