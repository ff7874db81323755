//! Requests that components send: allowed or not, to another component or to the world.

mod body;
mod client;
mod failure;
mod tls;

use std::sync::Arc;

use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use body::LimitedBody;
pub(crate) use client::Clients;
pub(crate) use tls::default_tls;
pub use tls::{ClientTls, RuntimeConfig};

use crate::application::{Application, Caller};
use crate::runtime::Grants;

/// Components calling components may go this deep.
const CHAIN_DEPTH_MAX: u8 = 8;

/// How one instance sends requests.
pub(crate) struct Outgoing {
    application: Arc<Application>,
    grants: Arc<Grants>,
    caller: Caller,
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl Outgoing {
    pub(crate) fn new(
        application: &Arc<Application>,
        grants: &Arc<Grants>,
        caller: Caller,
    ) -> Self {
        Self {
            application: application.clone(),
            grants: grants.clone(),
            caller,
        }
    }

    pub(crate) fn request_id(&self) -> &Arc<str> {
        &self.caller.request
    }

    fn check(&self, uri: &http::Uri) -> Result<(), Error> {
        if self.grants.allowed_hosts.allow(uri) {
            return Ok(());
        }
        // The path may hold what nobody should read; scheme and host do not.
        tracing::warn!(
            component = &*self.grants.component,
            request = &*self.caller.request,
            scheme = uri.scheme_str().unwrap_or_default(),
            host = uri.host().unwrap_or_default(),
            "refused a request to a host that is not in allowed_outbound_hosts"
        );
        Err(Error::HttpRequestDenied)
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if let Err(error) = self.check(request.uri()) {
            return Box::new(async move { Err(error) });
        }
        let application = self.application.clone();
        let grants = self.grants.clone();
        let caller = self.caller.clone();
        Box::new(async move {
            let host = request.uri().host().unwrap_or_default();
            let response = match host.strip_suffix(crate::manifest::INTERNAL_SUFFIX) {
                Some(component) => {
                    let component = component.to_owned();
                    let called = call_component(&application, component, request, caller);
                    let wait = options.and_then(|options| options.first_byte_timeout);
                    match wait {
                        Some(wait) => tokio::time::timeout(wait, called)
                            .await
                            .map_err(|_| Error::HttpResponseTimeout)??,
                        None => called.await?,
                    }
                }
                None => {
                    let sent = application
                        .clients
                        .send(&grants.component, request, options)
                        .await;
                    sent.inspect_err(|error| {
                        tracing::debug!(
                            component = &*grants.component,
                            request = &*caller.request,
                            "a request failed: {error}"
                        );
                    })?
                }
            };
            // Connections are driven by the pool: there is nothing left to do for this request.
            let io: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, io))
        })
    }
}

async fn call_component(
    application: &Arc<Application>,
    component: String,
    request: http::Request<WasiBody>,
    mut caller: Caller,
) -> Result<http::Response<WasiBody>, Error> {
    caller.depth += 1;
    if caller.depth > CHAIN_DEPTH_MAX {
        return Err(Error::LoopDetected);
    }
    if !application.answers_http(&component) {
        return Err(Error::DestinationNotFound);
    }
    let path = request.uri().path().to_owned();
    let seen = crate::application::Seen {
        route: "/...".to_owned(),
        rest: path,
        named: Vec::new(),
    };
    // Boxed, because a component called may call in turn.
    let answered = Box::pin(application.clone().answer(component, seen, request, caller)).await;
    Ok(answered.map(|body| body.boxed_unsync()))
}
