//! A loaded application: its components, and how one request or tick runs in one of them.

mod describe;
mod reply;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use describe::describe;
use reply::{Cutting, Reply, WholeBody};

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
    /// Ends whatever still runs when shutdown has waited long enough.
    pub(crate) cut_off: CancellationToken,
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
        let result = self
            .bounded(self.call(component, request, caller, reply))
            .await;
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
        let _slot = self.slot(caller.depth).await?;
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
        self.bounded(self.call_cron(component, timestamp)).await
    }

    async fn call_cron(self: &Arc<Self>, component: &str, timestamp: u64) -> Result<(), Failure> {
        let entry = self.components.get(component).ok_or(Failure::NoTrigger)?;
        let pre = entry.cron.as_ref().ok_or(Failure::NoTrigger)?;
        let _slot = self.slot(0).await?;
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

    /// Work within the time limit, and not beyond the end of shutdown.
    async fn bounded(
        &self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let time_max = self.limits.request_time_max;
        tokio::select! {
            result = tokio::time::timeout(time_max, work) => {
                result.unwrap_or(Err(Failure::TooLong(time_max)))
            }
            () = self.cut_off.cancelled() => Err(Failure::Stopping),
        }
    }

    /// Waits for one of the places for instances.
    async fn slot(&self, depth: u8) -> Result<SemaphorePermit<'_>, Failure> {
        let slots = &self.slots[usize::from(depth > 0)];
        let wait_max = self.limits.instance_wait_max;
        match tokio::time::timeout(wait_max, slots.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(Failure::Stopping),
            Err(_) => Err(Failure::Busy(wait_max)),
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
