//! Amazon's Selling Partner API, as one application sees one seller's accounts in three regions.
//!
//! Login with Amazon, orders 2026-01-01, reports 2021-06-30 with the flat files of orders, notifications v1 with `ORDER_CHANGE` sent as SNS and as EventBridge
//! pass it on. Every operation is throttled at its published rate; changes reach
//! searches late where told so; what users of other tools complain about is a switch each: see
//! [`Settings`] and [`Quirks`].
//! <https://developer-docs.amazon.com/sp-api/>
//!
//! All regions share one port: the access token decides the account. A path that begins with `/na`, `/eu` or
//! `/fe`, or Amazon's own host name, names an endpoint, and a token of another region is refused there.
//!
//! Left out: orders v0, feeds, restricted data tokens (the orders operations need none), and every API that
//! is not named above.

mod access;
mod admin;
mod authority;
mod deliveries;
mod documents;
mod draft;
mod error;
mod event_bridge;
mod flat_file;
mod listing;
mod marketplace;
mod notification;
mod order;
mod params;
mod receivers;
mod reports;
mod search;
mod settings;
mod show;
mod sns;
mod store;
mod subscriptions;
mod throttle;
mod token;
mod user;

#[cfg(test)]
mod tests;

pub use authority::{Authority, AuthorityError};
pub use draft::{NewItem, NewOrder};
pub use marketplace::{MARKETPLACES, Marketplace, Region, Tax};
pub use order::{Charges, FulfilledBy};
pub use receivers::{EventReceiver, TopicReceiver};
pub use settings::{Credentials, Quirks, ReportTimes, Settings};
pub use user::Deed;

use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::Value as Json;

use self::{
    access::{Access, Grant, NOTIFICATIONS},
    deliveries::Deliveries,
    error::Error,
    event_bridge::ApiDestination,
    listing::Listings,
    reports::Reports,
    sns::Topic,
    store::Store,
    subscriptions::Subscriptions,
    throttle::{Operation, Throttle},
};
use crate::{Delivery, EditError, Refusal, Vendor};

/// The application's view of Amazon.
pub struct Amazon {
    settings: Settings,
    access: Access,
    throttle: Throttle,
    store: Store,
    listings: Listings,
    reports: Reports,
    subscriptions: Subscriptions,
    topic: Option<Topic>,
    api_destination: Option<ApiDestination>,
    deliveries: Deliveries,
    /// What the protocol draws: tokens and the ids of requests.
    rng: Rng,
    /// What customers draw: the same day of business gives the same orders, whatever is asked meanwhile.
    business: Rng,
    /// When it was last asked anything.
    asked: Timestamp,
}

/// An operation as routed, and the account it is called for.
struct Call<'a> {
    operation: &'static Operation,
    account: Grant,
    rest: &'a [&'a str],
}

impl Amazon {
    /// A seller without orders.
    pub fn new(seed: u64, settings: Settings) -> Self {
        Self {
            settings,
            access: Access::default(),
            throttle: Throttle::default(),
            store: Store::default(),
            listings: Listings::default(),
            reports: Reports::default(),
            subscriptions: Subscriptions::default(),
            topic: None,
            api_destination: None,
            deliveries: Deliveries::default(),
            rng: Rng::with_seed(seed ^ 0xa3a2_0a0d),
            business: Rng::with_seed(seed ^ 0xa3a2_b051),
            asked: Timestamp::UNIX_EPOCH,
        }
    }

    /// How everything is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the set-up. Takes effect with the next request.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Ends every access token at once.
    pub fn expire_tokens(&mut self) {
        self.access.end_all();
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.asked = now;
        self.finish_reports(now);
        let (endpoint, path) = access::endpoint(request.uri().path(), request.headers());
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if path == ["auth", "o2", "token"] {
            return self.token(request, now);
        }
        let page = self.sns_page(request).or_else(|| self.fetch(request, now));
        if let Some(page) = page {
            return page;
        }
        let Some((operation, rest)) = operation(request.method(), &path) else {
            return Error::not_found("There is no such operation.").answer();
        };
        let account = match self.access.check(request.headers(), now) {
            Ok(account) => account,
            Err(error) => return error.answer(),
        };
        if endpoint.is_some_and(|at| matches!(account, Grant::Seller(region) if region != at)) {
            return Error::denied("").answer();
        }
        let call = Call {
            operation,
            account,
            rest,
        };
        self.call(request, &call, now)
    }

    /// One operation, throttled first: a refused parameter costs a token, too.
    fn call(&mut self, request: &Request<Bytes>, call: &Call, now: Timestamp) -> Response<Bytes> {
        let factor = self.settings.rate_factor;
        let is_admitted = factor.is_none_or(|factor| {
            self.throttle
                .admit(call.operation, call.account, factor, now)
        });
        let mut response = if is_admitted {
            let outcome = self.perform(request, call, now);
            outcome.unwrap_or_else(|error| error.answer())
        } else {
            Error::throttled().answer()
        };
        let is_named = match response.status() {
            StatusCode::TOO_MANY_REQUESTS => !self.settings.quirks.throttled_without_rate,
            StatusCode::FORBIDDEN => false,
            _ => true,
        };
        let rate = call.operation.rate(factor.unwrap_or(1));
        if is_named && let Ok(rate) = HeaderValue::from_str(&rate) {
            response
                .headers_mut()
                .insert("x-amzn-ratelimit-limit", rate);
        }
        response
    }

