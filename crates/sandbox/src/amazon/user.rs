//! What customers and the seller do: place, pay for, send and cancel orders.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    Amazon,
    draft::{NewOrder, digits, person},
    marketplace::Marketplace,
    order::{FulfilledBy, Order, Package, Status},
    show::View,
};
use crate::{EditError, seed::Catalogue};

/// Amazon's own limit.
const ITEM_COUNT_MAX: usize = 1000;

/// What happens to an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Deed {
    /// The payment is authorized: the order may be sent.
    Pay,
    /// Some of it is sent, or all that is left.
    Ship {
        /// Only so many units, from the first item on.
        #[serde(default)]
        units: Option<u32>,
        /// How many of which order item; all that is left if absent.
        #[serde(default)]
        quantities: Option<BTreeMap<String, u32>>,
        /// Who carries it.
        #[serde(default)]
        carrier: Option<String>,
        /// Where it can be followed.
        #[serde(default)]
        tracking_number: Option<String>,
    },
    /// It is cancelled.
    Cancel {
        /// `BUYER`, `MERCHANT` or `AMAZON`; the buyer if absent.
        #[serde(default)]
        by: Option<String>,
    },
    /// The buyer asks for it to be cancelled.
    RequestCancel,
}

/// Why an order changed, as notifications say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Status,
    BuyerRequest,
}

impl Amazon {
    /// A customer places an order. It waits for its payment; see [`Deed::Pay`]. Gives its id.
    ///
    /// # Errors
    /// `Refused` if the basket holds what cannot be bought.
    pub fn place(
        &mut self,
        new: &NewOrder,
        announced: bool,
        now: Timestamp,
    ) -> Result<String, EditError> {
        if new.items.is_empty() || new.items.len() > ITEM_COUNT_MAX {
            return Err(EditError::Refused("an order needs items".to_owned()));
        }
        let place = new.marketplace;
        let rng = &mut self.business;
        let items: Result<Vec<_>, String> = new
            .items
            .iter()
            .map(|item| item.enter(place, rng))
            .collect();
        let items = items.map_err(EditError::Refused)?;
        let id = format!("{}-{}-{}", digits(rng, 3), digits(rng, 7), digits(rng, 7));
        let order = Order {
            id: id.clone(),
            alias: new.seller_order_id.clone(),
            marketplace: place,
            fulfilled_by: new.fulfilled_by,
            created: seconds(now),
            updated: seconds(now),
            status: Status::Pending,
            service_level: ["STANDARD", "EXPEDITED", "SECOND_DAY"][rng.usize(0..3)],
            is_business: new.is_business,
            purchase_order: new.purchase_order.clone(),
            buyer: person(place, rng),
            items,
            packages: Vec::new(),
            cancelled: None,
            distortion: None,
        };
        self.changed(order, Change::Status, announced, now);
        Ok(id)
    }

    /// Something happens to an order.
    ///
    /// # Errors
    /// `NotFound`, or `Refused` if it is past that.
    pub fn alter(
        &mut self,
        id: &str,
        deed: &Deed,
        announced: bool,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let mut order = self.find(id)?.clone();
        let change = match deed {
            Deed::Pay => pay(&mut order)?,
            Deed::Ship {
                units,
                quantities,
                carrier,
                tracking_number,
            } => {
                let contents = ship(&mut order, quantities.as_ref(), *units)?;
                if order.fulfilled_by == FulfilledBy::Merchant {
                    let number = tracking_number.clone();
                    order.packages.push(Package {
                        reference: (order.packages.len() + 1).to_string(),
                        sent: seconds(now),
                        carrier: carrier.clone().unwrap_or_else(|| "UPS".to_owned()),
                        tracking_number: number
                            .unwrap_or_else(|| format!("1Z{}", digits(&mut self.business, 16))),
                        contents,
                    });
                }
                Change::Status
            }
            Deed::Cancel { by } => cancel(&mut order, by.as_deref())?,
            Deed::RequestCancel => request_cancel(&mut order)?,
        };
        order.settle();
        self.changed(order, change, announced, now);
        Ok(())
    }

