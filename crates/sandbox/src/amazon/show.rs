//! Orders as the API shows them: the `Order` of the published model, and only the parts asked for.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::{
    marketplace::{Marketplace, Tax},
    order::{Charges, FulfilledBy, Item, Order, Package, Status, money},
};

/// A part of an order that is shown on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Buyer,
    Recipient,
    Proceeds,
    Expense,
    Promotion,
    Cancellation,
    Fulfillment,
    Packages,
    Tax,
    Payment,
    FulfillmentOrders,
}

/// Every value of `includedData`.
pub(super) const PARTS: [(&str, Part); 11] = [
    ("BUYER", Part::Buyer),
    ("RECIPIENT", Part::Recipient),
    ("PROCEEDS", Part::Proceeds),
    ("EXPENSE", Part::Expense),
    ("PROMOTION", Part::Promotion),
    ("CANCELLATION", Part::Cancellation),
    ("FULFILLMENT", Part::Fulfillment),
    ("PACKAGES", Part::Packages),
    ("TAX", Part::Tax),
    ("PAYMENT", Part::Payment),
    ("FULFILLMENT_ORDERS", Part::FulfillmentOrders),
];

/// What to show, and how.
pub(super) struct View {
    pub(super) parts: BTreeSet<Part>,
    pub(super) discounts_positive: bool,
}

impl View {
    /// Everything there is.
    pub(super) fn whole(discounts_positive: bool) -> Self {
        Self {
            parts: PARTS.iter().map(|(_, part)| *part).collect(),
            discounts_positive,
        }
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// The order as of its last change.
    pub(super) fn order(&self, order: &Order) -> Json {
        let mut shown = json!({
            "orderId": order.id,
            "createdTime": time(order.created),
            "lastUpdatedTime": time(order.updated),
            "programs": if order.is_business { json!(["AMAZON_BUSINESS"]) } else { json!([]) },
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": order.marketplace.id,
                "marketplaceName": order.marketplace.name,
            },
            "orderItems": order.items.iter().map(|item| self.item(order, item)).collect::<Vec<_>>(),
        });
        if let Some(alias) = &order.alias {
            shown["orderAliases"] = json!([{"aliasId": alias, "aliasType": "SELLER_ORDER_ID"}]);
        }
        // Nobody may send anything yet, so nobody is told to whom.
        let has_people = order.status != Status::Pending;
        if self.has(Part::Buyer) && has_people {
            shown["buyer"] = buyer(order);
        }
        if self.has(Part::Recipient) && has_people {
            shown["recipient"] = json!({"deliveryAddress": address(order)});
        }
        // A cancelled order brings in nothing.
        if self.has(Part::Proceeds) && order.status != Status::Cancelled {
            shown["proceeds"] = self.proceeds(order);
        }
        if self.has(Part::Payment) && order.status != Status::Pending {
            let amount = money(order.total(), order.marketplace);
            let paid = json!({"paymentMethod": "CreditCard", "paymentAmount": amount});
            shown["payment"] = json!({"paymentExecutions": [paid]});
        }
        if self.has(Part::Fulfillment) {
            shown["fulfillment"] = fulfillment(order);
        }
        if self.has(Part::Packages) && !order.packages.is_empty() {
            shown["packages"] = order.packages.iter().map(package).collect();
        }
        if let Some(patch) = &order.distortion {
            distort(&mut shown, patch);
        }
        shown
    }

    fn item(&self, order: &Order, item: &Item) -> Json {
        let marketplace = order.marketplace;
        let mut price = json!({"unitPrice": money(item.unit_price, marketplace)});
        if order.is_business {
            price["priceDesignation"] = "BUSINESS_PRICE".into();
        }
        let mut shown = json!({
            "orderItemId": item.id,
            "quantityOrdered": item.quantity,
            "product": {
                "asin": item.asin,
                "title": item.title,
                "sellerSku": item.sku,
                "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
                "price": price,
            },
        });
        if self.has(Part::Proceeds) && order.status != Status::Cancelled {
            shown["proceeds"] = json!({
                "proceedsTotal": money(item.charges.total(), marketplace),
                "breakdowns": self.breakdowns(&item.charges, marketplace, true),
            });
        }
        if self.has(Part::Promotion) && !item.promotions.is_empty() {
            let promotions = item.promotions.iter();
            let promotions: Json = promotions.map(|id| json!({"promotionId": id})).collect();
            shown["promotion"] = json!({"breakdowns": promotions});
        }
        if self.has(Part::Cancellation)
            && let Some(cancellation) = cancellation(order, item)
        {
            shown["cancellation"] = cancellation;
        }
        if self.has(Part::Fulfillment) {
            shown["fulfillment"] = self.item_fulfillment(order, item);
        }
        if self.has(Part::Tax) && matches!(marketplace.tax, Tax::Added(_)) {
            let collected = json!({
                "model": "MARKETPLACE_FACILITATOR",
                "responsibleParty": "Amazon Services, Inc.",
            });
            shown["tax"] = json!({"taxCollections": [collected]});
        }
        shown
    }

    fn proceeds(&self, order: &Order) -> Json {
        let mut sum = Charges::default();
        for charges in order.items.iter().map(|item| item.charges) {
            sum.item += charges.item;
            sum.shipping += charges.shipping;
            sum.gift_wrap += charges.gift_wrap;
            sum.item_discount += charges.item_discount;
            sum.shipping_discount += charges.shipping_discount;
            sum.item_tax += charges.item_tax;
            sum.shipping_tax += charges.shipping_tax;
            sum.gift_wrap_tax += charges.gift_wrap_tax;
        }
        json!({
            "grandTotal": money(sum.total(), order.marketplace),
            "breakdowns": self.breakdowns(&sum, order.marketplace, false),
        })
    }

