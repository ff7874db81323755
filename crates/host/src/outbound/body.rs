//! Bodies with a limit on their size and on the wait for their next part.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// A body that ends with an error when it grows too large or pauses too long.
pub(crate) struct LimitedBody<B> {
    inner: B,
    bytes_left: u64,
    too_large: fn() -> Error,
    exceeded: Arc<AtomicBool>,
    pause: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl<B> LimitedBody<B> {
    /// At most so many bytes; `too_large` is the error after that.
    pub(crate) fn new(inner: B, bytes_max: u64, too_large: fn() -> Error) -> Self {
        Self {
            inner,
            bytes_left: bytes_max,
            too_large,
            exceeded: Arc::default(),
            pause: None,
        }
    }

    /// At most so long between two parts.
    pub(crate) fn pause_max(mut self, pause: Duration) -> Self {
        self.pause = Some((pause, Box::pin(tokio::time::sleep(pause))));
        self
    }

    /// Becomes true when the body turned out too large.
    pub(crate) fn exceeded(&self) -> Arc<AtomicBool> {
        self.exceeded.clone()
    }
}

impl<B> Body for LimitedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: BodyFailure,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                let Some(left) = this.bytes_left.checked_sub(bytes) else {
                    this.exceeded.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err((this.too_large)())));
                };
                this.bytes_left = left;
                if let Some((pause, sleep)) = &mut this.pause {
                    sleep.as_mut().reset(Instant::now() + *pause);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into_wasi()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let paused = this
                    .pause
                    .as_mut()
                    .is_some_and(|(_, sleep)| sleep.as_mut().poll(cx).is_ready());
                match paused {
                    true => Poll::Ready(Some(Err(Error::ConnectionReadTimeout))),
                    false => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// How the failure of a body is told to a component.
pub(crate) trait BodyFailure {
    fn into_wasi(self) -> Error;
}

impl BodyFailure for hyper::Error {
    fn into_wasi(self) -> Error {
        match self {
            error if error.is_timeout() => Error::ConnectionReadTimeout,
            error if error.is_parse() => Error::HttpProtocolError,
            _ => Error::HttpResponseIncomplete,
        }
    }
}
