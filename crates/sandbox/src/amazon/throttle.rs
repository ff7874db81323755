//! How often each operation may be called: a token bucket an operation and account.
//! <https://developer-docs.amazon.com/sp-api/docs/usage-plans-and-rate-limits>

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::access::Grant;

/// An operation of the API with its published default rate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// Requests a second, in ten thousandths.
    rate_e4: u32,
    /// Requests that may come at once.
    burst: u32,
}

const fn operation(name: &'static str, rate_e4: u32, burst: u32) -> Operation {
    Operation {
        name,
        rate_e4,
        burst,
    }
}

pub(super) static SEARCH_ORDERS: Operation = operation("searchOrders", 56, 20);
pub(super) static GET_ORDER: Operation = operation("getOrder", 5_000, 30);
pub(super) static GET_SUBSCRIPTIONS: Operation = operation("getSubscriptions", 10_000, 5);
pub(super) static GET_SUBSCRIPTION: Operation = operation("getSubscription", 10_000, 5);
pub(super) static CREATE_SUBSCRIPTION: Operation = operation("createSubscription", 10_000, 5);
pub(super) static GET_SUBSCRIPTION_BY_ID: Operation = operation("getSubscriptionById", 10_000, 5);
pub(super) static DELETE_SUBSCRIPTION: Operation = operation("deleteSubscriptionById", 10_000, 5);
pub(super) static GET_DESTINATIONS: Operation = operation("getDestinations", 10_000, 5);
pub(super) static CREATE_DESTINATION: Operation = operation("createDestination", 10_000, 5);
pub(super) static GET_DESTINATION: Operation = operation("getDestination", 10_000, 5);
pub(super) static DELETE_DESTINATION: Operation = operation("deleteDestination", 10_000, 5);
pub(super) static GET_REPORTS: Operation = operation("getReports", 222, 10);
pub(super) static CREATE_REPORT: Operation = operation("createReport", 167, 15);
pub(super) static CANCEL_REPORT: Operation = operation("cancelReport", 222, 10);
pub(super) static GET_REPORT: Operation = operation("getReport", 20_000, 15);
pub(super) static GET_REPORT_DOCUMENT: Operation = operation("getReportDocument", 167, 15);

impl Operation {
    /// The rate as `x-amzn-RateLimit-Limit` writes it.
    pub(super) fn rate(&self, factor: u32) -> String {
        let rate = rust_decimal::Decimal::new(i64::from(self.rate_e4) * i64::from(factor), 4);
        let rate = rate.normalize();
        // The vendor writes whole rates with a decimal.
        match rate.scale() {
            0 => format!("{rate}.0"),
            _ => rate.to_string(),
        }
    }
}

/// The buckets of every operation and account.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// When each bucket will be full again.
    full_at: BTreeMap<(&'static str, Grant), Timestamp>,
}

impl Throttle {
    /// Takes one token, or says that there is none.
    pub(super) fn admit(
        &mut self,
        operation: &Operation,
        account: Grant,
        factor: u32,
        now: Timestamp,
    ) -> bool {
        let rate = u64::from(operation.rate_e4) * u64::from(factor.max(1));
        let interval = Duration::from_nanos(10_000_000_000_000 / rate.max(1));
        let spare = u32::saturating_mul(operation.burst, factor.max(1)).saturating_sub(1);
        let horizon = now
            .saturating_add(interval.saturating_mul(spare))
            .unwrap_or(now);
        let full_at = self.full_at.entry((operation.name, account)).or_insert(now);
        if *full_at > horizon {
            return false;
        }
        let from = (*full_at).max(now);
        *full_at = from.saturating_add(interval).unwrap_or(from);
        true
    }
}
