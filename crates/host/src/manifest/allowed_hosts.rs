//! `allowed_outbound_hosts`: the only places a component may talk to.
//!
//! <https://spinframework.dev/v3/http-outbound#granting-http-permissions-to-components>

use std::net::IpAddr;

use http::Uri;

/// Why an entry is not understood, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad allowed host \"{entry}\": {reason}")]
pub struct BadHost {
    entry: String,
    reason: String,
}

/// One entry: `<scheme>://<host>[:<port>]`, each part possibly a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    ports: Option<std::ops::Range<u32>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    Name(String),
    Below(String),
    Network(IpAddr, u8),
}

/// The entries of one component, with their variables filled in.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(Vec<AllowedHost>);

/// The top of the names under which components reach each other.
pub const INTERNAL_SUFFIX: &str = ".spin.internal";

impl AllowedHosts {
    /// All entries together.
    pub fn new(entries: Vec<AllowedHost>) -> Self {
        Self(entries)
    }

    /// Whether a request to this address may leave. Anything unclear may not.
    pub fn allow(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return false;
        };
        let Some(port) = uri.port_u16().or_else(|| well_known_port(scheme)) else {
            return false;
        };
        self.0.iter().any(|entry| entry.allows(scheme, host, port))
    }
}

impl AllowedHost {
    /// Reads one entry.
    pub fn parse(entry: &str) -> Result<Self, BadHost> {
        parse(entry.trim()).map_err(|reason| BadHost {
            entry: entry.to_owned(),
            reason,
        })
    }

    /// The component this entry opens the way to, if it is a `<component>.spin.internal`.
    pub fn internal_component(&self) -> Option<&str> {
        match &self.host {
            Host::Name(name) => name.strip_suffix(INTERNAL_SUFFIX),
            _ => None,
        }
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.allows_scheme(scheme)
            && self
                .ports
                .as_ref()
                .is_none_or(|ports| ports.contains(&u32::from(port)))
            && self.host.covers(host)
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|own| own.eq_ignore_ascii_case(scheme))
    }
}

impl Host {
    fn covers(&self, host: &str) -> bool {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        match self {
            // A wildcard is about the outside world: it does not open the other components.
            Host::Any => !host.ends_with(INTERNAL_SUFFIX),
            Host::Name(name) => match (name.parse::<IpAddr>(), address) {
                (Ok(own), Some(address)) => own == address,
                _ => *name == host,
            },
            Host::Below(domain) => address.is_none() && host.ends_with(domain),
            Host::Network(network, bits) => address.is_some_and(|a| in_network(a, *network, *bits)),
        }
    }
}

fn parse(entry: &str) -> Result<AllowedHost, String> {
    let Some((scheme, rest)) = entry.split_once("://") else {
        return Err("must be <scheme>://<host>[:<port>]".to_owned());
    };
    if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphabetic())) {
        return Err(format!("\"{scheme}\" is no scheme"));
    }
    let (host, port) = split_port(rest)?;
    let ports = match port {
        "*" => None,
        "" => {
            let port = well_known_port(scheme)
                .ok_or_else(|| format!("scheme \"{scheme}\" has no usual port, so name one"))?;
            Some(u32::from(port)..u32::from(port) + 1)
        }
        port => Some(parse_ports(port)?),
    };
    let scheme = (scheme != "*").then(|| scheme.to_ascii_lowercase());
    Ok(AllowedHost {
        scheme,
        host: parse_host(host)?,
        ports,
    })
}

/// Splits `host:port`, minding `[::1]:8080` and networks such as `10.0.0.0/8:443`.
fn split_port(rest: &str) -> Result<(&str, &str), String> {
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (rest, ""),
    };
    let port = match port.split_once('/') {
        Some((port, "")) => port,
        Some(_) => return Err("must not have a path".to_owned()),
        None => port,
    };
    Ok((host, port))
}

fn parse_ports(port: &str) -> Result<std::ops::Range<u32>, String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map(u32::from)
            .map_err(|_| format!("\"{port}\" is no port"))
    };
    match port.split_once("..") {
        Some((first, end)) => Ok(number(first)?..number(end)?),
        None => number(port).map(|port| port..port + 1),
    }
}

