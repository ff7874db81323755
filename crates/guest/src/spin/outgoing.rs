//! HTTP to other systems, bounded in time and size.

use bytes::Bytes;
use http::{Method, Request, Response};
use sluice_core::async_trait;
use sluice_core::ports::{Http, Limit, SendError};
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method as WasiMethod,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};

use super::incoming::{drain, ready, write_all};

pub struct WasiHttp;

#[async_trait(?Send)]
impl Http for WasiHttp {
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError> {
        let (parts, body) = request.into_parts();
        let outgoing = outgoing(&parts).map_err(|()| not_sent("the request is malformed"))?;
        let outgoing_body = outgoing
            .body()
            .map_err(|()| not_sent("the request has no body"))?;
        let deadline = monotonic_clock::now().saturating_add(nanoseconds(limit.timeout));
        let pending = outgoing_handler::handle(outgoing, Some(options(limit)?))
            .map_err(|code| failed(&code))?;
        // The stream is dropped before the body is finished, as the interface wants it. A body that can't
        // be written shows itself in the answer.
        if let Ok(stream) = outgoing_body.write() {
            let _ = write_all(&stream, &body).await;
        }
        let _ = OutgoingBody::finish(outgoing_body, None);
        let incoming = answer(pending, deadline).await?;
        let mut response = Response::builder().status(incoming.status());
        for (name, value) in incoming.headers().entries() {
            response = response.header(name, value);
        }
        let body = incoming
            .consume()
            .map_err(|()| lost("the answer has no body"))?;
        let body = drain(body, limit.answer_bytes_max)
            .await
            .map_err(|_| lost("the answer broke off"))?
            .ok_or(SendError::TooLarge)?;
        response
            .body(body)
            .map_err(|_| lost("the answer is malformed"))
    }
}

async fn answer(
    pending: FutureIncomingResponse,
    deadline: u64,
) -> Result<IncomingResponse, SendError> {
    ready(pending.subscribe()).await;
    if monotonic_clock::now() > deadline {
        return Err(lost("no answer came in time"));
    }
    match pending.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(failed(&code)),
        Some(Err(())) | None => Err(lost("no answer came")),
    }
}

fn outgoing(parts: &http::request::Parts) -> Result<OutgoingRequest, ()> {
    let headers = Fields::new();
    for (name, value) in &parts.headers {
        headers
            .append(&name.as_str().to_owned(), &value.as_bytes().to_vec())
            .map_err(|_| ())?;
    }
    let request = OutgoingRequest::new(headers);
    request.set_method(&method(&parts.method))?;
    let scheme = match parts.uri.scheme_str() {
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        _ => return Err(()),
    };
    request.set_scheme(Some(&scheme))?;
    request.set_authority(parts.uri.authority().map(http::uri::Authority::as_str))?;
    request.set_path_with_query(
        parts
            .uri
            .path_and_query()
            .map(http::uri::PathAndQuery::as_str),
    )?;
    Ok(request)
}

fn options(limit: Limit) -> Result<RequestOptions, SendError> {
    let options = RequestOptions::new();
    let timeout = nanoseconds(limit.timeout);
    // A host that can't bound one of these bounds the request as a whole.
    let _ = options.set_connect_timeout(Some(timeout.min(10_000_000_000)));
    let _ = options.set_first_byte_timeout(Some(timeout));
    let _ = options.set_between_bytes_timeout(Some(timeout));
    Ok(options)
}

/// Only what certainly happened before anything was sent counts as not sent.
fn failed(code: &ErrorCode) -> SendError {
    match code {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_)
        | ErrorCode::HttpRequestDenied
        | ErrorCode::LoopDetected
        | ErrorCode::HttpRequestUriInvalid => {
            SendError::NotSent(format!("not sent: {}", word(code)))
        }
        _ => SendError::Lost(format!("no whole answer: {}", word(code))),
    }
}

/// A code by its name in the interface. Its `Debug` says no more, and would add kilobytes to a component.
fn word(code: &ErrorCode) -> &str {
    match code {
        ErrorCode::DnsTimeout => "DNS-timeout",
        ErrorCode::DnsError(_) => "DNS-error",
        ErrorCode::DestinationNotFound => "destination-not-found",
        ErrorCode::DestinationUnavailable => "destination-unavailable",
        ErrorCode::DestinationIpProhibited => "destination-IP-prohibited",
        ErrorCode::DestinationIpUnroutable => "destination-IP-unroutable",
        ErrorCode::ConnectionRefused => "connection-refused",
        ErrorCode::ConnectionTerminated => "connection-terminated",
        ErrorCode::ConnectionTimeout => "connection-timeout",
        ErrorCode::ConnectionReadTimeout => "connection-read-timeout",
        ErrorCode::ConnectionWriteTimeout => "connection-write-timeout",
        ErrorCode::ConnectionLimitReached => "connection-limit-reached",
        ErrorCode::TlsProtocolError => "TLS-protocol-error",
        ErrorCode::TlsCertificateError => "TLS-certificate-error",
        ErrorCode::TlsAlertReceived(_) => "TLS-alert-received",
        ErrorCode::HttpRequestDenied => "HTTP-request-denied",
        ErrorCode::HttpRequestUriInvalid => "HTTP-request-URI-invalid",
        ErrorCode::HttpResponseIncomplete => "HTTP-response-incomplete",
        ErrorCode::HttpResponseTimeout => "HTTP-response-timeout",
        ErrorCode::HttpProtocolError => "HTTP-protocol-error",
        ErrorCode::LoopDetected => "loop-detected",
        ErrorCode::ConfigurationError => "configuration-error",
        ErrorCode::InternalError(Some(why)) => why,
        ErrorCode::InternalError(None) => "internal-error",
        ErrorCode::HttpResponseBodySize(_) => "HTTP-response-body-size",
        // The rest is about the shape of messages, ours or the server's.
        _ => "HTTP-error",
    }
}

fn method(method: &Method) -> WasiMethod {
    match method.as_str() {
        "GET" => WasiMethod::Get,
        "POST" => WasiMethod::Post,
        "PUT" => WasiMethod::Put,
        "PATCH" => WasiMethod::Patch,
        "DELETE" => WasiMethod::Delete,
        "HEAD" => WasiMethod::Head,
        other => WasiMethod::Other(other.to_owned()),
    }
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn not_sent(why: &str) -> SendError {
    SendError::NotSent(why.to_owned())
}

fn lost(why: &str) -> SendError {
    SendError::Lost(why.to_owned())
}