    /// From now on the API shows the order otherwise than it is: this JSON merge patch (RFC 7396) is put over
    /// it. Null shows it as it is. Nobody is told.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn distort(&mut self, id: &str, patch: Json, now: Timestamp) -> Result<(), EditError> {
        let mut order = self.find(id)?.clone();
        order.distortion = (!patch.is_null()).then_some(patch);
        self.changed(order, Change::Status, false, now);
        Ok(())
    }

    /// The order as held, every part shown.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn order(&self, id: &str) -> Result<Json, EditError> {
        Ok(self.whole().order(self.find(id)?))
    }

    /// Orders of the last days, at every stage, wherever the seller sells; nothing is announced.
    ///
    /// # Errors
    /// If the catalogue holds what cannot be sold.
    pub fn stock(
        &mut self,
        catalogue: &Catalogue,
        count: usize,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let mut rng = self.business.fork();
        let sells_in = self.settings.countries.iter();
        let places: Vec<_> = sells_in
            .filter_map(|country| Marketplace::by_country(country))
            .collect();
        for index in 0..count {
            let Some(place) = places.get(index % places.len().max(1)) else {
                break;
            };
            let by = match rng.u8(0..5) {
                0..3 => FulfilledBy::Merchant,
                _ => FulfilledBy::Amazon,
            };
            let basket = NewOrder::typical(catalogue, place, by, &mut rng);
            let age = SignedDuration::from_secs(rng.i64(6 * 3600..72 * 3600));
            let placed = now.saturating_sub(age).unwrap_or(now);
            let later = |hours| placed.saturating_add(SignedDuration::from_hours(hours));
            let id = self.place(&basket, false, placed)?;
            let fate = rng.u8(0..10);
            if fate == 0 {
                continue;
            }
            self.alter(&id, &Deed::Pay, false, later(1).unwrap_or(now))?;
            let deed = match fate {
                1 => Deed::Cancel { by: None },
                2..6 => Deed::shipped(),
                _ => continue,
            };
            self.alter(&id, &deed, false, later(4).unwrap_or(now))?;
        }
        Ok(())
    }

    pub(super) fn find(&self, id: &str) -> Result<&Order, EditError> {
        let missing = || EditError::NotFound(format!("there is no order {id}"));
        self.store.get(id).ok_or_else(missing)
    }

    pub(super) fn whole(&self) -> View {
        View::whole(self.settings.quirks.discounts_positive)
    }

    /// An order is as it is from now on, and whoever listens is told.
    fn changed(&mut self, mut order: Order, change: Change, announced: bool, now: Timestamp) {
        order.updated = seconds(now);
        let id = order.id.clone();
        let lag = self.settings.search_lag.max(self.settings.read_lag);
        self.store.put(order, lag);
        if announced {
            self.announce(&id, change, now);
        }
    }
}

impl Deed {
    /// All that is left is sent.
    pub fn shipped() -> Self {
        Self::ship_some(None)
    }

    /// One unit is sent.
    pub fn ship_one() -> Self {
        Self::ship_some(Some(1))
    }

    fn ship_some(units: Option<u32>) -> Self {
        Self::Ship {
            units,
            quantities: None,
            carrier: None,
            tracking_number: None,
        }
    }
}

fn pay(order: &mut Order) -> Result<Change, EditError> {
    if order.status != Status::Pending {
        return Err(refused("the order is paid or cancelled"));
    }
    order.status = Status::Unshipped;
    Ok(Change::Status)
}

/// Gives what went into the parcel.
fn ship(
    order: &mut Order,
    quantities: Option<&BTreeMap<String, u32>>,
    units: Option<u32>,
) -> Result<Vec<(String, u32)>, EditError> {
    if !matches!(order.status, Status::Unshipped | Status::PartiallyShipped) {
        return Err(refused("the order can't be sent"));
    }
    let mut contents = Vec::new();
    let mut room = units.unwrap_or(u32::MAX);
    for item in &mut order.items {
        let left = item.quantity - item.shipped;
        let count = quantities.map_or(left, |all| all.get(&item.id).copied().unwrap_or(0));
        let count = count.min(room);
        room -= count;
        if count > left {
            return Err(refused("more than is left to send"));
        }
        item.shipped += count;
        if count > 0 {
            contents.push((item.id.clone(), count));
        }
    }
    if contents.is_empty() {
        return Err(refused("an empty parcel"));
    }
    Ok(contents)
}

fn cancel(order: &mut Order, by: Option<&str>) -> Result<Change, EditError> {
    if !matches!(order.status, Status::Pending | Status::Unshipped) {
        return Err(refused("the order is sent or cancelled"));
    }
    let (by, reason) = match by.unwrap_or("BUYER") {
        "BUYER" => ("BUYER", "Bought by mistake"),
        "MERCHANT" => ("MERCHANT", "Out of stock"),
        "AMAZON" => ("AMAZON", "The payment failed"),
        _ => return Err(refused("by is BUYER, MERCHANT or AMAZON")),
    };
    order.status = Status::Cancelled;
    order.cancelled = Some((by, reason.to_owned()));
    Ok(Change::Status)
}

fn request_cancel(order: &mut Order) -> Result<Change, EditError> {
    if order.status != Status::Unshipped {
        return Err(refused("the order can't be cancelled any more"));
    }
    for item in &mut order.items {
        item.cancel_request = Some("No longer needed".to_owned());
    }
    Ok(Change::BuyerRequest)
}

fn refused(why: &str) -> EditError {
    EditError::Refused(why.to_owned())
}

/// Amazon's times are whole seconds.
pub(super) fn seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
