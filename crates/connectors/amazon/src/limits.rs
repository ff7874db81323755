//! How often each operation may be asked, for an account and application: buckets that all workers share.
//!
//! Rates are the published ones until an answer's `x-amzn-RateLimit-Limit` names another
//! (<https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits>); it is often absent, above
//! all on the refusals it would explain.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use sluice_core::rate::{self, Bucket, Level, Taken};
use sluice_core::{Decimal, Ports, Result};

use crate::auth::Grant;
use crate::errors;
use crate::settings::Settings;

/// An operation of the API, with its published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// As the published model names it.
    pub id: &'static str,
    /// Milliseconds until a request comes back: one second by the published rate, rounded up.
    pub interval_ms: u64,
    pub burst: u32,
}

pub const SEARCH_ORDERS: Operation = of("searchOrders", 178_572, 20);
pub const GET_ORDER: Operation = of("getOrder", 2_000, 30);
pub const CREATE_REPORT: Operation = of("createReport", 59_881, 15);
pub const GET_REPORT: Operation = of("getReport", 500, 15);
pub const GET_REPORT_DOCUMENT: Operation = of("getReportDocument", 59_881, 15);

/// All of them.
pub const OPERATIONS: [Operation; 5] = [
    SEARCH_ORDERS,
    GET_ORDER,
    CREATE_REPORT,
    GET_REPORT,
    GET_REPORT_DOCUMENT,
];

const fn of(id: &'static str, interval_ms: u64, burst: u32) -> Operation {
    Operation {
        id,
        interval_ms,
        burst,
    }
}

/// The right to send one request.
pub(crate) struct Slot {
    bucket: Bucket,
    interval: Duration,
}

/// Takes one, if so many others are free besides.
///
/// Faults: `AMAZON_THROTTLED` (retry after exactly the time to the next slot): nothing was sent. Those of the
/// SQL port.
pub(crate) async fn take_leaving(
    ports: &Ports,
    settings: &Settings,
    grant: Grant<'_>,
    operation: Operation,
    others: u32,
) -> Result<Slot> {
    let bucket = bucket(settings, grant, operation);
    match rate::take_leaving(ports, &bucket, others).await? {
        Taken::Slot(interval) => Ok(Slot { bucket, interval }),
        Taken::Wait(wait) => Err(errors::would_be_throttled(operation.id, wait)),
    }
}

/// How many requests are left; `None` where none was sent yet.
///
/// Faults: those of the SQL port.
pub(crate) async fn level(
    ports: &Ports,
    settings: &Settings,
    grant: Grant<'_>,
    operation: Operation,
) -> Result<Option<Level>> {
    rate::level(ports, &bucket(settings, grant, operation)).await
}

fn bucket(settings: &Settings, grant: Grant<'_>, operation: Operation) -> Bucket {
    Bucket {
        name: format!("amazon:{}:{}", grant.hash(settings), operation.id),
        interval: Duration::from_millis(operation.interval_ms),
        burst: operation.burst,
    }
}

impl Slot {
    /// Learns from an answer. Gives the wait for the next slot where Amazon refused this one.
    ///
    /// Faults: those of the SQL port.
    pub(crate) async fn learn(
        &self,
        ports: &Ports,
        response: &Response<Bytes>,
    ) -> Result<Option<Duration>> {
        if let Some(interval) = named(response).filter(|interval| *interval != self.interval) {
            rate::correct(ports, &self.bucket, interval).await?;
        }
        match response.status().as_u16() {
            429 => rate::empty(ports, &self.bucket).await.map(Some),
            _ => Ok(None),
        }
    }
}

/// The interval by `x-amzn-RateLimit-Limit`, requests in a second.
fn named(response: &Response<Bytes>) -> Option<Duration> {
    let text = response.headers().get(RATE_HEADER)?.to_str().ok()?;
    let rate: Decimal = text.trim().parse().ok()?;
    if rate <= Decimal::ZERO {
        return None;
    }
    let ms = Decimal::from(1000).checked_div(rate)?.ceil();
    // A day for one request is as good as never, and no operation is as slow.
    let ms = u64::try_from(ms).ok()?.clamp(1, 86_400_000);
    Some(Duration::from_millis(ms))
}

const RATE_HEADER: &str = "x-amzn-ratelimit-limit";

#[cfg(test)]
mod tests;
