//! The seller's orders, as they are and as readers that lag behind still see them.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::order::Order;

/// Every order of every region.
#[derive(Default)]
pub(super) struct Store {
    orders: BTreeMap<String, Held>,
}

struct Held {
    now: Order,
    /// How it was before its latest changes, newest last; only what may still be shown.
    before: Vec<Order>,
}

impl Store {
    pub(super) fn get(&self, id: &str) -> Option<&Order> {
        self.orders.get(id).map(|held| &held.now)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().map(|held| &held.now)
    }

    /// Puts an order as it is now. What it was before stays for readers this far behind.
    pub(super) fn put(&mut self, order: Order, lag: Duration) {
        let now = order.updated;
        match self.orders.get_mut(&order.id) {
            None => {
                let id = order.id.clone();
                let before = Vec::new();
                self.orders.insert(id, Held { now: order, before });
            }
            Some(held) => {
                let former = std::mem::replace(&mut held.now, order);
                held.before.push(former);
                // Everything older than what is already seen is seen no more.
                let seen = held.before.iter().rposition(|old| is_seen(old, lag, now));
                held.before.drain(..seen.unwrap_or(0));
            }
        }
    }

    /// The order as whoever lags this far behind sees it at `now`.
    pub(super) fn seen(&self, id: &str, lag: Duration, now: Timestamp) -> Option<&Order> {
        self.orders.get(id).and_then(|held| held.seen(lag, now))
    }

    /// Every order as whoever lags this far behind sees it at `now`.
    pub(super) fn all_seen(&self, lag: Duration, now: Timestamp) -> impl Iterator<Item = &Order> {
        self.orders
            .values()
            .filter_map(move |held| held.seen(lag, now))
    }
}

impl Held {
    fn seen(&self, lag: Duration, now: Timestamp) -> Option<&Order> {
        let newest_first = std::iter::once(&self.now).chain(self.before.iter().rev());
        newest_first
            .into_iter()
            .find(|order| is_seen(order, lag, now))
    }
}

fn is_seen(order: &Order, lag: Duration, now: Timestamp) -> bool {
    order
        .updated
        .saturating_add(lag)
        .is_ok_and(|shown| shown <= now)
}
