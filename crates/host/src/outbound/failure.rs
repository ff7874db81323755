//! Why a request failed, in the words of `wasi:http`.
//!
//! A component must be able to tell "never sent" from "outcome unknown". Never sent: the DNS, destination,
//! connection-refused, connection-timeout and TLS errors, and a refusal by this host. Everything else
//! (connection-terminated, response-timeout, incomplete or broken responses) may have had its effect.

use std::error::Error as StdError;
use std::io;

use wasmtime_wasi_http::Error;

/// A host name without an address.
#[derive(Debug, thiserror::Error)]
#[error("no address for the host name")]
pub(super) struct NoAddress;

/// Classifies a failure of the client.
pub(super) fn classify(error: &hyper_util::client::legacy::Error) -> Error {
    let causes = causes(error);
    if error.is_connect() {
        return connecting(&causes);
    }
    // Cancelled: the connection was closed before the first byte of the request was written.
    let cancelled = causes.iter().any(|cause| {
        cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_canceled)
    });
    if cancelled {
        return Error::DestinationUnavailable;
    }
    let parse = causes.iter().any(|cause| {
        cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_parse)
    });
    if parse {
        Error::HttpProtocolError
    } else {
        Error::ConnectionTerminated
    }
}

fn connecting(causes: &[&(dyn StdError + 'static)]) -> Error {
    for cause in causes {
        if cause.is::<NoAddress>() {
            return Error::DnsError {
                rcode: Some("no address for the host name".to_owned()),
                info_code: None,
            };
        }
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return tls(error);
        }
        let Some(error) = cause.downcast_ref::<io::Error>() else {
            continue;
        };
        if let Some(error) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return tls(error);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => return Error::ConnectionRefused,
            io::ErrorKind::TimedOut => return Error::ConnectionTimeout,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                return Error::DestinationIpUnroutable;
            }
            _ => {}
        }
    }
    Error::DestinationUnavailable
}

fn tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let next = |error: &&'a (dyn StdError + 'static)| (*error).source();
    std::iter::successors(Some(error), next).take(16).collect()
}
