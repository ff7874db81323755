//! A [`World`] behind real sockets: one port a vendor, one to administer it all.
//!
//! Vendor ports speak HTTP/1.1, over TLS if a folder for the authority is given. The admin port is plain
//! HTTP and asks for no credentials: it belongs on a loopback address.

mod admin;
mod courier;
mod tls;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    amazon::Amazon,
    netsuite::NetSuite,
    salesforce::Salesforce,
    world::{Reply, World},
};

/// Largest request body read.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take over a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait after a failed accept, so that a lack of file handles does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where to listen, and how. Port 0 takes any free one.
#[derive(Clone, Debug)]
pub struct Options {
    /// By vendor name; a vendor not named here takes a free port on the loopback address.
    pub vendors: BTreeMap<String, SocketAddr>,
    /// The admin port.
    pub admin: SocketAddr,
    /// Serve vendors over TLS, with a fresh authority written here as `ca.pem`.
    pub tls_dir: Option<PathBuf>,
    /// How long a webhook's receiver may take.
    pub webhook_timeout: Duration,
}

impl Default for Options {
    /// Free ports on the loopback address, without TLS.
    fn default() -> Self {
        Self {
            vendors: BTreeMap::new(),
            admin: loopback(),
            tls_dir: None,
            webhook_timeout: Duration::from_secs(60),
        }
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {fault}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        fault: io::Error,
    },
    /// The authority could not be made or written.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// A vendor was named that the world does not hold.
    #[error("there is no vendor {0} here")]
    UnknownVendor(String),
}

/// Starts servers.
pub struct Server;

/// A running server. Dropping it stops it.
pub struct Running {
    /// Each vendor's base URL, without a slash at the end.
    pub vendor_urls: BTreeMap<String, String>,
    /// The admin port's base URL.
    pub admin_url: String,
    /// The authority's certificate, if vendors are served over TLS.
    pub ca_path: Option<PathBuf>,
    handle: Handle,
    tasks: JoinSet<()>,
}

/// A way into a running server's world.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    /// How far the world's clock is ahead of the machine's, in milliseconds.
    ahead_ms: AtomicI64,
    /// Something may have become due.
    changed: Notify,
}

impl Server {
    /// Opens the ports and serves until the answer is dropped or shut down. Wants a tokio runtime.
    ///
    /// # Errors
    /// If an address is taken, a vendor unknown, or the authority cannot be written.
    pub async fn start(mut world: World, options: Options) -> Result<Running, StartError> {
        if let Some(name) = options
            .vendors
            .keys()
            .find(|name| world.named(name).is_none())
        {
            return Err(StartError::UnknownVendor(name.clone()));
        }
        let tls = options.tls_dir.as_deref().map(tls::authority).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut listeners = Vec::new();
        let mut vendor_urls = BTreeMap::new();
        for name in world.vendors().map(str::to_owned).collect::<Vec<_>>() {
            let address = options.vendors.get(&name).copied().unwrap_or_else(loopback);
            let (listener, local) = listen(address).await?;
            vendor_urls.insert(name.clone(), format!("{scheme}://{local}"));
            listeners.push((name, listener));
        }
        let (admin, admin_address) = listen(options.admin).await?;
        settle_in(&mut world, &vendor_urls, tls.is_some());

        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            ahead_ms: AtomicI64::new(0),
            changed: Notify::new(),
        });
        let handle = Handle { shared };
        let mut tasks = JoinSet::new();
        for (name, listener) in listeners {
            let acceptor = tls.as_ref().map(|authority| authority.acceptor.clone());
            tasks.spawn(serve_vendor(
                listener,
                acceptor,
                Arc::from(name),
                handle.clone(),
            ));
        }
        let page = admin::Page {
            vendor_urls: vendor_urls.clone(),
        };
        tasks.spawn(admin::serve(admin, Arc::new(page), handle.clone()));
        tasks.spawn(courier::run(handle.clone(), options.webhook_timeout));
        Ok(Running {
            vendor_urls,
            admin_url: format!("http://{admin_address}"),
            ca_path: tls.map(|authority| authority.ca_path),
            handle,
            tasks,
        })
    }
}

