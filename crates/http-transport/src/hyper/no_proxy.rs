//! The list of hosts that are reached without a proxy.

use std::net::IpAddr;

use ipnet::IpNet;

/// A parsed `NO_PROXY` list.
#[derive(Clone, Debug)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug)]
enum Entry {
    All,
    /// A host, and all below it; in lower case, without dots around.
    Domain(String, Option<u16>),
    Address(IpAddr, Option<u16>),
    Network(IpNet),
}

impl NoProxy {
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split([',', ' ', '\t', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Whether `host`, an address without brackets or a name, is on the list.
    pub(super) fn matches(&self, host: &str, port: u16) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let ip = super::parse_ip(host);
        let name = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|entry| match entry {
            Entry::All => true,
            Entry::Domain(domain, on) => ip.is_none() && is_port(*on, port) && is_below(name, domain),
            Entry::Address(address, on) => ip == Some(*address) && is_port(*on, port),
            Entry::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
        })
    }
}

impl Entry {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        if let Ok(network) = entry.parse::<IpNet>() {
            return Some(Self::Network(network));
        }
        if let Some(ip) = super::parse_ip(super::bare_host(entry)) {
            return Some(Self::Address(ip, None));
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Some(ip) = super::parse_ip(super::bare_host(host)) {
            return Some(Self::Address(ip, port));
        }
        let domain = host.strip_prefix('*').unwrap_or(host);
        let domain = domain.trim_matches('.').to_ascii_lowercase();
        (!domain.is_empty() && !domain.contains(['/', '*', ':'])).then_some(Self::Domain(domain, port))
    }
}

fn is_port(on: Option<u16>, port: u16) -> bool {
    on.is_none_or(|on| on == port)
}

/// Whether `name` is `domain` or ends in `.domain`.
fn is_below(name: &str, domain: &str) -> bool {
    let Some(head) = name.len().checked_sub(domain.len()) else { return false };
    let (Some(tail), before) = (name.get(head..), name.get(..head)) else { return false };
    tail.eq_ignore_ascii_case(domain) && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, host: &str, port: u16, expected: bool) {
        assert_eq!(NoProxy::parse(list).matches(host, port), expected, "{list:?} {host}:{port}");
    }

    #[test]
    fn names_match_themselves_and_all_below() {
        for list in
            ["example.com", ".example.com", "*.example.com", "EXAMPLE.com.", "x, example.com ,y", "x example.com"]
        {
            check(list, "example.com", 443, true);
            check(list, "A.Example.COM", 443, true);
            check(list, "a.b.example.com.", 443, true);
            check(list, "badexample.com", 443, false);
            check(list, "example.com.evil", 443, false);
            check(list, "example.co", 443, false);
        }
    }

    #[test]
    fn a_port_narrows_an_entry() {
        check("example.com:8443", "example.com", 8443, true);
        check("example.com:8443", "example.com", 443, false);
        check("192.0.2.1:80", "192.0.2.1", 80, true);
        check("192.0.2.1:80", "192.0.2.1", 81, false);
        check("[2001:db8::1]:80", "2001:db8::1", 80, true);
        check("[2001:db8::1]:80", "2001:db8::1", 443, false);
    }

    #[test]
    fn addresses_and_networks_match_addresses() {
        check("192.0.2.1", "192.0.2.1", 443, true);
        check("192.0.2.1", "192.0.2.10", 443, false);
        check("10.0.0.0/8", "10.255.0.1", 443, true);
        check("10.0.0.0/8", "11.0.0.1", 443, false);
        check("10.0.0.0/8", "10.example.com", 443, false);
        check("10.0.0.0/8", "::ffff:10.0.0.1", 443, true);
        check("2001:db8::/32", "2001:db8:1::1", 443, true);
        check("[2001:db8::1]", "2001:DB8::1", 443, true);
        check("2001:db8::1", "2001:db8::2", 443, false);
    }

    #[test]
    fn a_star_matches_all_and_nonsense_nothing() {
        check("*", "anything", 1, true);
        for list in ["", ",, ,", ":", "/", "a:b:c", "example.com:port", "10.0.0.0/99", "**", "."] {
            check(list, "example.com", 443, false);
            check(list, "10.0.0.1", 443, false);
        }
    }
}
