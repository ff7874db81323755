//! Addresses.

use http::Uri;
use sluice_core::Result;

/// Scheme, host and port. Plain HTTP is for this machine only: tokens travel in it.
pub(crate) fn origin(url: &str) -> Result<String, &'static str> {
    let uri: Uri = url.trim().parse().map_err(|_| "is not an address")?;
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err("must be scheme, host and port only");
    }
    origin_of(&uri)
}

/// The origin of any address.
pub(crate) fn origin_of(uri: &Uri) -> Result<String, &'static str> {
    let authority = uri.authority().ok_or("has no host")?;
    if authority.as_str().contains('@') {
        return Err("must be scheme, host and port only");
    }
    let host = authority.host().to_ascii_lowercase();
    let (scheme, usual_port) = match uri.scheme_str() {
        Some("https") => ("https", 443),
        Some("http") if matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") => {
            ("http", 80)
        }
        Some("http") => return Err("must start with https:// unless it is on this machine"),
        _ => return Err("must start with https://"),
    };
    Ok(match authority.port_u16() {
        Some(port) if port != usual_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}
