//! Addresses: where a system is, and what may stand in a path.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Scheme, host and port of an address that is no more than these, in their usual form: lower case, without
/// the scheme's own port and without a slash at the end. Plain HTTP is for this machine only: tokens travel in
/// it.
///
/// An error is a predicate for [`Wrong::valid`](crate::variable::Wrong::valid).
pub fn origin(url: &str) -> Result<String, &'static str> {
    let uri: Uri = url.trim().parse().map_err(|_| "is not an address")?;
    let origin = origin_of(&uri)?;
    match uri.path() {
        "" | "/" if uri.query().is_none() => Ok(origin),
        _ => Err(NOT_ORIGIN_ONLY),
    }
}

/// The same of any address, whatever follows.
pub fn origin_of(uri: &Uri) -> Result<String, &'static str> {
    let authority = uri.authority().ok_or("has no host")?;
    if authority.as_str().contains('@') {
        return Err(NOT_ORIGIN_ONLY);
    }
    let host = authority.host().to_ascii_lowercase();
    let (scheme, usual_port) = match uri.scheme_str() {
        Some("https") => ("https", 443),
        Some("http") if is_this_machine(&host) => ("http", 80),
        Some("http") => return Err("must start with https:// unless it is on this machine"),
        _ => return Err("must start with https://"),
    };
    Ok(match authority.port_u16() {
        Some(port) if port != usual_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

const NOT_ORIGIN_ONLY: &str = "must be scheme, host and port only";

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Text for one segment of a path: all but RFC 3986's unreserved characters is encoded, slashes too.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (url, want) in [
            ("https://Acme.example.com/", "https://acme.example.com"),
            (" https://localhost:443 ", "https://localhost"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("http://127.0.0.1:3001", "http://127.0.0.1:3001"),
            ("http://LOCALHOST:80/", "http://localhost"),
            ("http://[::1]:9", "http://[::1]:9"),
        ] {
            assert_eq!(origin(url).as_deref(), Ok(want), "{url}");
        }
    }

    #[test]
    fn what_is_no_origin_is_told() {
        for (url, why) in [
            ("ftp://x", "must start with https://"),
            ("x", "must start with https://"),
            (
                "http://example.com",
                "must start with https:// unless it is on this machine",
            ),
            ("https://example.com/services", NOT_ORIGIN_ONLY),
            ("https://user:pw@example.com", NOT_ORIGIN_ONLY),
            ("https://example.com?x=1", NOT_ORIGIN_ONLY),
            ("not an address", "is not an address"),
            ("", "is not an address"),
            ("/services", "has no host"),
        ] {
            assert_eq!(origin(url), Err(why), "{url}");
        }
        let uri = Uri::from_static("https://Example.com:443/a?b=c");
        assert_eq!(origin_of(&uri).as_deref(), Ok("https://example.com"));
    }

    #[test]
    fn a_segment_stays_one() {
        assert_eq!(encoded("aZ0-._~"), "aZ0-._~");
        assert_eq!(encoded("a/b?c d:%é"), "a%2Fb%3Fc%20d%3A%25%C3%A9");
    }
}
