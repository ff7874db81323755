//! The seller's accounts through their wire protocol, without a wire.

mod contract;
mod hostile;
mod login;
mod notifications;
mod orders;
mod pages;
mod reports;
mod throttling;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::{Amazon, Region, Settings};
use crate::{seed::Catalogue, vendor::Vendor};

pub(super) const ORDERS: &str = "/orders/2026-01-01/orders";
pub(super) const US: &str = "ATVPDKIKX0DER";

/// One client, logged in to North America, with a clock of its own.
pub(super) struct Desk {
    pub(super) amazon: Amazon,
    pub(super) now: Timestamp,
    pub(super) token: String,
}

impl Desk {
    /// Without orders, and without limits to the rate.
    pub(super) fn new() -> Self {
        Self::with(|settings| settings.rate_factor = None)
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(1);
        change(&mut settings);
        let mut desk = Self {
            amazon: Amazon::new(1, settings),
            now: "2026-05-01T08:00:00Z".parse().unwrap(),
            token: String::new(),
        };
        desk.log_in(Region::Na);
        desk
    }

    /// With so many orders of the last days.
    pub(super) fn stocked(count: usize) -> Self {
        let mut desk = Self::new();
        desk.stock(count);
        desk
    }

    pub(super) fn stock(&mut self, count: usize) {
        let now = self.now;
        self.amazon.stock(&Catalogue::new(1), count, now).unwrap();
    }

    pub(super) fn log_in(&mut self, region: Region) {
        let credentials = self.amazon.settings().credentials.clone();
        let (status, body) = self.login(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", credentials.refresh_token(region)),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
        ]);
        assert_eq!(status, StatusCode::OK, "{body}");
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    pub(super) fn login(&mut self, fields: &[(&str, &str)]) -> (StatusCode, Json) {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post("/auth/o2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        read(&self.send(&request))
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(super) fn send(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let response = self.amazon.handle(request, self.now);
        assert!(response.headers().contains_key("x-amzn-requestid"));
        response
    }

    pub(super) fn ask(&mut self, method: Method, path: &str, body: &Json) -> Response<Bytes> {
        let body = match body {
            Json::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-amz-access-token", &self.token)
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        self.send(&request)
    }

    pub(super) fn get(&mut self, path: &str) -> (StatusCode, Json) {
        read(&self.ask(Method::GET, path, &Json::Null))
    }

    /// A search that must succeed; the query without its question mark.
    pub(super) fn search(&mut self, query: &str) -> Json {
        let (status, body) = self.get(&format!("{ORDERS}?{query}"));
        assert_eq!(status, StatusCode::OK, "{query}: {body}");
        body
    }

    /// A search that must fail; what it says.
    pub(super) fn refused(&mut self, query: &str) -> String {
        let (status, body) = self.get(&format!("{ORDERS}?{query}"));
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {body}");
        let error = &body["errors"][0];
        assert_eq!(error["code"], "InvalidInput", "{body}");
        error["details"].as_str().unwrap().to_owned()
    }

    /// An order of two units for 12.50 in the United States, paid for.
    pub(super) fn sell(&mut self) -> String {
        self.place(json!({
            "marketplace": "US", "fulfilledBy": "MERCHANT", "paid": true,
            "items": [{"sku": "BX-1", "quantity": 2, "unitPrice": "12.50"}],
        }))
    }

    pub(super) fn place(&mut self, order: Json) -> String {
        let placed = self.amazon.create("Order", order, self.now).unwrap();
        placed["orderId"].as_str().unwrap().to_owned()
    }

    pub(super) fn do_to(&mut self, id: &str, deed: Json) -> Json {
        self.amazon.edit("Order", id, deed, self.now).unwrap()
    }

    pub(super) fn set(&mut self, setting: &str, value: Json) {
        self.amazon.configure(setting, value, self.now).unwrap();
    }
}

pub(super) fn read(response: &Response<Bytes>) -> (StatusCode, Json) {
    let body = serde_json::from_slice(response.body()).unwrap_or(Json::Null);
    (response.status(), body)
}

pub(super) fn ids(body: &Json) -> Vec<String> {
    let orders = body["orders"].as_array().unwrap().iter();
    orders
        .map(|order| order["orderId"].as_str().unwrap().to_owned())
        .collect()
}
