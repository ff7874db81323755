//! `searchOrders` and `getOrder`.
//! <https://developer-docs.amazon.com/sp-api/docs/orders-api-v2026-01-01-reference>

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{
    Amazon,
    error::{Error, answer},
    listing::{Listing, Page, mix},
    marketplace::{Marketplace, Region},
    order::{FulfilledBy, Order, STATUSES},
    params::Params,
    show::{PARTS, View, time},
};

/// Orders on a page, unless fewer are asked for.
const PAGE_COUNT_MAX: usize = 100;
const MARKETPLACE_COUNT_MAX: usize = 50;

/// What a search asks for, besides how much of it and in what detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    by: By,
    after: Timestamp,
    /// As asked for; the reach of the search otherwise.
    before: Option<Timestamp>,
    statuses: Vec<&'static str>,
    marketplaces: Vec<&'static str>,
    fulfilled_by: Vec<FulfilledBy>,
}

/// Which time of an order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Created,
    Updated,
}

impl Amazon {
    /// `GET /orders/2026-01-01/orders`.
    pub(super) fn search_orders(
        &mut self,
        request: &Request<Bytes>,
        region: Region,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Error> {
        let params = Params::of(request);
        let query = Query::read(&params, region, self.reach(now))?;
        let view = self.view(&params)?;
        let count = params.count("maxResultsPerPage", 1, PAGE_COUNT_MAX)?;
        let count = count.unwrap_or(PAGE_COUNT_MAX);
        let page = match params.text("paginationToken") {
            None => self.open(&query, region, now),
            Some(token) => self.turn(token, &query, region, now)?,
        };
        let lag = self.settings.search_lag;
        let store = &self.store;
        let orders = page.ids(count).iter().filter_map(|id| {
            let order = store.seen(id, lag, now)?;
            // What changed since the listing began may have left it.
            page.listing
                .query
                .takes(order, page.listing.reach)
                .then(|| view.order(order))
        });
        let mut body = json!({"orders": orders.collect::<Vec<Json>>()});
        let bound = query.before.unwrap_or(page.listing.reach);
        let name = match query.by {
            By::Created => "createdBefore",
            By::Updated => "lastUpdatedBefore",
        };
        body[name] = time(bound).into();
        if let Some(token) = page.next(count) {
            body["pagination"] = json!({"nextToken": token});
        }
        Ok(answer(StatusCode::OK, &body))
    }

    /// `GET /orders/2026-01-01/orders/{orderId}`.
    pub(super) fn get_order(
        &self,
        request: &Request<Bytes>,
        id: &str,
        region: Region,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Error> {
        let view = self.view(&Params::of(request))?;
        if !is_order_id(id) {
            return Err(Error::invalid_input("orderId must be in 3-7-7 format."));
        }
        let order = self.store.seen(id, self.settings.read_lag, now);
        let order = order.filter(|order| order.marketplace.region == region);
        let order = order.ok_or_else(|| Error::not_found(format!("There is no order {id}.")))?;
        Ok(answer(StatusCode::OK, &json!({"order": view.order(order)})))
    }

    /// The latest change a search finds.
    fn reach(&self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.settings.search_delay)
            .unwrap_or(now)
    }

    fn view(&self, params: &Params) -> Result<View, Error> {
        let parts: BTreeSet<_> = params
            .choices("includedData", &PARTS)?
            .into_iter()
            .collect();
        Ok(View {
            parts,
            discounts_positive: self.settings.quirks.discounts_positive,
        })
    }

    /// The first page of a new listing.
    fn open(&mut self, query: &Query, region: Region, now: Timestamp) -> Page {
        let reach = self.reach(now);
        let number = self.listings.next_number();
        let missing = u64::from(self.settings.quirks.orders_missing_percent);
        let orders = self.store.all_seen(self.settings.search_lag, now);
        let mut ids: Vec<(u64, String)> = orders
            .filter(|order| order.marketplace.region == region && query.takes(order, reach))
            .map(|order| (mix(&order.id, number), order.id.clone()))
            .filter(|(lot, _)| lot % 100 >= missing)
            .collect();
        // No order is promised, so none is kept.
        ids.sort_unstable();
        let listing = Listing {
            query: query.clone(),
            region,
            reach,
            ids: ids.into_iter().map(|(_, id)| id).collect(),
            ends: now
                .saturating_add(self.settings.page_token_life)
                .unwrap_or(now),
        };
        self.listings.open(number, listing, now)
    }

    /// A further page of a listing.
    fn turn(
        &mut self,
        token: &str,
        query: &Query,
        region: Region,
        now: Timestamp,
    ) -> Result<Page, Error> {
        let page = self.listings.find(token, now)?;
        if page.listing.query != *query || page.listing.region != region {
            return Err(Error::invalid_input(
                "paginationToken belongs to a request with other parameters.",
            ));
        }
        let left = &mut self.settings.quirks.pages_repeated;
        if *left > 0 {
            *left -= 1;
            return Ok(page.repeated());
        }
        Ok(page)
    }
}

impl Query {
    fn read(params: &Params, region: Region, reach: Timestamp) -> Result<Self, Error> {
        let created = (params.time("createdAfter")?, params.time("createdBefore")?);
        let updated = (
            params.time("lastUpdatedAfter")?,
            params.time("lastUpdatedBefore")?,
        );
        let (by, after, before) = match (created, updated) {
            ((Some(after), before), (None, None)) => (By::Created, after, before),
            ((None, None), (Some(after), before)) => (By::Updated, after, before),
            ((None, _), (None, _)) => {
                return Err(Error::invalid_input(
                    "Either createdAfter or lastUpdatedAfter must be given.",
                ));
            }
            _ => {
                return Err(Error::invalid_input(
                    "Times of creation and of update can't be given together.",
                ));
            }
        };
        if let Some(before) = before {
            check_before(by, after, before, reach)?;
        }
        let statuses = STATUSES.map(|status| (status, status));
        let senders = [FulfilledBy::Merchant, FulfilledBy::Amazon].map(|by| (by.code(), by));
        Ok(Self {
            by,
            after,
            before,
            statuses: params.choices("fulfillmentStatuses", &statuses)?,
            marketplaces: marketplaces(
                &params.list("marketplaceIds", MARKETPLACE_COUNT_MAX)?,
                region,
            )?,
            fulfilled_by: params.choices("fulfilledBy", &senders)?,
        })
    }

