//! The listener: HTTP/1.1 in, one component instance a request.

mod drained;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use wasmtime_wasi_http::{Error, WasiBody};

use drained::Drained;

use crate::application::{Application, Caller, REQUEST_ID, line, new_request_id};
use crate::outbound::LimitedBody;

/// Accepts connections until told to stop, then lets those that are open finish.
pub(crate) async fn run(
    listener: TcpListener,
    application: Arc<Application>,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(
        application.limits.connection_count_max as usize,
    ));
    let graceful = GracefulShutdown::new();
    loop {
        let slot = tokio::select! {
            slot = connections.clone().acquire_owned() => slot,
            _ = stop.changed() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // For instance out of file descriptors: that passes, and must not spin.
                tracing::warn!("can't accept a connection: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = connection(stream, address, &application);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _slot = slot;
            if let Err(error) = connection.await {
                tracing::debug!(%address, "a connection ended early: {error}");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn connection(
    stream: TcpStream,
    address: SocketAddr,
    application: &Arc<Application>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, "can't set TCP_NODELAY: {error}");
    }
    let application = application.clone();
    let head_time_max = application.limits.head_time_max;
    let service = service_fn(move |request| {
        let application = application.clone();
        async move { Ok::<_, std::convert::Infallible>(answer(application, request, address).await) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time_max)
        .serve_connection(TokioIo::new(stream), service)
}

async fn answer(
    application: Arc<Application>,
    request: http::Request<Incoming>,
    address: SocketAddr,
) -> http::Response<WasiBody> {
    let id = request_id(&request);
    let mut response = dispatch(application, request, address, id.clone()).await;
    if let Ok(id) = http::HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

async fn dispatch(
    application: Arc<Application>,
    request: http::Request<Incoming>,
    address: SocketAddr,
    id: Arc<str>,
) -> http::Response<WasiBody> {
    let Some((component, seen)) = application.route(request.uri().path()) else {
        return line(StatusCode::NOT_FOUND, "no route matches");
    };
    let component = component.to_owned();
    if request.headers().get(http::header::HOST).is_none() && request.uri().authority().is_none() {
        return line(StatusCode::BAD_REQUEST, "the host header is missing");
    }
    let bytes_max = application.limits.request_body_bytes_max;
    let request = request.map(Drained::new);
    if request.body().size_hint().lower() > bytes_max {
        return too_large(bytes_max);
    }
    let (parts, body) = request.into_parts();
    let body = LimitedBody::new(body, bytes_max, || Error::HttpRequestBodySize(None));
    let exceeded = body.exceeded();
    let request = http::Request::from_parts(parts, body.boxed_unsync());
    let caller = Caller {
        request: id,
        depth: 0,
        address: Some(address),
    };
    let response = application.answer(component, seen, request, caller).await;
    // Whatever the component made of a body that was cut off.
    if exceeded.load(Ordering::Relaxed) {
        return too_large(bytes_max);
    }
    response
}

fn too_large(bytes_max: u64) -> http::Response<WasiBody> {
    line(
        StatusCode::PAYLOAD_TOO_LARGE,
        &format!("the body has more than {bytes_max} bytes"),
    )
}

/// The caller's id if it is a plain short one, else a new one.
fn request_id(request: &http::Request<Incoming>) -> Arc<str> {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    match given {
        Some(id)
            if (1..=64).contains(&id.len())
                && id
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) =>
        {
            id.into()
        }
        _ => new_request_id(),
    }
}
