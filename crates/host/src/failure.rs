//! How a request or a tick can fail on this host, and what the client is told.

use std::time::Duration;

use http::StatusCode;
use wasmtime_wasi_http::WasiBody;

use crate::application::line;

/// Why a component did not do its work. Its text is for the log; [`Failure::response`] is for the client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// The component trapped.
    #[error("the component trapped: {0}")]
    Trapped(String),
    /// The component ran into the memory limit, given in bytes.
    #[error("the component needs more memory than the limit of {} MiB", .0 >> 20)]
    TooMuchMemory(usize),
    /// The component ran into the time limit.
    #[error("the component ran longer than the limit of {} s", .0.as_secs_f32())]
    TooLong(Duration),
    /// No instance was free in time.
    #[error("no instance was free within {} s", .0.as_secs_f32())]
    Busy(Duration),
    /// The component returned without a response.
    #[error("the component sent no response")]
    NoResponse,
    /// The component said that it failed.
    #[error("the component failed: {0}")]
    Refused(String),
    /// No cron trigger names this component.
    #[error("there is no such cron component")]
    NoTrigger,
    /// The host is shutting down.
    #[error("the host is shutting down")]
    Stopping,
}

impl Failure {
    pub(crate) fn trapped(error: &wasmtime::Error) -> Self {
        // The cause in one line; where in the code it happened is of no use without symbols.
        Failure::Trapped(error.root_cause().to_string().replace('\n', " "))
    }

    pub(crate) fn response(&self) -> http::Response<WasiBody> {
        match self {
            Failure::TooLong(_) => line(StatusCode::GATEWAY_TIMEOUT, &self.to_string()),
            Failure::TooMuchMemory(_) | Failure::NoResponse => {
                line(StatusCode::INTERNAL_SERVER_ERROR, &self.to_string())
            }
            // Its own words may say more than a client should know.
            Failure::Trapped(_) => line(StatusCode::INTERNAL_SERVER_ERROR, "the component trapped"),
            Failure::Refused(_) => line(StatusCode::INTERNAL_SERVER_ERROR, "the component failed"),
            Failure::NoTrigger => line(StatusCode::NOT_FOUND, &self.to_string()),
            Failure::Stopping | Failure::Busy(_) => {
                line(StatusCode::SERVICE_UNAVAILABLE, &self.to_string())
            }
        }
    }
}
