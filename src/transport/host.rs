//! Hosts in addresses: their form, and which of them are the local machine.

use std::net::IpAddr;

/// Returns a host without the brackets of an IPv6 address.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// Whether a host is the local machine, by name or address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = bare(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether a host is, or is named as if it were, the local machine (RFC 6761, 6.3). A resolver may know another one by
/// that name.
pub(super) fn is_named_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let domain = host.rsplit_once('.').map_or(host, |(_, domain)| domain);
    domain.eq_ignore_ascii_case("localhost") || is_loopback(host)
}
