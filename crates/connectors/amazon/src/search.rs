//! What is asked of the Orders API, version 2026-01-01, and its answers. Pure.
//! <https://developer-docs.amazon.com/sp-api/reference/orders-v2026-01-01>

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde_json::Value;
use sluice_core::address::encoded;
use sluice_core::{Body, Result, Selection};

use crate::client::Call;
use crate::errors;
use crate::id::Id;
use crate::limits::{GET_ORDER, SEARCH_ORDERS};
use crate::settings::Account;

/// Orders in one page; Amazon's own limit.
pub const PAGE_ORDERS_MAX: usize = 100;

/// Of the slots of a search, those a search for old orders leaves to those for changes.
pub const LIVE_SLOTS: u32 = SEARCH_ORDERS.burst / 2;
/// With as many, changes may be searched for at any time. More than [`LIVE_SLOTS`]: what lies between is the
/// backfill's.
pub const EASY_SLOTS: u32 = LIVE_SLOTS + 5;

const PATH: &str = "/orders/2026-01-01/orders";

/// By which of an order's times it is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Updated,
    Created,
}

/// A closed window of an account's orders, and a place in it.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    pub account: &'a Account,
    pub by: By,
    pub after: Timestamp,
    pub until: Timestamp,
    pub include: &'a [&'static str],
    pub order_count_max: usize,
    /// Of the page before. Amazon does not say with which other parameters it must come: the window and the
    /// marketplaces are those of the first page, the data sets those that are read now.
    pub token: Option<&'a str>,
}

impl Search<'_> {
    /// Whether it ends before it begins, or before Amazon's first order: Amazon refuses such a window, and there
    /// is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.from() > self.until
    }

    fn from(&self) -> Timestamp {
        self.after.max(first_order())
    }

    pub fn call(&self) -> Call {
        let (after, before) = match self.by {
            By::Updated => ("lastUpdatedAfter", "lastUpdatedBefore"),
            By::Created => ("createdAfter", "createdBefore"),
        };
        let ids = self.account.marketplaces.iter().map(|one| one.id);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair(after, &moment(self.from()))
            .append_pair(before, &moment(self.until))
            .append_pair("marketplaceIds", &ids.collect::<Vec<_>>().join(","))
            .append_pair("maxResultsPerPage", &self.order_count_max.to_string());
        if !self.include.is_empty() {
            query.append_pair("includedData", &self.include.join(","));
        }
        if let Some(token) = self.token {
            query.append_pair("paginationToken", token);
        }
        let call = Call::get(SEARCH_ORDERS, format!("{PATH}?{}", query.finish()));
        match self.by {
            By::Updated => call,
            By::Created => call.leaving(LIVE_SLOTS),
        }
    }
}

/// One page of orders as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub orders: Vec<Value>,
    /// The token of the page that follows, if one does.
    pub next: Option<String>,
}

/// Reads `{"orders", "pagination"?: {"nextToken"?}}`. A page may be empty and be followed by another.
///
/// Fault: `ANSWER_INVALID` (retry) naming what the answer lacks.
pub fn read_page(response: &Response<Bytes>) -> Result<Page> {
    let mut body = errors::json(response)?;
    let next = body.at("pagination.nextToken").and_then(Value::as_str);
    let next = next.filter(|token| !token.is_empty()).map(str::to_owned);
    match body.get_mut("orders").map(Value::take) {
        Some(Value::Array(orders)) => Ok(Page { orders, next }),
        _ => Err(errors::answer_lacks("orders")),
    }
}

/// One order.
pub fn order_call(id: &Id, include: &[&'static str]) -> Call {
    let mut path = format!("{PATH}/{}", encoded(id.as_str()));
    if !include.is_empty() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("includedData", &include.join(","));
        path.push('?');
        path.push_str(&query.finish());
    }
    Call::get(GET_ORDER, path)
}

/// Reads `{"order"}`.
///
/// Fault: `ANSWER_INVALID` (retry).
pub fn read_order(response: &Response<Bytes>) -> Result<Value> {
    let mut body = errors::json(response)?;
    let order = body.get_mut("order").map(Value::take);
    order
        .filter(Value::is_object)
        .ok_or_else(|| errors::answer_lacks("order"))
}

/// The data sets that hold what is selected, and no more: buyers' personal data is asked for only where it
/// is read.
pub fn included(select: &Selection) -> Vec<&'static str> {
    let of_fields = select.fields.iter().flat_map(|path| data_set(path));
    let of_lists = select.lists.iter().flat_map(|(list, fields)| {
        let fields = fields.iter().map(move |field| format!("{list}.{field}"));
        data_set(list)
            .into_iter()
            .chain(fields.flat_map(|path| data_set(&path)))
    });
    let mut sets: Vec<&'static str> = of_fields.chain(of_lists).collect();
    sets.sort_unstable();
    sets.dedup();
    sets
}

/// The data set a path belongs to; some are always there.
fn data_set(path: &str) -> Option<&'static str> {
    let mut names = path.split('.');
    let first = names.next()?;
    if first != "orderItems" {
        return named(&ORDER_SETS, first);
    }
    names.next().and_then(|name| named(&ITEM_SETS, name))
}

fn named(sets: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let found = sets.iter().find(|(field, _)| *field == name);
    found.map(|(_, set)| *set)
}

/// The data sets there are.
#[cfg(test)]
pub(crate) const DATA_SETS: [&str; 11] = [
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
    "FULFILLMENT_ORDERS",
];

/// Fields of an order that are there on request.
pub(crate) const ORDER_SETS: [(&str, &str); 8] = [
    ("buyer", "BUYER"),
    ("recipient", "RECIPIENT"),
    ("proceeds", "PROCEEDS"),
    ("payment", "PAYMENT"),
    ("tax", "TAX"),
    ("fulfillment", "FULFILLMENT"),
    ("packages", "PACKAGES"),
    ("fulfillmentOrders", "FULFILLMENT_ORDERS"),
];

/// The same of an item.
pub(crate) const ITEM_SETS: [(&str, &str); 6] = [
    ("proceeds", "PROCEEDS"),
    ("expense", "EXPENSE"),
    ("promotion", "PROMOTION"),
    ("cancellation", "CANCELLATION"),
    ("fulfillment", "FULFILLMENT"),
    ("tax", "TAX"),
];

/// A time as Amazon reads it: milliseconds, the rest cut off, never rounded up.
pub(crate) fn moment(time: Timestamp) -> String {
    let ms = time.as_nanosecond().div_euclid(1_000_000);
    let floor = Timestamp::from_millisecond(ms as i64).unwrap_or(time);
    format!("{floor:.3}")
}

/// Amazon knows no order before 2016, and of most marketplaces none older than two years.
pub(crate) fn first_order() -> Timestamp {
    Timestamp::from_second(1_451_606_400).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
