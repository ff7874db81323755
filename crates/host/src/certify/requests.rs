//! Requests and chance on the ground.

use std::convert::Infallible;
use std::time::Duration;

use certify::{Ground, RequestError};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// How one worker sends requests.
pub(super) struct Requests {
    ground: Ground,
    worker: usize,
}

/// Where a component names no limit.
const TIMEOUT: Duration = Duration::from_secs(600);

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl Requests {
    pub(super) fn new(ground: Ground, worker: usize) -> Self {
        Self { ground, worker }
    }
}

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (ground, worker) = (self.ground.clone(), self.worker);
        Box::new(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let request = http::Request::from_parts(head, body);
            let timeout = options.and_then(|options| options.first_byte_timeout);
            let sent = ground
                .send(worker, request, timeout.unwrap_or(TIMEOUT))
                .await;
            let response = sent.map_err(|error| match error {
                RequestError::NotSent => Error::DestinationUnavailable,
                RequestError::Lost => Error::HttpResponseTimeout,
            })?;
            let response = response.map(|body| {
                Full::new(body)
                    .map_err(|never| match never {})
                    .boxed_unsync()
            });
            let io: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, io))
        })
    }
}

/// Random bytes of the ground.
pub(super) struct Chance {
    ground: Ground,
    worker: usize,
}

impl Chance {
    pub(super) fn new(ground: Ground, worker: usize) -> Self {
        Self { ground, worker }
    }
}

impl rand_core::TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.ground.fill(self.worker, bytes);
        Ok(())
    }
}