    /// Whether an order is meant.
    fn takes(&self, order: &Order, reach: Timestamp) -> bool {
        let at = match self.by {
            By::Created => order.created,
            By::Updated => order.updated,
        };
        at >= self.after
            && at <= self.before.unwrap_or(reach)
            && among(&self.statuses, &order.status.code())
            && among(&self.marketplaces, &order.marketplace.id)
            && among(&self.fulfilled_by, &order.fulfilled_by)
    }
}

/// Nothing asked for means everything.
fn among<T: PartialEq>(asked: &[T], value: &T) -> bool {
    asked.is_empty() || asked.contains(value)
}

fn check_before(
    by: By,
    after: Timestamp,
    before: Timestamp,
    reach: Timestamp,
) -> Result<(), Error> {
    let (first, last) = match by {
        By::Created => ("createdAfter", "createdBefore"),
        By::Updated => ("lastUpdatedAfter", "lastUpdatedBefore"),
    };
    if before < after {
        return Err(Error::invalid_input(format!(
            "{last} must not be earlier than {first}."
        )));
    }
    if before > reach {
        return Err(Error::invalid_input(format!(
            "{last} must be at least two minutes before the time of the request."
        )));
    }
    Ok(())
}

/// Marketplaces by id, all of one region.
pub(super) fn marketplaces(ids: &[String], region: Region) -> Result<Vec<&'static str>, Error> {
    let known = |id: &String| match Marketplace::by_id(id) {
        None => Err(Error::invalid_input(format!("{id} is not a marketplace."))),
        Some(marketplace) if marketplace.region != region => Err(Error::denied("")),
        Some(marketplace) => Ok(marketplace.id),
    };
    ids.iter().map(known).collect()
}

fn is_order_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    parts.iter().map(|part| part.len()).eq([3, 7, 7])
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}