fn parse_host(host: &str) -> Result<Host, String> {
    match host {
        "*" => return Ok(Host::Any),
        "self" | "self.alt" => {
            return Err(
                "requests without a host are not supported: name <component>.spin.internal"
                    .to_owned(),
            );
        }
        _ => {}
    }
    if let Some((network, bits)) = host.split_once('/')
        && !bits.is_empty()
    {
        let network: IpAddr = network
            .parse()
            .map_err(|_| "must not have a path".to_owned())?;
        let bits_max = if network.is_ipv4() { 32 } else { 128 };
        return match bits.parse::<u8>() {
            Ok(bits) if bits <= bits_max => Ok(Host::Network(network, bits)),
            _ => Err(format!("\"/{bits}\" is no network size")),
        };
    }
    let host = host.strip_suffix('/').unwrap_or(host);
    if let Some(domain) = host.strip_prefix("*.") {
        return Ok(Host::Below(format!(".{}", domain_name(domain)?)));
    }
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        let address: std::net::Ipv6Addr = address
            .parse()
            .map_err(|_| format!("\"{address}\" is no IPv6 address"))?;
        return Ok(Host::Name(address.to_string()));
    }
    domain_name(host).map(Host::Name)
}

fn domain_name(name: &str) -> Result<String, String> {
    let fine = !name.is_empty()
        && name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        });
    match fine {
        true => Ok(name.to_ascii_lowercase()),
        false if name.contains('*') => Err("a wildcard may only be the first label".to_owned()),
        false => Err(format!("\"{name}\" is no host name")),
    }
}

fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            u32::from(a) & mask == u32::from(n) & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            u128::from(a) & mask == u128::from(n) & mask
        }
        _ => false,
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, address: &str) -> bool {
        AllowedHosts::new(vec![AllowedHost::parse(entry).unwrap()]).allow(&address.parse().unwrap())
    }

    #[test]
    fn allows_what_the_entry_names() {
        assert!(allows("https://example.com", "https://example.com/x"));
        assert!(allows("https://Example.com", "https://EXAMPLE.com:443/x"));
        assert!(allows("http://127.0.0.1:8080", "http://127.0.0.1:8080/"));
        assert!(allows("http://[::1]:8080", "http://[::1]:8080/"));
        assert!(allows("https://*.example.com", "https://a.b.example.com"));
        assert!(allows("*://*:*", "http://anything:1234"));
        assert!(allows("http://10.0.0.0/8:*", "http://10.20.30.40:99/"));
        assert!(allows("http://host:8000..8100", "http://host:8099"));
        assert!(allows(
            "http://flow.spin.internal",
            "http://flow.spin.internal/run"
        ));
    }

    #[test]
    fn allows_nothing_else() {
        assert!(!allows("https://example.com", "http://example.com"));
        assert!(!allows("https://example.com", "https://example.com:8443"));
        assert!(!allows(
            "https://example.com",
            "https://example.com.evil.test"
        ));
        assert!(!allows("https://example.com", "https://a.example.com"));
        assert!(!allows("https://*.example.com", "https://example.com"));
        assert!(!allows("https://*.example.com", "https://evilexample.com"));
        assert!(!allows("http://10.0.0.0/8:*", "http://11.0.0.1/"));
        assert!(!allows("http://host:8000..8100", "http://host:8100"));
        assert!(!allows("*://*:*", "http://other.spin.internal/"));
    }

    #[test]
    fn refuses_what_it_can_not_read() {
        for entry in [
            "*",
            "",
            "example.com",
            "https://",
            "https://a/b",
            "https://a:b",
            "https://a.*.com",
            "ftp://a",
            "http://self",
            "h t://a",
            "https://*x.com",
            "http://10.0.0.0/99",
            "http://a:99999",
        ] {
            assert!(AllowedHost::parse(entry).is_err(), "{entry}");
        }
    }
}
