//! The pool of connections to the outside.
//!
//! HTTP/1.1 with keep-alive. A pooled connection that its server has closed meanwhile is noticed before the
//! first byte of a request is written, and only then is the request given to another connection: no request
//! is ever sent twice.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection, dns};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::body::LimitedBody;
use super::failure::{NoAddress, classify};
use super::tls::{ClientTls, RuntimeConfig, default_tls};

type Pool = Client<HttpsConnector<HttpConnector<Resolver>>, WasiBody>;

/// A connection unused for longer is closed: before most servers do it.
const IDLE_TIME_MAX: Duration = Duration::from_secs(50);
const IDLE_PER_HOST_MAX: usize = 64;
/// If the component sets no limit of its own.
const CONNECT_TIME_DEFAULT: Duration = Duration::from_secs(10);

/// Pools of connections: one for everybody, and one for each client certificate or set of roots.
pub(crate) struct Clients {
    shared: OnceLock<Pool>,
    special: HashMap<usize, Pool>,
    profiles: Vec<ClientTls>,
    answer_time_max: Duration,
    answer_bytes_max: u64,
}

impl Clients {
    pub(crate) fn new(
        config: RuntimeConfig,
        answer_time_max: Duration,
        answer_bytes_max: u64,
    ) -> Result<Self, String> {
        let profiles = config.client_tls;
        let mut special = HashMap::new();
        for (index, profile) in profiles.iter().enumerate() {
            special.insert(index, pool(profile.client_config()?));
        }
        Ok(Self {
            shared: OnceLock::new(),
            special,
            profiles,
            answer_time_max,
            answer_bytes_max,
        })
    }

    /// Sends one request of a component and waits for the head of its answer.
    pub(super) async fn send(
        &self,
        component: &str,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<http::Response<WasiBody>, Error> {
        let options = options.unwrap_or_default();
        let pool = self.pool(component, request.uri().host().unwrap_or_default());
        let mut connection = capture_connection(&mut request);
        let sending = pool.request(request);
        tokio::pin!(sending);
        let connected = async {
            connection.wait_for_connection_metadata().await;
        };
        let connect_time = options.connect_timeout.unwrap_or(CONNECT_TIME_DEFAULT);
        let early = tokio::select! {
            biased;
            answer = &mut sending => Some(answer),
            () = connected => None,
            () = tokio::time::sleep(connect_time) => return Err(Error::ConnectionTimeout),
        };
        let first_byte_time = options.first_byte_timeout.unwrap_or(self.answer_time_max);
        let answer = match early {
            Some(answer) => answer,
            None => tokio::time::timeout(first_byte_time, sending)
                .await
                .map_err(|_| Error::HttpResponseTimeout)?,
        };
        let answer = answer.map_err(|error| classify(&error))?;
        let pause = options
            .between_bytes_timeout
            .unwrap_or(self.answer_time_max);
        let bytes_max = self.answer_bytes_max;
        Ok(answer.map(|body| {
            LimitedBody::new(body, bytes_max, || Error::HttpResponseBodySize(None))
                .pause_max(pause)
                .boxed_unsync()
        }))
    }

    fn pool(&self, component: &str, host: &str) -> &Pool {
        let special = self
            .profiles
            .iter()
            .position(|profile| profile.applies(component, host));
        special
            .and_then(|index| self.special.get(&index))
            .unwrap_or_else(|| self.shared.get_or_init(|| pool(default_tls())))
    }
}

fn pool(tls: rustls::ClientConfig) -> Pool {
    let mut http = HttpConnector::new_with_resolver(Resolver);
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_keepalive(Some(Duration::from_secs(30)));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIME_MAX)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .retry_canceled_requests(true)
        .build(connector)
}

/// The system's resolver, with a failure that can be told from others.
#[derive(Clone)]
struct Resolver;

impl tower_service::Service<dns::Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = NoAddress;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, NoAddress>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: dns::Name) -> Self::Future {
        let name: Arc<str> = name.as_str().into();
        Box::pin(async move {
            let found = tokio::net::lookup_host((&*name, 0))
                .await
                .map_err(|_| NoAddress)?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                Err(NoAddress)
            } else {
                Ok(found.into_iter())
            }
        })
    }
}
