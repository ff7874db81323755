//! Components put to work on simulated ground, for `sluice certify`: what they import is the ground's.

mod interfaces;
mod requests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use certify::{Flow, Ground};
use futures::future::LocalBoxFuture;
use http::Request;
use http_body_util::{BodyExt, Full};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Cache, CacheConfig, Config, Store};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::manifest::{Manifest, Template};
use crate::runtime::refuse_unoffered;
use requests::Requests;

/// A component that answers for one flow.
#[derive(Clone)]
pub(crate) struct Staged(Arc<Parts>);

struct Parts {
    flow: String,
    proxy: ProxyPre<Worker>,
    engine: wasmtime::Engine,
    /// The component's variables, as its manifest fills them.
    variables: BTreeMap<String, Template>,
    /// What the manifest says where the ground says nothing.
    defaults: BTreeMap<String, String>,
    /// The folder with its files, seen as `/`, and what keeps it.
    files: Option<PathBuf>,
    scratch: Arc<TempDir>,
    runtime: Runtime,
}

/// One instance on the ground.
pub(crate) struct Worker {
    ground: Ground,
    number: usize,
    variables: BTreeMap<String, String>,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    requests: Requests,
}

impl Staged {
    /// Compiles the component of this id, or takes it from `compiled`.
    pub(crate) fn load(manifest: &Manifest, flow: &str, compiled: &Path) -> anyhow::Result<Self> {
        let component = manifest.components.get(flow).ok_or_else(|| {
            let known: Vec<&str> = manifest.components.keys().map(String::as_str).collect();
            anyhow::anyhow!(
                "{} has no component \"{flow}\"; there are {}",
                manifest.file.display(),
                known.join(", ")
            )
        })?;
        let scratch = tempfile::tempdir()?;
        let files = manifest.copy_files(component, &scratch.path().join("files"))?;
        let mut config = Config::new();
        let compiled = std::path::absolute(compiled)?;
        std::fs::create_dir_all(&compiled)?;
        let mut cache = CacheConfig::new();
        cache.with_directory(compiled);
        config.cache(Some(Cache::new(cache)?));
        let engine = wasmtime::Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        interfaces::add_to_linker(&mut linker)?;
        let loaded = Component::from_file(&engine, &component.source)?;
        refuse_unoffered(&engine, &mut linker, &loaded)?;
        let proxy = ProxyPre::new(linker.instantiate_pre(&loaded)?)?;
        let defaults = manifest.variables.iter().filter_map(|(name, variable)| {
            let value = variable.default.as_ref()?;
            Some((name.clone(), value.clone()))
        });
        Ok(Self(Arc::new(Parts {
            flow: flow.to_owned(),
            proxy,
            variables: component.variables.clone(),
            defaults: defaults.collect(),
            files,
            scratch: Arc::new(scratch),
            engine,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })))
    }

    /// The same component for another thread.
    pub(crate) fn for_another_thread(&self) -> anyhow::Result<Self> {
        let parts = &self.0;
        Ok(Self(Arc::new(Parts {
            flow: parts.flow.clone(),
            proxy: parts.proxy.clone(),
            engine: parts.engine.clone(),
            variables: parts.variables.clone(),
            defaults: parts.defaults.clone(),
            files: parts.files.clone(),
            scratch: parts.scratch.clone(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })))
    }

    fn variables(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let value = |name: &str| {
            let found = given.get(name).or_else(|| self.0.defaults.get(name));
            found.map(String::as_str)
        };
        let filled = self.0.variables.iter().filter_map(|(name, template)| {
            let filled = template.fill(value).ok()?;
            Some((name.clone(), filled))
        });
        filled.collect()
    }
}

impl Flow for Staged {
    fn name(&self) -> &str {
        &self.0.flow
    }

    /// By the variables it is given: the manifest says nothing else of what a component reads from.
    fn source(&self) -> &str {
        match self.0.variables.contains_key("amazon_client_id") {
            true => "amazon",
            false => "salesforce",
        }
    }

    fn work(
        &self,
        ground: Ground,
        worker: usize,
        variables: BTreeMap<String, String>,
        request: Request<Bytes>,
    ) -> LocalBoxFuture<'static, ()> {
        let staged = self.clone();
        let variables = self.variables(&variables);
        let parts = self.0.clone();
        let mut serving = Box::pin(async move {
            let instance = Worker::new(&parts, ground.clone(), worker, variables);
            // A trap is a crash: the ground sees a worker that ends without an answer.
            if let Err(error) = serve(&parts, instance, worker, ground, request).await {
                tracing::warn!("the component ended: {error:#}");
            }
        });
        // The ground drives its workers by polling; tasks that a request started run in between.
        Box::pin(std::future::poll_fn(move |_| {
            let once = std::future::poll_fn(|context| Poll::Ready(serving.as_mut().poll(context)));
            staged.0.runtime.block_on(async {
                tokio::task::yield_now().await;
                once.await
            })
        }))
    }
}

async fn serve(
    parts: &Parts,
    instance: wasmtime::Result<Worker>,
    number: usize,
    ground: Ground,
    request: Request<Bytes>,
) -> wasmtime::Result<()> {
    let mut store = Store::new(&parts.engine, instance?);
    let proxy = parts.proxy.instantiate_async(&mut store).await?;
    let (sender, answer) = tokio::sync::oneshot::channel();
    let request: Request<WasiBody> = request.map(|body| {
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync()
    });
    let mut http = store.data_mut().http();
    let request = http.new_incoming_request(Scheme::Http, request)?;
    let response = http.new_response_outparam(sender)?;
    let answered = async {
        let Ok(Ok(response)) = answer.await else {
            return;
        };
        let (head, body) = response.into_parts();
        if let Ok(body) = body.collect().await {
            ground.respond(number, http::Response::from_parts(head, body.to_bytes()));
        }
    };
    let handler = proxy.wasi_http_incoming_handler();
    let work = handler.call_handle(&mut store, request, response);
    let (result, ()) = futures::join!(work, answered);
    result
}

impl Worker {
    fn new(
        parts: &Parts,
        ground: Ground,
        number: usize,
        variables: BTreeMap<String, String>,
    ) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.wall_clock(Clock(ground.clone()));
        wasi.monotonic_clock(Clock(ground.clone()));
        wasi.secure_random(requests::Chance::new(ground.clone(), number));
        wasi.insecure_random_seed(number as u128);
        if let Some(folder) = &parts.files {
            wasi.preopened_dir(folder, "/", FsPerms::ReadOnly)?;
        }
        Ok(Self {
            requests: Requests::new(ground.clone(), number),
            ground,
            number,
            variables,
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
        })
    }
}

/// The ground's time.
struct Clock(Ground);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        let now = self.0.now().as_nanosecond();
        Duration::from_nanos(u64::try_from(now).unwrap_or_default())
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.now().as_nanosecond()).unwrap_or_default()
    }
}

impl WasiView for Worker {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Worker {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.requests,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