impl Running {
    /// A way into the world that outlives a borrow of this.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Closes the ports and drops every connection.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Handle {
    /// The world's time.
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.shared.ahead_ms.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.saturating_add(ahead).unwrap_or(now)
    }

    /// Moves the world's clock ahead.
    pub fn travel(&self, ahead: Duration) {
        let ahead = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        let _ = self
            .shared
            .ahead_ms
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |ms| {
                Some(ms.saturating_add(ahead))
            });
        self.shared.changed.notify_one();
    }

    /// Looks at or changes the world, at its time; what that sets off is sent.
    pub fn with<T>(&self, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let outcome = {
            // A panic under the lock is a bug of one request; the world's state is still whole to read.
            let mut world = self
                .shared
                .world
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // The clock is read under the lock, so that time never runs backwards for the world.
            let now = self.now();
            act(&mut world, now)
        };
        self.shared.changed.notify_one();
        outcome
    }
}

/// Tells the vendors where clients find them.
fn settle_in(world: &mut World, urls: &BTreeMap<String, String>, https: bool) {
    if let (Some(salesforce), Some(url)) =
        (world.vendor_mut::<Salesforce>(), urls.get("salesforce"))
    {
        salesforce.settings_mut().base_url.clone_from(url);
    }
    if let (Some(amazon), Some(url)) = (world.vendor_mut::<Amazon>(), urls.get("amazon")) {
        amazon.settings_mut().base_url.clone_from(url);
    }
    if let Some(netsuite) = world.vendor_mut::<NetSuite>() {
        netsuite.set_options(|options| options.https = https);
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let fail = |fault| StartError::Listen { address, fault };
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let local = listener.local_addr().map_err(fail)?;
    Ok((listener, local))
}

/// Accepts until stopped; connections stop with it.
async fn accept<F>(listener: TcpListener, mut serve: impl FnMut(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Without it, small answers wait for the client's acknowledgement.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(stream));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_vendor(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    vendor: Arc<str>,
    handle: Handle,
) {
    accept(listener, |stream| {
        let (acceptor, vendor, handle) = (acceptor.clone(), Arc::clone(&vendor), handle.clone());
        async move {
            match acceptor {
                None => converse(stream, vendor, handle).await,
                Some(acceptor) => {
                    let handshake = acceptor.accept(stream);
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await
                    {
                        converse(stream, vendor, handle).await;
                    }
                }
            }
        }
    })
    .await;
}

/// One connection to a vendor. An answer that is to be dropped ends it.
async fn converse<S>(stream: S, vendor: Arc<str>, handle: Handle)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let (vendor, handle) = (Arc::clone(&vendor), handle.clone());
        async move { answer(request, &vendor, &handle).await }
    });
    // A dropped answer ends the connection as an error, as it should.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The connection is to close without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

async fn answer(
    request: Request<Incoming>,
    vendor: &str,
    handle: &Handle,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let request = match whole(request).await {
        Ok(request) => request,
        Err(status) => return Ok(bare(status)),
    };
    let reply = handle.with(|world, now| world.handle(vendor, request, now));
    match reply {
        Some(Reply::Answer { response, delay }) => {
            pause(delay).await;
            Ok(response.map(Full::new))
        }
        Some(Reply::Dropped { delay }) => {
            pause(delay).await;
            Err(Dropped)
        }
        None => Ok(bare(StatusCode::NOT_FOUND)),
    }
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// The request with all of its body, or the status that refuses it.
async fn whole(request: Request<Incoming>) -> Result<Request<Bytes>, StatusCode> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(Request::from_parts(parts, body.to_bytes())),
        Err(fault) if fault.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
