//! The server of a client.

use std::fmt;

use http::Uri;

use crate::error::Error;
use crate::rpc::Deployment;
use crate::transport::is_loopback;
#[cfg(feature = "rest")]
use crate::transport::rest::{Hosts, Region};

/// The server of a client.
#[derive(Clone)]
pub(super) enum Target {
    /// A server at a URL.
    Endpoint(String),
    /// ESET Connect.
    #[cfg(feature = "rest")]
    Cloud(Region),
    /// An On-Prem server at a URL.
    #[cfg(feature = "rest")]
    OnPrem(String),
}

impl Target {
    /// Returns the URL of the server; `None` for the cloud, which has many.
    pub(super) fn address(&self) -> Option<&str> {
        match self {
            Self::Endpoint(address) => Some(address),
            #[cfg(feature = "rest")]
            Self::OnPrem(address) => Some(address),
            #[cfg(feature = "rest")]
            Self::Cloud(_) => None,
        }
    }

    /// Returns the deployment of ESET's that it is; `None` for another server, which may have anything.
    pub(super) fn deployment(&self) -> Option<Deployment> {
        match self {
            Self::Endpoint(_) => None,
            #[cfg(feature = "rest")]
            Self::OnPrem(_) => Some(Deployment::ON_PREM),
            #[cfg(feature = "rest")]
            Self::Cloud(_) => Some(Deployment::Cloud),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => f.write_str(shown(endpoint)),
            #[cfg(feature = "rest")]
            Self::Cloud(region) => write!(f, "ESET Connect {region}"),
            #[cfg(feature = "rest")]
            Self::OnPrem(server) => f.write_str(shown(server)),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Returns a URL unless it may contain a password. Errors show it before it is checked.
pub(super) fn shown(address: &str) -> &str {
    if address.contains('@') { "[an address with credentials]" } else { address }
}

/// The protocol to a server.
#[cfg(feature = "rest")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wire {
    /// gRPC.
    Grpc,
    /// REST: HTTP and JSON.
    Rest,
    /// gRPC if the server supports it; REST from then on if it turns out that it does not. A call that may
    /// have run never switches to the other wire.
    Auto,
}

#[cfg(feature = "rest")]
impl Target {
    /// Returns the default wire.
    pub(super) fn wire(&self) -> Wire {
        match self {
            Self::Endpoint(_) => Wire::Grpc,
            Self::Cloud(_) | Self::OnPrem(_) => Wire::Rest,
        }
    }

    /// Returns the hosts for requests.
    pub(super) fn hosts(&self) -> Result<Hosts, Error> {
        match self {
            Self::Cloud(region) => Hosts::cloud(*region),
            Self::Endpoint(address) | Self::OnPrem(address) => {
                Hosts::single(&Address::parse(address)?.origin())
            }
        }
    }
}

/// A scheme, host and port.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_secure: bool,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |problem: &str| {
            Error::config(format!(
                "endpoint: expected http://HOST:PORT or https://HOST[:PORT], found {text:?}: \
                 {problem}"
            ))
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let scheme = scheme.to_ascii_lowercase();
        if rest.contains('@') {
            // Not included in the error: it may be a password.
            return Err(Error::config("endpoint: credentials do not belong in an endpoint"));
        }
        if rest.starts_with('[') && rest.contains('%') {
            return Err(wrong(
                "an IPv6 address with a zone is not supported; use the server's name, or an address \
                 that is not link-local",
            ));
        }
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        let is_secure = match &*scheme {
            "http" | "grpc" => false,
            "https" | "grpcs" => true,
            "" => return Err(wrong("it has no scheme")),
            _ => return Err(wrong("the scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("a server has neither path nor query"));
        }
        let default = if is_secure { 443 } else { 80 };
        let port = match authority.port_u16() {
            Some(0) => return Err(wrong("no server listens at port 0")),
            Some(port) => port,
            None if authority.as_str() == authority.host() => default,
            None => return Err(wrong("the port is not a number from 1 to 65535")),
        };
        let host = authority.host().to_owned();
        Ok(Self { host, port, is_secure })
    }

    /// Returns `scheme://host:port`.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// Checks that an access token would not be sent unencrypted.
    pub(super) fn check_token(&self, text: &str) -> Result<(), Error> {
        if self.may_have_token() {
            return Ok(());
        }
        Err(Error::config(format!(
            "endpoint {text:?}: an access token travels by https only, or to this machine itself"
        )))
    }

    /// Whether a token may be sent to it: with TLS, or within the local machine.
    pub(super) fn may_have_token(&self) -> bool {
        self.is_secure || is_loopback(&self.host)
    }
}
