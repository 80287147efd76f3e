//! Proxies from the environment: which connections go through which.

mod address;
mod no_proxy;
mod proxy_error;
mod tunnel;

use std::ffi::OsString;
use std::fmt;

use http::Uri;
use http::uri::Scheme;

use self::no_proxy::NoProxy;
use super::error_chain::BoxError;
use super::host::is_named_loopback;
use super::monitored_connection::Stream;
use super::tcp::Tcp;
use crate::error::root_cause;
pub(super) use address::Proxy;
pub(super) use proxy_error::{ProxyError, ProxyErrorKind};

/// Which connections go through which proxy, as the environment said when the client was made.
pub(super) struct Proxies {
    http: Result<Option<Proxy>, ProxyError>,
    https: Result<Option<Proxy>, ProxyError>,
    none: NoProxy,
}

impl Proxies {
    pub(super) fn none() -> Self {
        Self { http: Ok(None), https: Ok(None), none: NoProxy::default() }
    }

    pub(super) fn from_env() -> Self {
        // Under CGI a caller's header `Proxy` is the variable HTTP_PROXY (httpoxy).
        let is_cgi = std::env::var_os("REQUEST_METHOD").is_some();
        let http: &[_] = if is_cgi { &["http_proxy"] } else { &["HTTP_PROXY", "http_proxy"] };
        let all = ["ALL_PROXY", "all_proxy"];
        let proxy = |names: &[&'static str]| {
            let found = first(names).or_else(|| first(&all));
            found.map(|(variable, value)| Proxy::parse(variable, &value)).transpose()
        };
        let none = first(&["NO_PROXY", "no_proxy"]);
        let none = none.map(|(_, value)| NoProxy::parse(&value.to_string_lossy()));
        Self {
            http: proxy(http),
            https: proxy(&["HTTPS_PROXY", "https_proxy"]),
            none: none.unwrap_or_default(),
        }
    }

    /// The proxy to an origin, if there is one. This machine is never reached through a proxy.
    pub(super) fn to(&self, origin: &Uri, is_secure: bool) -> Result<Option<Proxy>, ProxyError> {
        let host = origin.host().unwrap_or_default();
        if is_named_loopback(host) || self.none.names(host, port(origin, is_secure)) {
            return Ok(None);
        }
        if is_secure { self.https.clone() } else { self.http.clone() }
    }
}

impl fmt::Debug for Proxies {
    /// A proxy's address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxies(..)")
    }
}

/// Returns the first of these variables that is set. An empty one counts as unset, as in curl and Go.
fn first(names: &[&'static str]) -> Option<(&'static str, OsString)> {
    let mut values = names.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    values.find(|(_, value)| !value.to_string_lossy().trim().is_empty())
}

fn port(origin: &Uri, is_secure: bool) -> u16 {
    origin.port_u16().unwrap_or(if is_secure { 443 } else { 80 })
}

/// Opens a connection to an origin through a proxy.
pub(super) async fn connect(
    proxy: &Proxy,
    tcp: &Tcp,
    origin: &Uri,
    is_secure: bool,
) -> Result<Box<dyn Stream>, BoxError> {
    let address = Uri::builder().scheme(Scheme::HTTP).authority(proxy.authority());
    let address = address.path_and_query("/").build()?;
    let stream = tcp.connect(address).await.map_err(|error| {
        let why = root_cause(&*error);
        ProxyError::passing(format!("cannot connect to {proxy}: {why}"))
    })?;
    let target = format!("{}:{}", origin.host().unwrap_or_default(), port(origin, is_secure));
    Ok(tunnel::open(stream, proxy, &target).await?)
}