    /// Categories with anything in them; they add up to the total.
    fn breakdowns(&self, charges: &Charges, marketplace: &Marketplace, detailed: bool) -> Json {
        let sign = if self.discounts_positive { 1 } else { -1 };
        let rows: [Row; 5] = [
            ("ITEM", charges.item, &[]),
            ("SHIPPING", charges.shipping, &[]),
            ("GIFT_WRAP", charges.gift_wrap, &[]),
            (
                "DISCOUNT",
                sign * charges.discount(),
                &[
                    ("ITEM", sign * charges.item_discount),
                    ("SHIPPING", sign * charges.shipping_discount),
                ],
            ),
            (
                "TAX",
                charges.tax(),
                &[
                    ("ITEM", charges.item_tax),
                    ("SHIPPING", charges.shipping_tax),
                    ("GIFT_WRAP", charges.gift_wrap_tax),
                ],
            ),
        ];
        let rows = rows
            .into_iter()
            .filter(|(name, subtotal, _)| *name == "ITEM" || *subtotal != 0);
        rows.map(|(name, subtotal, details)| {
            let mut row = json!({"type": name, "subtotal": money(subtotal, marketplace)});
            let details = details.iter().filter(|(_, value)| *value != 0);
            let details: Vec<Json> = details
                .map(|(name, value)| json!({"subtype": name, "value": money(*value, marketplace)}))
                .collect();
            if detailed && !details.is_empty() {
                row["detailedBreakdowns"] = details.into();
            }
            row
        })
        .collect()
    }

    fn item_fulfillment(&self, order: &Order, item: &Item) -> Json {
        let open = match order.status {
            Status::Cancelled => 0,
            _ => item.quantity - item.shipped,
        };
        let mut shown = json!({"quantityFulfilled": item.shipped, "quantityUnfulfilled": open});
        if let Some(gift) = &item.gift {
            let mut option = json!({"giftWrapLevel": gift.level});
            // What the buyer wrote comes with it, whoever asks: the published model excepts no part of the
            // fulfillment for want of the buyer.
            if let Some(message) = &gift.message {
                option["giftMessage"] = message.clone().into();
            }
            shown["packing"] = json!({"giftOption": option});
        }
        shown
    }
}

/// A JSON merge patch. <https://www.rfc-editor.org/rfc/rfc7396>
fn distort(shown: &mut Json, patch: &Json) {
    let Json::Object(changes) = patch else {
        *shown = patch.clone();
        return;
    };
    if !shown.is_object() {
        *shown = json!({});
    }
    let Json::Object(fields) = shown else { return };
    for (name, change) in changes {
        match change {
            Json::Null => drop(fields.remove(name)),
            change => distort(fields.entry(name.clone()).or_insert(Json::Null), change),
        }
    }
}

/// A category, its subtotal, and what that is made of.
type Row<'a> = (&'a str, i64, &'a [(&'a str, i64)]);

/// Seconds, in UTC.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn buyer(order: &Order) -> Json {
    let mut shown = json!({"buyerName": order.buyer.name});
    if order.fulfilled_by == FulfilledBy::Merchant {
        shown["buyerEmail"] = order.buyer.email.clone().into();
    }
    if let Some(number) = &order.purchase_order {
        shown["buyerPurchaseOrderNumber"] = number.clone().into();
    }
    shown
}

fn address(order: &Order) -> Json {
    let person = &order.buyer;
    let mut shown = json!({
        "name": person.name,
        "addressLine1": person.street,
        "city": person.city,
        "postalCode": person.postal_code,
        "countryCode": order.marketplace.country_code(),
        "addressType": if order.is_business { "COMMERCIAL" } else { "RESIDENTIAL" },
    });
    if !person.region.is_empty() {
        shown["stateOrRegion"] = person.region.into();
    }
    // Only while somebody of the seller's may have to call.
    if order.fulfilled_by == FulfilledBy::Merchant && order.status != Status::Shipped {
        shown["phone"] = person.phone.clone().into();
    }
    shown
}

fn cancellation(order: &Order, item: &Item) -> Option<Json> {
    let mut shown = Map::new();
    if let Some(reason) = &item.cancel_request {
        let request = json!({"requester": "BUYER", "cancelReason": reason});
        shown.insert("cancellationRequest".to_owned(), request);
    }
    if let Some((by, reason)) = &order.cancelled {
        let execution = json!({"cancelledBy": by, "cancelReason": reason});
        shown.insert("cancellationExecution".to_owned(), execution);
    }
    (!shown.is_empty()).then_some(Json::Object(shown))
}

fn fulfillment(order: &Order) -> Json {
    json!({
        "fulfillmentStatus": order.status.code(),
        "fulfilledBy": order.fulfilled_by.code(),
        "fulfillmentServiceLevel": order.service_level,
        "shipByWindow": window(order.created, 0, 2),
        "deliverByWindow": window(order.created, 3, 6),
    })
}

/// So many days after the order.
pub(super) fn window(from: Timestamp, earliest: i64, latest: i64) -> Json {
    let day = |days: i64| time(days_after(from, days));
    json!({"earliestDateTime": day(earliest), "latestDateTime": day(latest)})
}

pub(super) fn days_after(from: Timestamp, days: i64) -> Timestamp {
    from.saturating_add(SignedDuration::from_hours(24 * days))
        .unwrap_or(from)
}

fn package(package: &Package) -> Json {
    let contents = package.contents.iter();
    let contents: Json = contents
        .map(|(id, quantity)| json!({"orderItemId": id, "quantity": quantity}))
        .collect();
    json!({
        "packageReferenceId": package.reference,
        "createdTime": time(package.sent),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.carrier,
        "shipTime": time(package.sent),
        "trackingNumber": package.tracking_number,
        "packageItems": contents,
    })
}
