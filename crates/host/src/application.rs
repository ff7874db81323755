//! A loaded application: its components, and how one request or tick runs in one of them.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

use crate::failure::Failure;
use crate::manifest::Route;
use crate::outbound::{Clients, Outgoing};
use crate::runtime::bindings::cron::{CronPre, Metadata};
use crate::runtime::{Engine, Grants, Instance, Limits};
use crate::stores::Stores;

/// Everything a running application consists of.
pub(crate) struct Application {
    pub(crate) engine: Engine,
    pub(crate) stores: Arc<Stores>,
    pub(crate) clients: Clients,
    pub(crate) limits: Limits,
    pub(crate) routes: Vec<(Route, String)>,
    pub(crate) components: HashMap<String, Entry>,
    /// Instances for requests from outside, and for those of components to each other: the second can't
    /// starve behind the first.
    pub(crate) slots: [Semaphore; 2],
    pub(crate) running: TaskTracker,
    pub(crate) counts: Counts,
}

/// One component with its ways in.
pub(crate) struct Entry {
    pub(crate) grants: Arc<Grants>,
    pub(crate) http: Option<ProxyPre<Instance>>,
    pub(crate) cron: Option<CronPre<Instance>>,
}

/// What happened so far.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) ticks: AtomicU64,
    pub(crate) instances: AtomicU64,
    pub(crate) instance_start_ns: AtomicU64,
}

/// On whose behalf a component runs.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The request's id, in the log and in `x-request-id`.
    pub(crate) request: Arc<str>,
    /// How many components stand between it and the outside.
    pub(crate) depth: u8,
    /// The client's address, if there is one.
    pub(crate) address: Option<std::net::SocketAddr>,
}

/// How the path of a request was matched.
pub(crate) struct Seen {
    pub(crate) route: String,
    pub(crate) rest: String,
    pub(crate) named: Vec<(String, String)>,
}

/// The head of a response, with its body still to come.
type Response = http::Response<HyperOutgoingBody>;

impl Application {
    /// Whether a component can be called over HTTP.
    pub(crate) fn answers_http(&self, component: &str) -> bool {
        self.components
            .get(component)
            .is_some_and(|entry| entry.http.is_some())
    }

    /// The component for a path: the most specific route wins.
    pub(crate) fn route(&self, path: &str) -> Option<(&str, Seen)> {
        self.routes.iter().find_map(|(route, component)| {
            let found = route.matches(path)?;
            let seen = Seen {
                route: route.raw().to_owned(),
                rest: found.rest,
                named: found.named,
            };
            Some((component.as_str(), seen))
        })
    }

