//! Rules for the IP sets of policies.

use std::net::IpAddr;

use super::problem::{Findings, ProblemKind};
use super::rules::{Rules, checked, contains};
use crate::network_access_protection::v1::{IpSet, UpdateIpSetRequest};
use crate::wkt::Timestamp;

checked! { IpSet UpdateIpSetRequest }

contains! { UpdateIpSetRequest of ip_set; }

impl Rules for IpSet {
    /// Addresses are IPv4, IPv6 or CIDR (FACTS.md#network-access-protection).
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        for (index, address) in self.ip_addresses.iter().enumerate() {
            if !is_address(address) {
                let field = format_args!("{at}ip_addresses[{index}]");
                let expected = "an IPv4 or IPv6 address, or a range such as 192.168.3.0/24";
                found.wrong(ProblemKind::Wrong, field, address, expected);
            }
        }
    }
}

/// Whether this is an address or a range in CIDR notation.
fn is_address(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let is_length = |length: &str| {
        let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
        is_number && length.parse::<u8>().is_ok_and(|length| length <= longest)
    };
    length.is_none_or(is_length)
}
