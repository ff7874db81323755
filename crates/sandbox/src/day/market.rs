//! The marketplace's part of a day: what customers order at Amazon, what becomes of it, and what goes wrong.

use std::time::Duration;

use fastrand::Rng;
use serde_json::Value as Json;

use super::{Act, Day, Event, Happened, LENGTH};
use crate::{
    EditError,
    amazon::{Amazon, Deed, FulfilledBy, Marketplace, NewItem, NewOrder},
    misfortune::{Misfortune, What},
    seed::{Catalogue, Item, ItemKind},
    vendor::Refusal,
    world::World,
};

/// Orders of a day.
pub const ORDER_COUNT: usize = 500;
/// Of these, the ones Amazon sends. The seller sends the others.
pub const AMAZON_COUNT: usize = 200;
/// One of so many is announced; the schedule finds the others.
const ANNOUNCED_ONE_IN: usize = 3;

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    SentInTwo,
    Open,
    /// The buyer asks in vain.
    Regretted,
    /// Before it is paid for.
    CancelledUnpaid,
    /// Right after it is paid for: it may or may not have been booked meanwhile.
    CancelledAtOnce,
    /// Once it is booked.
    CancelledLate,
}

/// The fates of what the seller sends; the others are sent.
const MERCHANT_FATES: &[(Fate, usize)] = &[
    (Fate::Open, 80),
    (Fate::SentInTwo, 20),
    (Fate::Regretted, 5),
    (Fate::CancelledUnpaid, 12),
    (Fate::CancelledAtOnce, 4),
    (Fate::CancelledLate, 10),
];
/// The fates of what Amazon sends; the others are sent.
const AMAZON_FATES: &[(Fate, usize)] = &[
    (Fate::Open, 15),
    (Fate::CancelledUnpaid, 6),
    (Fate::CancelledAtOnce, 4),
];

impl Day {
    /// The same day with five hundred orders at Amazon, in every country the seller sells in, and the
    /// troubles of its own the vendor has. One order sells what nobody has entered yet.
    ///
    /// # Errors
    /// If the world holds no Amazon.
    pub fn with_amazon(mut self, seed: u64, world: &World) -> Result<Self, EditError> {
        let amazon = world.vendor::<Amazon>().ok_or(EditError::Unsupported)?;
        let countries = amazon.settings().countries.iter();
        let places: Vec<_> = countries
            .filter_map(|country| Marketplace::by_country(country))
            .collect();
        if places.is_empty() {
            return Err(EditError::Refused("the seller sells nowhere".to_owned()));
        }
        let mut writer = Writer {
            rng: Rng::with_seed(seed ^ 0x3a2c_e700),
            catalogue: Catalogue::new(seed),
            events: self.events,
        };
        let mut fates: Vec<(FulfilledBy, Fate)> = Vec::new();
        for (by, count, all) in [
            (
                FulfilledBy::Merchant,
                ORDER_COUNT - AMAZON_COUNT,
                MERCHANT_FATES,
            ),
            (FulfilledBy::Amazon, AMAZON_COUNT, AMAZON_FATES),
        ] {
            let told = all
                .iter()
                .flat_map(|&(fate, count)| std::iter::repeat_n(fate, count));
            let told = told.chain(std::iter::repeat(Fate::Sent)).take(count);
            fates.extend(told.map(|fate| (by, fate)));
        }
        writer.rng.shuffle(&mut fates);
        let mut unknown = Some(unknown_item());
        for (index, (by, fate)) in fates.into_iter().enumerate() {
            let place = places[index % places.len()];
            let mut order = NewOrder::typical(&writer.catalogue, place, by, &mut writer.rng);
            let mut placed = writer.between(5, 380);
            // One that stays sells what the booking side does not know until the afternoon. It is announced:
            // by the time a search finds an order, the item may be known.
            if by == FulfilledBy::Merchant
                && fate == Fate::Open
                && index.is_multiple_of(ANNOUNCED_ONE_IN)
                && let Some(item) = unknown.take()
            {
                order.items = vec![NewItem::typical(&item, place, by, &mut writer.rng)];
                placed = writer.between(10, 90);
                let entered = writer.between(230, 250);
                writer.at(entered, Act::EnterItem(item));
            }
            writer.tell(index, order, placed, fate);
        }
        writer.misfortunes();
        self.events = writer.events;
        // Stable: what was written first for one moment comes first.
        self.events.sort_by_key(|event| event.at);
        Ok(self)
    }
}

struct Writer {
    rng: Rng,
    catalogue: Catalogue,
    events: Vec<Event>,
}

impl Writer {
    fn at(&mut self, at: Duration, act: Act) {
        let at = at.min(LENGTH);
        self.events.push(Event { at, act });
    }

    fn between(&mut self, from_min: u64, to_min: u64) -> Duration {
        Duration::from_secs(self.rng.u64(from_min * 60..to_min * 60))
    }

