//! Rates as published, and the headers that tell of them.

use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::{Desk, ORDERS, read};
use crate::amazon::Region;

const SEARCH: &str = "/orders/2026-01-01/orders?createdAfter=2026-04-01";

#[test]
fn a_burst_then_one_every_three_minutes() {
    let mut desk = Desk::with(|_| ());
    for _ in 0..20 {
        let response = desk.ask(Method::GET, SEARCH, &Json::Null);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["x-amzn-ratelimit-limit"], "0.0056");
    }
    let response = desk.ask(Method::GET, SEARCH, &Json::Null);
    let (status, body) = read(&response);
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(body["errors"][0]["code"], "QuotaExceeded");
    assert_eq!(response.headers()["x-amzn-ratelimit-limit"], "0.0056");
    // One token in 178.57 seconds.
    desk.wait(178);
    assert_eq!(desk.get(SEARCH).0, StatusCode::TOO_MANY_REQUESTS);
    desk.wait(1);
    assert_eq!(desk.get(SEARCH).0, StatusCode::OK);
    assert_eq!(desk.get(SEARCH).0, StatusCode::TOO_MANY_REQUESTS);
    // Another operation and another account have buckets of their own.
    assert_eq!(
        desk.get(&format!("{ORDERS}/111-1111111-1111111")).0,
        StatusCode::NOT_FOUND
    );
    desk.log_in(Region::Eu);
    assert_eq!(desk.get(SEARCH).0, StatusCode::OK);
}

#[test]
fn a_refused_parameter_costs_as_much() {
    let mut desk = Desk::with(|_| ());
    for _ in 0..20 {
        assert_eq!(desk.get(ORDERS).0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(desk.get(ORDERS).0, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn limits_are_raised_and_lifted() {
    let mut desk = Desk::with(|_| ());
    desk.set("throttled_without_rate", json!(true));
    desk.set("rate_factor", json!(2));
    for _ in 0..40 {
        let response = desk.ask(Method::GET, SEARCH, &Json::Null);
        assert_eq!(response.headers()["x-amzn-ratelimit-limit"], "0.0112");
    }
    let response = desk.ask(Method::GET, SEARCH, &Json::Null);
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(!response.headers().contains_key("x-amzn-ratelimit-limit"));
    desk.set("rate_factor", Json::Null);
    for _ in 0..100 {
        assert_eq!(desk.get(SEARCH).0, StatusCode::OK);
    }
}
