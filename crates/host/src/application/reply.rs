//! The response of a component, on its way out.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

/// The head of a response, with its body still to come.
pub(super) type Response = http::Response<HyperOutgoingBody>;

/// Where the response of a component goes.
pub(super) struct Reply {
    pub(super) sender: oneshot::Sender<Result<Response, ErrorCode>>,
    /// True once the component ended by a trap or at a limit.
    pub(super) cut: Arc<AtomicBool>,
}

/// Says that a component was cut off, unless told in time that it ended well.
pub(super) struct Cutting(pub(super) Option<Arc<AtomicBool>>);

impl Drop for Cutting {
    fn drop(&mut self) {
        if let Some(cut) = &self.0 {
            cut.store(true, Ordering::Release);
        }
    }
}

/// The body of a response. If its component is cut off, it breaks off instead of looking complete.
pub(super) struct WholeBody {
    pub(super) body: HyperOutgoingBody,
    pub(super) cut: Arc<AtomicBool>,
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