    fn perform(
        &mut self,
        request: &Request<Bytes>,
        call: &Call,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Error> {
        let name = call.operation.name;
        match call.account {
            Grant::Seller(region) => match (name, call.rest) {
                ("searchOrders", _) => self.search_orders(request, region, now),
                ("getOrder", [id]) => self.get_order(request, id, region, now),
                ("getReports", _) => self.get_reports(request, region, now),
                ("createReport", _) => self.create_report(request, region, now),
                ("getReport", [id]) => self.get_report(id, region, now),
                ("cancelReport", [id]) => self.cancel_report(id, region, now),
                ("getReportDocument", [id]) => self.get_report_document(request, id, region, now),
                ("getSubscriptions", _) => self.get_subscriptions(request, region),
                ("getSubscription", [kind]) => self.get_subscription(kind, region),
                ("createSubscription", [kind]) => self.create_subscription(request, kind, region),
                _ => Err(Error::denied("")),
            },
            Grant::Grantless(NOTIFICATIONS) => match (name, call.rest) {
                ("getDestinations", _) => self.get_destinations(),
                ("createDestination", _) => self.create_destination(request),
                ("getDestination", [id]) => self.get_destination(id),
                ("deleteDestination", [id]) => self.delete_destination(id),
                ("getSubscriptionById", [kind, id]) => self.get_subscription_by_id(kind, id),
                ("deleteSubscriptionById", [kind, id]) => self.delete_subscription(kind, id),
                _ => Err(Error::denied("")),
            },
            Grant::Grantless(_) => Err(Error::denied("")),
        }
    }

    /// Names the request, as every answer does.
    fn identify(&mut self, response: &mut Response<Bytes>) {
        let id = self.uuid();
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
    }

    fn uuid(&mut self) -> String {
        let number = self.rng.u128(..);
        let hex = format!("{number:032x}");
        let [a, b, c, d, e] = [
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..],
        ];
        format!("{a}-{b}-4{c}-8{d}-{e}")
    }
}

/// The operation a method and path name, and what of the path names its object.
fn operation<'a>(
    method: &Method,
    path: &'a [&'a str],
) -> Option<(&'static Operation, &'a [&'a str])> {
    let found = match path {
        ["orders", "2026-01-01", "orders", rest @ ..] => match (method.as_str(), rest) {
            ("GET", []) => (&throttle::SEARCH_ORDERS, rest),
            ("GET", [_]) => (&throttle::GET_ORDER, rest),
            _ => return None,
        },
        ["reports", "2021-06-30", "reports", rest @ ..] => match (method.as_str(), rest) {
            ("GET", []) => (&throttle::GET_REPORTS, rest),
            ("POST", []) => (&throttle::CREATE_REPORT, rest),
            ("GET", [_]) => (&throttle::GET_REPORT, rest),
            ("DELETE", [_]) => (&throttle::CANCEL_REPORT, rest),
            _ => return None,
        },
        ["reports", "2021-06-30", "documents", rest @ ..] => match (method.as_str(), rest) {
            ("GET", [_]) => (&throttle::GET_REPORT_DOCUMENT, rest),
            _ => return None,
        },
        ["notifications", "v1", "destinations", rest @ ..] => match (method.as_str(), rest) {
            ("GET", []) => (&throttle::GET_DESTINATIONS, rest),
            ("POST", []) => (&throttle::CREATE_DESTINATION, rest),
            ("GET", [_]) => (&throttle::GET_DESTINATION, rest),
            ("DELETE", [_]) => (&throttle::DELETE_DESTINATION, rest),
            _ => return None,
        },
        ["notifications", "v1", "subscriptions", rest @ ..] => match (method.as_str(), rest) {
            ("GET", []) => (&throttle::GET_SUBSCRIPTIONS, rest),
            ("GET", [_]) => (&throttle::GET_SUBSCRIPTION, rest),
            ("POST", [_]) => (&throttle::CREATE_SUBSCRIPTION, rest),
            ("GET", [_, _]) => (&throttle::GET_SUBSCRIPTION_BY_ID, rest),
            ("DELETE", [_, _]) => (&throttle::DELETE_SUBSCRIPTION, rest),
            _ => return None,
        },
        _ => return None,
    };
    Some(found)
}

impl Vendor for Amazon {
    fn name(&self) -> &'static str {
        "amazon"
    }

    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let mut response = self.route(request, now);
        self.identify(&mut response);
        response
    }

    fn refusal(&self, refusal: Refusal) -> Response<Bytes> {
        error::refusal(refusal)
    }

    fn records(&self, kind: &str) -> Option<Vec<Json>> {
        self.list(kind)
    }

    fn kinds(&self) -> Vec<String> {
        admin::KINDS.map(str::to_owned).to_vec()
    }

    fn create(&mut self, kind: &str, fields: Json, now: Timestamp) -> Result<Json, EditError> {
        self.user_create(kind, fields, now)
    }

    fn edit(
        &mut self,
        kind: &str,
        id: &str,
        fields: Json,
        now: Timestamp,
    ) -> Result<Json, EditError> {
        self.user_edit(kind, id, fields, now)
    }

    fn configure(&mut self, setting: &str, value: Json, now: Timestamp) -> Result<(), EditError> {
        self.change_setting(setting, value, now)
    }

    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.deliveries.due(now)
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.deliveries.next_due()
    }

    fn lost(&mut self, id: u64, now: Timestamp) {
        let _ = now;
        self.deliveries.forget(id);
    }

    fn delivered(&mut self, id: u64, answer: Option<&Response<Bytes>>, now: Timestamp) {
        self.deliveries.settle(id, answer, now);
    }
}
