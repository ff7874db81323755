//! What one request may cost.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Limits of this host. Reaching one is an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From an instance's start to the component's last instruction, also after the response.
    pub request_time_max: Duration,
    /// Linear memory of one instance.
    pub memory_bytes_max: usize,
    /// Body of an incoming request.
    pub request_body_bytes_max: u64,
    /// Body of an answer to an outgoing request.
    pub answer_body_bytes_max: u64,
    /// Instances at the same time; more requests wait.
    pub instance_count_max: u32,
    /// How long a request waits for a free instance.
    pub instance_wait_max: Duration,
    /// Incoming connections at the same time; more wait to be accepted.
    pub connection_count_max: u32,
    /// How long the head of an incoming request may take to arrive.
    pub head_time_max: Duration,
    /// How long shutdown waits for running work.
    pub shutdown_time_max: Duration,
    /// Limits of one SQL statement.
    pub sql: crate::stores::SqlLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_time_max: Duration::from_secs(60),
            memory_bytes_max: 128 << 20,
            request_body_bytes_max: 16 << 20,
            answer_body_bytes_max: 64 << 20,
            instance_count_max: 256,
            instance_wait_max: Duration::from_secs(10),
            connection_count_max: 1024,
            head_time_max: Duration::from_secs(10),
            shutdown_time_max: Duration::from_secs(30),
            sql: crate::stores::SqlLimits::default(),
        }
    }
}

/// Refuses memory beyond the limit, and remembers that it did: the trap that follows is then explained.
#[derive(Debug, Default)]
pub(crate) struct MemoryLimiter {
    pub(crate) bytes_max: usize,
    pub(crate) refused: bool,
}

/// Elements of a table of functions; components have a few thousand.
const TABLE_ELEMENTS_MAX: usize = 100_000;

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= self.bytes_max;
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}