    /// Answers one request with one new instance. The response is returned as soon as the component sends
    /// it; the component may work on, within the time limit, and shutdown waits for it.
    pub(crate) async fn answer(
        self: Arc<Self>,
        component: String,
        seen: Seen,
        mut request: http::Request<WasiBody>,
        caller: Caller,
    ) -> http::Response<WasiBody> {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = caller.request.clone();
        describe(&mut request, &seen, &caller);
        let (sender, response) = oneshot::channel();
        let cut = Arc::new(AtomicBool::new(false));
        let reply = Reply {
            sender,
            cut: cut.clone(),
        };
        let application = self.clone();
        let work = self
            .running
            .spawn(async move { application.serve(&component, request, caller, reply).await });
        // The channel closes without a response if the component ended without sending one.
        let answered = match response.await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(code)) => Err(Failure::Refused(format!("{code:?}"))),
            Err(_) => Err(match work.await {
                Ok(Err(failure)) => failure,
                Ok(Ok(())) => Failure::NoResponse,
                Err(_) => Failure::Trapped("the host failed".to_owned()),
            }),
        };
        let mut response = match answered {
            Ok(response) => response.map(|body| WholeBody { body, cut }.boxed_unsync()),
            Err(failure) => failure.response(),
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    /// Runs the component to its end and logs how that was.
    async fn serve(
        self: Arc<Self>,
        component: &str,
        request: http::Request<WasiBody>,
        caller: Caller,
        reply: Reply,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let request_id = caller.request.clone();
        let method = request.method().clone();
        let time_max = self.limits.request_time_max;
        let result = match tokio::time::timeout(
            time_max,
            self.call(component, request, caller, reply),
        )
        .await
        {
            Ok(result) => result,
            Err(_) => Err(Failure::TooLong(time_max)),
        };
        let ms = started.elapsed().as_millis() as u64;
        match &result {
            Ok(()) => tracing::debug!(component, request = &*request_id, %method, ms, "served"),
            Err(failure) => {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(component, request = &*request_id, %method, ms, "{failure}");
            }
        }
        result
    }

    async fn call(
        self: &Arc<Self>,
        component: &str,
        request: http::Request<WasiBody>,
        caller: Caller,
        reply: Reply,
    ) -> Result<(), Failure> {
        let entry = self.components.get(component).ok_or(Failure::NoResponse)?;
        let pre = entry.http.as_ref().ok_or(Failure::NoResponse)?;
        let slots = &self.slots[usize::from(caller.depth > 0)];
        let _slot = slots.acquire().await.map_err(|_| Failure::Stopping)?;
        let started = Instant::now();
        let mut store = self
            .store(entry, caller)
            .map_err(|error| Failure::trapped(&error))?;
        // Dropped before the store, and with it the response's body, however this ends.
        let mut cutting = Cutting(Some(reply.cut));
        let result = async {
            let proxy = pre.instantiate_async(&mut store).await?;
            self.count_start(started.elapsed());
            let mut http = store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let response = http.new_response_outparam(reply.sender)?;
            proxy
                .wasi_http_incoming_handler()
                .call_handle(&mut store, request, response)
                .await
        }
        .await;
        match result {
            Ok(()) => {
                cutting.0 = None;
                Ok(())
            }
            Err(error) => Err(explain(&store, &error)),
        }
    }

    /// Runs a cron component once.
    pub(crate) async fn tick(
        self: &Arc<Self>,
        component: &str,
        timestamp: u64,
    ) -> Result<(), Failure> {
        self.counts.ticks.fetch_add(1, Ordering::Relaxed);
        let time_max = self.limits.request_time_max;
        let ticked = tokio::time::timeout(time_max, self.call_cron(component, timestamp)).await;
        ticked.unwrap_or(Err(Failure::TooLong(time_max)))
    }

    async fn call_cron(self: &Arc<Self>, component: &str, timestamp: u64) -> Result<(), Failure> {
        let entry = self.components.get(component).ok_or(Failure::NoTrigger)?;
        let pre = entry.cron.as_ref().ok_or(Failure::NoTrigger)?;
        let _slot = self.slots[0]
            .acquire()
            .await
            .map_err(|_| Failure::Stopping)?;
        let caller = Caller {
            request: new_request_id(),
            depth: 0,
            address: None,
        };
        let mut store = self
            .store(entry, caller)
            .map_err(|error| Failure::trapped(&error))?;
        let result = async {
            let cron = pre.instantiate_async(&mut store).await?;
            store
                .run_concurrent(async |accessor| {
                    cron.call_handle_cron_event(accessor, Metadata { timestamp })
                        .await
                })
                .await?
        }
        .await;
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(crate::runtime::bindings::cron::Error::Other(reason))) => {
                Err(Failure::Refused(reason))
            }
            Err(error) => Err(explain(&store, &error)),
        }
    }

    fn store(self: &Arc<Self>, entry: &Entry, caller: Caller) -> wasmtime::Result<Store<Instance>> {
        let outgoing = Outgoing::new(self, &entry.grants, caller);
        let memory = self.limits.memory_bytes_max;
        Ok(self.engine.store(Instance::new(
            &entry.grants,
            &self.stores,
            outgoing,
            memory,
        )?))
    }

    fn count_start(&self, took: Duration) {
        self.counts.instances.fetch_add(1, Ordering::Relaxed);
        self.counts
            .instance_start_ns
            .fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// Where the response of a component goes.
struct Reply {
    sender: oneshot::Sender<Result<Response, ErrorCode>>,
    /// True once the component ended by a trap or at a limit.
    cut: Arc<AtomicBool>,
}

/// Says that a component was cut off, unless told in time that it ended well.
struct Cutting(Option<Arc<AtomicBool>>);

impl Drop for Cutting {
    fn drop(&mut self) {
        if let Some(cut) = &self.0 {
            cut.store(true, Ordering::Release);
        }
    }
}

/// The body of a response. If its component is cut off, it breaks off instead of looking complete.
struct WholeBody {
    body: HyperOutgoingBody,
    cut: Arc<AtomicBool>,
}

impl Body for WholeBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into);
        match polled {
            Poll::Ready(None) if self.cut.load(Ordering::Acquire) => {
                Poll::Ready(Some(Err(Error::HttpResponseIncomplete)))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The header that carries the id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A new id: 16 hexadecimal digits.
pub(crate) fn new_request_id() -> Arc<str> {
    format!("{:016x}", fastrand::u64(..)).into()
}

/// A trap, with the limit that led to it if there was one.
fn explain(store: &Store<Instance>, error: &wasmtime::Error) -> Failure {
    let memory = &store.data().memory;
    match memory.refused {
        true => Failure::TooMuchMemory(memory.bytes_max),
        false => Failure::trapped(error),
    }
}

/// Tells the component what Spin tells it, in headers nobody outside can set.
fn describe(request: &mut http::Request<WasiBody>, seen: &Seen, caller: &Caller) {
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

/// A response of one line.
pub(crate) fn line(status: StatusCode, text: &str) -> http::Response<WasiBody> {
    let body = http_body_util::Full::new(bytes::Bytes::from(format!("{text}\n")));
    let mut response = http::Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, plain);
    response
}
