//! The request that started this instance, and its response.

use std::future::poll_fn;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, Method as WasiMethod, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes asked of a stream at a time.
const CHUNK: u64 = 64 * 1024;

/// Reads the whole request, or says with which status to refuse it.
pub async fn read(
    request: &IncomingRequest,
    bytes_max: usize,
) -> Result<Request<Bytes>, (StatusCode, &'static str)> {
    const MALFORMED: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "the request is malformed");
    let mut builder = Request::builder()
        .method(method(&request.method()).ok_or(MALFORMED)?)
        .uri(request.path_with_query().unwrap_or_else(|| "/".into()));
    for (name, value) in request.headers().entries() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| MALFORMED)?;
        let value = HeaderValue::from_bytes(&value).map_err(|_| MALFORMED)?;
        builder = builder.header(name, value);
    }
    let body = request.consume().map_err(|()| MALFORMED)?;
    let body = match drain(body, bytes_max).await {
        Ok(Some(body)) => body,
        Ok(None) => return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
        Err(_) => return Err((StatusCode::BAD_REQUEST, "the body did not arrive whole")),
    };
    builder.body(body).map_err(|_| MALFORMED)
}

/// A body as bytes; `None` if it is larger than `bytes_max`.
pub async fn drain(body: IncomingBody, bytes_max: usize) -> Result<Option<Bytes>, StreamError> {
    let stream = body.stream().map_err(|()| StreamError::Closed)?;
    let mut bytes = BytesMut::new();
    let whole = loop {
        match read_some(&stream).await {
            Ok(chunk) if bytes.len() + chunk.len() > bytes_max => break Ok(None),
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break Ok(Some(bytes.freeze())),
            Err(error) => break Err(error),
        }
    };
    drop(stream);
    whole
}

async fn read_some(stream: &InputStream) -> Result<Vec<u8>, StreamError> {
    loop {
        let chunk = stream.read(CHUNK)?;
        if !chunk.is_empty() {
            return Ok(chunk);
        }
        ready(stream.subscribe()).await;
    }
}

/// Sends the response whole. A peer that went away is nobody's fault: the work is durable by now.
pub async fn respond(out: ResponseOutparam, response: Response<Bytes>) {
    let (parts, body) = response.into_parts();
    let headers = Fields::new();
    for (name, value) in &parts.headers {
        if headers
            .append(&name.as_str().to_owned(), &value.as_bytes().to_vec())
            .is_err()
        {
            eprintln!("{{\"message\":\"a response header was refused\",\"name\":\"{name}\"}}");
        }
    }
    let outgoing = OutgoingResponse::new(headers);
    if outgoing.set_status_code(parts.status.as_u16()).is_err() {
        eprintln!("{{\"message\":\"a response status was refused\"}}");
    }
    let Ok(outgoing_body) = outgoing.body() else {
        return;
    };
    ResponseOutparam::set(out, Ok(outgoing));
    // The stream is dropped before the body is finished, as the interface wants it.
    if let Ok(stream) = outgoing_body.write()
        && write_all(&stream, &body).await.is_err()
    {
        return;
    }
    if OutgoingBody::finish(outgoing_body, None).is_err() {
        eprintln!("{{\"message\":\"a response was cut off\"}}");
    }
}

/// Writes everything and flushes.
pub async fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            ready(stream.subscribe()).await;
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    stream.flush()?;
    while stream.check_write()? == 0 {
        ready(stream.subscribe()).await;
    }
    Ok(())
}

/// Waits until a pollable is ready.
pub async fn ready(pollable: Pollable) {
    let mut registered: Option<CancelOnDropToken> = None;
    let mut pollable = Some(pollable);
    poll_fn(|context| match pollable.take() {
        Some(pollable) if !pollable.ready() => {
            let token = push_waker_and_get_token(pollable, context.waker().clone());
            registered = Some(token.into());
            Poll::Pending
        }
        // Ready at once, or woken after it was handed over.
        _ => Poll::Ready(()),
    })
    .await;
    drop(registered);
}

fn method(method: &WasiMethod) -> Option<Method> {
    let name = match method {
        WasiMethod::Get => "GET",
        WasiMethod::Head => "HEAD",
        WasiMethod::Post => "POST",
        WasiMethod::Put => "PUT",
        WasiMethod::Delete => "DELETE",
        WasiMethod::Connect => "CONNECT",
        WasiMethod::Options => "OPTIONS",
        WasiMethod::Trace => "TRACE",
        WasiMethod::Patch => "PATCH",
        WasiMethod::Other(name) => name,
    };
    name.parse().ok()
}
