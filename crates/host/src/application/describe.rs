//! What a component is told about its request, as Spin tells it.

use http::{HeaderMap, HeaderName, HeaderValue};
use wasmtime_wasi_http::WasiBody;

use super::{Caller, REQUEST_ID, Seen};

/// Tells the component what Spin tells it, in headers nobody outside can set.
pub(super) fn describe(request: &mut http::Request<WasiBody>, seen: &Seen, caller: &Caller) {
    let uri = request.uri().clone();
    let headers = request.headers_mut();
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("spin-"))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    headers.remove(http::header::CONNECTION);
    let host = headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("{}://{host}{path}", uri.scheme_str().unwrap_or("http"));
    put(headers, "spin-full-url", &full_url);
    put(headers, "spin-path-info", &seen.rest);
    put(headers, "spin-matched-route", &seen.route);
    put(headers, "spin-raw-component-route", &seen.route);
    put(
        headers,
        "spin-component-route",
        seen.route.strip_suffix("/...").unwrap_or(&seen.route),
    );
    put(headers, "spin-base-path", "/");
    if let Some(address) = caller.address {
        put(headers, "spin-client-addr", &address.to_string());
    }
    for (name, value) in &seen.named {
        put(
            headers,
            &format!("spin-path-match-{}", name.to_ascii_lowercase()),
            value,
        );
    }
    put(headers, REQUEST_ID.as_str(), &caller.request);
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    // What can't be a header (a path with odd bytes) is left out, as the component can read it elsewhere.
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}
