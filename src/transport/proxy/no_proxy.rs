//! `NO_PROXY`: hosts that are reached without a proxy.

use std::net::IpAddr;

use crate::transport::host::bare;

/// A list of hosts, separated by commas or spaces.
///
/// | entry | matches |
/// |---|---|
/// | `*` | all hosts |
/// | `eset.example`, `.eset.example`, `*.eset.example` | that host and its subdomains |
/// | `10.1.2.3`, `fd00::1`, `[fd00::1]` | that address |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of that network; names are not resolved |
/// | one of the first three with `:PORT`, IPv6 in brackets | that port only |
///
/// Upper and lower case are equal, and a dot at the end of a name is ignored. Other entries match nothing.
#[derive(Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    what: What,
    port: Option<u16>,
}

#[derive(Debug)]
enum What {
    All,
    /// A network: its address and the number of significant bits.
    Network(IpAddr, u32),
    /// A name in lower case, without leading and trailing dots.
    Name(String),
}

impl NoProxy {
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter(|entry| !entry.is_empty()).filter_map(Entry::parse).collect())
    }

    /// Whether the list matches a host. An IPv6 address may be in brackets.
    pub(super) fn names(&self, host: &str, port: u16) -> bool {
        let address = bare(host).parse::<IpAddr>().ok();
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|of_entry| of_entry == port)
                && match (&entry.what, address) {
                    (What::All, _) => true,
                    (What::Network(network, bits), Some(address)) => {
                        is_within(address, *network, *bits)
                    }
                    (What::Name(suffix), None) => name
                        .strip_suffix(suffix.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
                    _ => false,
                }
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, bits)) = text.split_once('/') {
            let address = bare(address).parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self { what: What::Network(address, bits), port: None });
        }
        // Without brackets, the colons belong to an IPv6 address.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if text.parse::<IpAddr>().is_err() && !text.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (text, None),
        };
        let what = match bare(host).parse::<IpAddr>() {
            Ok(address) => What::Network(address, width(address)),
            Err(_) if host == "*" => What::All,
            Err(_) => {
                let name = host.strip_prefix('*').unwrap_or(host).trim_matches('.');
                What::Name(Some(name).filter(|name| !name.is_empty())?.to_ascii_lowercase())
            }
        };
        Some(Self { what, port })
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let address = address.to_canonical();
    let first_bits = |address| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let different = first_bits(address) ^ first_bits(network);
    // Insignificant bits are shifted out; shifting out all of them would overflow.
    width(address) == width(network) && different.checked_shr(128 - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use crate::transport::proxy::no_proxy::NoProxy;

    #[test]
    fn what_is_named() {
        for (list, host, port, expected) in [
            ("", "a.example", 443, false),
            (" , ,, ", "a.example", 443, false),
            ("*", "a.example", 443, true),
            ("*", "10.0.0.1", 443, true),
            ("*:80", "a.example", 443, false),
            ("b.example, *", "a.example", 443, true),
            ("a.example", "a.example", 443, true),
            ("a.example", "b.a.example", 443, true),
            ("a.example", "ba.example", 443, false),
            ("a.example", "a.example.com", 443, false),
            ("A.Example.", "a.eXample", 443, true),
            ("a.example", "A.EXAMPLE.", 443, true),
            (".a.example", "a.example", 443, true),
            (".a.example", "c.b.a.example", 443, true),
            ("*.a.example", "b.a.example", 443, true),
            ("*.a.example", "ba.example", 443, false),
            ("b.example a.example", "a.example", 443, true),
            ("b.example\ta.example", "a.example", 443, true),
            ("a.example:443", "a.example", 443, true),
            ("a.example:443", "b.a.example", 443, true),
            ("a.example:443", "a.example", 8443, false),
            ("a.example:https", "a.example", 443, false),
            ("a.example:99999", "a.example", 443, false),
            ("10.1.2.3", "10.1.2.3", 9443, true),
            ("10.1.2.3:9443", "10.1.2.3", 9443, true),
            ("10.1.2.3:9443", "10.1.2.3", 443, false),
            ("1.2.3", "10.1.2.3", 443, false),
            ("2.3", "10.1.2.3", 443, false),
            ("10.0.0.0/8", "10.255.0.1", 443, true),
            ("10.0.0.0/8", "11.0.0.1", 443, false),
            ("10.1.2.3/32", "10.1.2.3", 443, true),
            ("10.1.2.3/31", "10.1.2.2", 443, true),
            ("0.0.0.0/0", "203.0.113.1", 443, true),
            ("0.0.0.0/0", "[fd00::1]", 443, false),
            ("10.0.0.0/33", "10.0.0.0", 443, false),
            ("10.0.0.0/x", "10.0.0.0", 443, false),
            ("a.example/8", "a.example", 443, false),
            ("fd00::1", "[fd00::1]", 443, true),
            ("[fd00::1]", "[fd00::1]", 443, true),
            ("[fd00::1]", "[fd00:0:0::1]", 443, true),
            ("[fd00::1]:443", "[fd00::1]", 443, true),
            ("[fd00::1]:443", "[fd00::1]", 9443, false),
            ("fd00::/8", "[fdff::1]", 443, true),
            ("[fd00::]/8", "[fdff::1]", 443, true),
            ("fd00::/8", "[fe80::1]", 443, false),
            ("::/0", "[2001:db8::1]", 443, true),
            ("10.0.0.0/8", "[::ffff:10.1.2.3]", 443, true),
            (".", "a.example", 443, false),
            (":", "a.example", 443, false),
            ("[", "a.example", 443, false),
            ("*.", "a.example", 443, false),
        ] {
            let found = NoProxy::parse(list).names(host, port);
            assert_eq!(found, expected, "{list:?} and {host}:{port}");
        }
    }
}
