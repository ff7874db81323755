//! All that is missing or wrong, for one fault.

use http::Uri;
use sluice_core::{BadField, Fault, Result, Variable, code};

#[derive(Default)]
pub(super) struct Wrong {
    fields: Vec<BadField>,
    missing: bool,
}

impl Wrong {
    pub fn needs(&mut self, variable: Variable, value: Option<String>) -> Option<String> {
        if value.is_none() {
            self.missing = true;
            self.add(variable, "is not set");
        }
        value
    }

    pub fn valid<T>(&mut self, variable: Variable, value: Result<T, &'static str>) -> Option<T> {
        value.map_err(|why| self.add(variable, why)).ok()
    }

    fn add(&mut self, variable: Variable, why: &str) {
        let reason = format!("{why}; it is {}", variable.purpose);
        self.fields.push(BadField::new(variable.name, reason));
    }

    pub fn or<T>(self, settings: Option<T>) -> Result<T> {
        match settings {
            Some(settings) if self.fields.is_empty() => Ok(settings),
            _ => Err(self.fault()),
        }
    }

    fn fault(self) -> Fault {
        let (code, message) = if self.missing {
            (code::VARIABLE_MISSING, "variables are missing")
        } else {
            (code::VARIABLE_INVALID, "variables are wrong")
        };
        Fault::stop_flow(code, message).with_fields(self.fields)
    }
}

/// Read as optional, so that what is missing and what is wrong are told together.
pub(super) fn optional(variable: Variable) -> Variable {
    Variable {
        required: false,
        ..variable
    }
}

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