    fn tell(&mut self, index: usize, order: NewOrder, placed: Duration, fate: Fate) {
        let name = format!("order {index:03}");
        let announced = index.is_multiple_of(ANNOUNCED_ONE_IN);
        let parts = order.items.iter().map(|item| item.quantity).sum::<u32>();
        let order = Box::new(order);
        let act = Act::Order {
            name: name.clone(),
            order,
            announced,
        };
        self.at(placed, act);
        let handle = |deed, once_booked| Act::Handle {
            name: name.clone(),
            deed,
            announced,
            once_booked,
        };
        let cancel = || Deed::Cancel { by: None };
        let paid = placed + self.between(1, 8);
        if fate == Fate::CancelledUnpaid {
            return self.at(paid, handle(cancel(), false));
        }
        self.at(paid, handle(Deed::Pay, false));
        let later = paid + self.between(20, 60);
        match fate {
            Fate::Sent => self.at(later, handle(Deed::shipped(), false)),
            // Of a single unit there is no second half.
            Fate::SentInTwo if parts > 1 => {
                self.at(later, handle(Deed::ship_one(), false));
                let rest = later + self.between(10, 40);
                self.at(rest, handle(Deed::shipped(), false));
            }
            Fate::SentInTwo => self.at(later, handle(Deed::shipped(), false)),
            Fate::Regretted => self.at(later, handle(Deed::RequestCancel, false)),
            Fate::CancelledAtOnce => {
                let soon = paid + Duration::from_secs(self.rng.u64(1..90));
                self.at(soon, handle(cancel(), false));
            }
            Fate::CancelledLate => self.at(later, handle(cancel(), true)),
            Fate::Open | Fate::CancelledUnpaid => {}
        }
    }

    fn misfortunes(&mut self) {
        const SEARCHES: &str = "/orders/2026-01-01/orders?";
        const ORDERS: &str = "/orders/2026-01-01/orders/";
        const LOGINS: &str = "/auth/o2/token";
        let refuse = What::Refuse;
        let garbled = What::Garble(crate::misfortune::Garble::Truncate);
        // One token only, and not while all sessions end: one that is fresh from a login and is refused in turn
        // means that nobody may log in any more, and a flow is right to wait for minutes then.
        type Row = (u64, &'static str, &'static str, &'static str, u64, What);
        #[rustfmt::skip]
        let plan: Vec<Row> = vec![
            (30, "Amazon refuses more searches: 429", "GET", SEARCHES, 2, refuse(Refusal::RateLimit)),
            (70, "Amazon refuses more orders: 429", "GET", ORDERS, 4, refuse(Refusal::RateLimit)),
            (100, "Amazon sends notifications three times", "POST", "/hooks/", 10, What::WebhookDuplicate { copies: 2 }),
            (140, "Amazon sends notifications out of order", "POST", "/hooks/", 20, What::WebhookReorder { within_ms: 3_000 }),
            (170, "Amazon loses notifications", "POST", "/hooks/", 8, What::WebhookLose),
            (190, "Amazon's pages end in the middle", "GET", SEARCHES, 1, garbled),
            (210, "Amazon is down: 503", "GET", SEARCHES, 2, refuse(Refusal::Unavailable)),
            (280, "Amazon's login closes connections unasked", "POST", LOGINS, 1, What::DropBefore),
            (320, "Amazon fails: 500", "GET", ORDERS, 2, refuse(Refusal::ServerError)),
            (350, "Amazon refuses a token before its time", "GET", ORDERS, 1, refuse(Refusal::TokenExpired)),
        ];
        for (minute, what, method, path, times, how) in plan {
            let misfortune = Misfortune {
                vendor: Some("amazon".to_owned()),
                method: Some(method.to_owned()),
                path: Some(path.to_owned()),
                times: Some(times),
                ..Misfortune::new(how)
            };
            let jitter = self.between(0, 10);
            let at = Duration::from_secs(minute * 60) + jitter;
            self.at(at, Act::Suffer { what, misfortune });
        }
    }
}

/// What is sold at Amazon before anybody has entered it.
pub(super) fn unknown_item() -> Item {
    Item {
        sku: "NEW-7001".to_owned(),
        name: "Pewter Lantern 7001".to_owned(),
        kind: ItemKind::Inventory,
        price_cents: 2499,
    }
}

pub(super) fn amazon(world: &mut World) -> Result<&mut Amazon, EditError> {
    world.vendor_mut::<Amazon>().ok_or(EditError::Unsupported)
}

/// What happened to an order, for people.
pub(super) fn said(what: &'static str, order: &Json, announced: bool) -> Happened {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let place = text(&order["salesChannel"]["marketplaceName"]);
    let by = match order["fulfillment"]["fulfilledBy"].as_str() {
        Some("AMAZON") => "FBA",
        _ => "MFN",
    };
    let told = if announced {
        "announced"
    } else {
        "not announced"
    };
    Happened {
        system: "amazon",
        what,
        subject: text(&order["orderId"]),
        detail: format!("{place}, {by}, {told}"),
    }
}
