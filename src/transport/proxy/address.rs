//! Parses the address of a proxy in an environment variable.

use std::ffi::OsStr;
use std::fmt;
use std::net::Ipv6Addr;

use http::HeaderValue;

use super::proxy_error::ProxyError;
use crate::transcode::{Place, decode_bytes};

/// The default port, as for `http` in general.
const PORT: u16 = 80;

/// The characters that a user name and password may contain unescaped, besides letters and digits. RFC 3986
/// does not allow `@`, but it is common; the last one ends the password.
const USER_INFO: &[u8] = b"-._~!$&'()*+,;=:@%";

/// A proxy.
#[derive(Clone)]
pub(in crate::transport) struct Proxy {
    variable: &'static str,
    /// In brackets if it is an IPv6 address.
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Parses the value of a variable. Errors do not quote it, because it may contain a password.
    pub(super) fn parse(variable: &'static str, value: &OsStr) -> Result<Self, ProxyError> {
        let wrong = |problem: &str| ProxyError::variable(variable, problem);
        let text = value.to_str().ok_or_else(|| wrong("a value that is not UTF-8"))?.trim();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if is_scheme(scheme) => return Err(wrong(other(scheme))),
            // Without a scheme, or with a colon that belongs to something else.
            _ => text,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !matches!(path, "" | "/") {
            return Err(wrong(
                "something after the host; write `/`, `?` and `#` in a user name or password as \
                 %2F, %3F and %23",
            ));
        }
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        let (host, port) = match host.rsplit_once(':') {
            // The colon is part of the address.
            Some(_) if host.ends_with(']') => (host, ""),
            Some((host, port)) => (host, port),
            None => (host, ""),
        };
        if !is_host(host) {
            return Err(wrong("no host, or an invalid one"));
        }
        let port = match port {
            "" => PORT,
            text => match text.parse() {
                // A sign is not a digit.
                Ok(port @ 1..) if text.bytes().all(|byte| byte.is_ascii_digit()) => port,
                _ => return Err(wrong("a port that is not in the range 1 to 65535")),
            },
        };
        let authorization = user_info.map(|user_info| {
            basic(user_info).ok_or_else(|| {
                wrong(
                    "an invalid character in the user name or password; write it \
                     percent-encoded, such as %5C for a backslash",
                )
            })
        });
        let authorization = authorization.transpose()?;
        Ok(Self { variable, host: host.to_owned(), port, authorization })
    }

    /// Returns its `host:port`.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Returns the credentials for the proxy.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    pub(super) fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for Proxy {
    /// Omits the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}:{} ({})", self.host, self.port, self.variable)
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn other(scheme: &str) -> &'static str {
    match scheme.to_ascii_lowercase().as_str() {
        "https" => "an https proxy, which is not supported (an http proxy serves https too)",
        scheme if scheme.starts_with("socks") => "a SOCKS proxy, which is not supported",
        // Not included in the error: it may be the start of a password.
        _ => "another kind of address",
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !host.is_empty() && host.bytes().all(is_plain)
        }
    }
}

/// Returns `Basic` credentials from percent-encoded ones.
fn basic(user_info: &str) -> Option<HeaderValue> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || USER_INFO.contains(&byte);
    if !user_info.bytes().all(is_plain) {
        return None;
    }
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain = decode_bytes(user, Place::Segment).ok()?;
    plain.push(b':');
    plain.extend(decode_bytes(password, Place::Segment).ok()?);
    let text = format!("Basic {}", base64_simd::STANDARD.encode_to_string(plain));
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
