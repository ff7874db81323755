//! What a component prints goes into the log, line by line, with its name and the request's id.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A longer line is logged in pieces, so that a component can't hold memory of the host.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// What one write may hand over.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// Standard output or standard error of one instance.
#[derive(Clone)]
pub(crate) struct Output(Arc<Mutex<Lines>>);

struct Lines {
    component: Arc<str>,
    request: Arc<str>,
    stream: &'static str,
    pending: Vec<u8>,
}

impl Output {
    pub(crate) fn new(component: Arc<str>, request: Arc<str>, stream: &'static str) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            component,
            request,
            stream,
            pending: Vec::new(),
        })))
    }

    fn take(&self, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(bytes);
    }
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_BYTES_MAX) {
                self.pending.extend_from_slice(part);
                if self.pending.ends_with(b"\n") || self.pending.len() >= LINE_BYTES_MAX {
                    self.log();
                }
            }
        }
    }

    fn log(&mut self) {
        let text = String::from_utf8_lossy(&self.pending);
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.is_empty() {
            tracing::info!(
                target: "component",
                component = &*self.component,
                request = &*self.request,
                stream = self.stream,
                "{text}"
            );
        }
        self.pending.clear();
    }
}

impl Drop for Lines {
    // A last line without its newline, also of a component that trapped.
    fn drop(&mut self) {
        self.log();
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
