//! Which requests of browsers are refused: those that a web page of another origin makes in its user's name.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, header};

use super::cors::Origin;

/// Set by browsers, which pages cannot change (Fetch Metadata).
const SITE: &str = "sec-fetch-site";

/// The web pages that may call.
pub(crate) struct Browsers {
    pub(crate) allowed: Vec<Origin>,
    pub(crate) has_tls: bool,
}

impl Browsers {
    /// Returns why a request is refused. `is_open` says that anyone may call: then a page could also call by a name of its
    /// own that it makes resolve to this server (DNS rebinding).
    pub(crate) fn refusal<B>(&self, request: &Request<B>, is_open: bool) -> Option<String> {
        if self.allowed.iter().any(Origin::is_any) {
            return None;
        }
        let headers = request.headers();
        let named = || authorities(request);
        if is_open && let Some(name) = named().find(|name| !self.is_here(name)) {
            return Some(format!(
                "host: {:?}: expected localhost, an IP address or the host of an allowed origin, because this \
                 server lets anyone call",
                String::from_utf8_lossy(name)
            ));
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let is_known = |origin: &HeaderValue| {
            self.allowed.iter().any(|one| one.is(origin))
                || named().any(|name| self.is_own(origin, name))
        };
        if let Some(origin) = origins.find(|origin| !is_known(origin)) {
            return Some(format!(
                "origin: {origin:?}: expected this server's own or an allowed one"
            ));
        }
        is_foreign_change(request.method(), headers).then(|| {
            format!("{SITE}: expected same-origin, or the origin header of an allowed one")
        })
    }

    /// Whether a host is this machine for every browser, or one whose pages may call.
    fn is_here(&self, authority: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(authority) else { return false };
        let host = authority.host();
        let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<Ipv4Addr>().is_ok()
            || v6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
            || self.allowed.iter().any(|origin| origin.has_host(host))
    }

    /// Whether an origin is that of a request to this authority. A proxy may have taken off TLS.
    fn is_own(&self, origin: &HeaderValue, authority: &[u8]) -> bool {
        let schemes: &[&[u8]] =
            if self.has_tls { &[b"https://"] } else { &[b"http://", b"https://"] };
        let mut hosts = schemes.iter().filter_map(|scheme| origin.as_bytes().strip_prefix(*scheme));
        hosts.any(|host| host.eq_ignore_ascii_case(authority))
    }
}

/// Returns for which hosts a request is: that of its URI and those of its headers.
fn authorities<B>(request: &Request<B>) -> impl Iterator<Item = &[u8]> {
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let hosts = request.headers().get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    authority.into_iter().chain(hosts)
}

/// Whether a page of another origin, which its browser does not name, wants to change something.
fn is_foreign_change(method: &Method, headers: &HeaderMap) -> bool {
    let is_foreign = |site: &HeaderValue| site != "same-origin" && site != "none";
    !matches!(*method, Method::GET | Method::HEAD)
        && !headers.contains_key(header::ORIGIN)
        && headers.get_all(SITE).iter().any(is_foreign)
}
