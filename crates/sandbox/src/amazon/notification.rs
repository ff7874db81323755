//! `ORDER_CHANGE`: what Amazon tells of an order's change.
//! <https://developer-docs.amazon.com/sp-api/docs/notification-type-values>

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::{
    order::{FulfilledBy, Item, Order, Status},
    show::days_after,
    user::Change,
};

pub(super) const ORDER_CHANGE: &str = "ORDER_CHANGE";

/// Whom it goes to, and under which name.
pub(super) struct Metadata<'a> {
    pub(super) seller: &'a str,
    pub(super) application: &'a str,
    pub(super) subscription: &'a str,
    pub(super) id: &'a str,
}

/// The notification of one change, in the payload's version 1.0.
pub(super) fn order_change(
    order: &Order,
    change: Change,
    metadata: &Metadata,
    now: Timestamp,
) -> Json {
    let (kind, reason) = match change {
        Change::Status => (STATUS_CHANGE, "Order Status Change"),
        Change::BuyerRequest => (BUYER_CHANGE, "Buyer Requested Cancel"),
    };
    json!({
        "NotificationVersion": "1.0",
        "NotificationType": ORDER_CHANGE,
        "PayloadVersion": "1.0",
        "EventTime": time(now),
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": metadata.seller,
                "AmazonOrderId": order.id,
                "OrderChangeType": kind,
                "OrderChangeTrigger": {
                    "TimeOfOrderChange": time(order.updated),
                    "ChangeReason": reason,
                },
                "Summary": summary(order),
            },
        },
        "NotificationMetadata": {
            "ApplicationId": metadata.application,
            "SubscriptionId": metadata.subscription,
            "PublishTime": time(now),
            "NotificationId": metadata.id,
        },
    })
}

pub(super) const STATUS_CHANGE: &str = "OrderStatusChange";
pub(super) const BUYER_CHANGE: &str = "BuyerRequestedChange";
/// Every kind a subscription may be narrowed to.
pub(super) const CHANGE_KINDS: [&str; 3] = [BUYER_CHANGE, "DeliveryTipChange", STATUS_CHANGE];

impl Change {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Status => STATUS_CHANGE,
            Self::BuyerRequest => BUYER_CHANGE,
        }
    }
}

fn summary(order: &Order) -> Json {
    let shipped: u32 = order.items.iter().map(|item| item.shipped).sum();
    let ordered: u32 = order.items.iter().map(|item| item.quantity).sum();
    let open = match order.status {
        Status::Cancelled => 0,
        _ => ordered - shipped,
    };
    let mut summary = json!({
        "MarketplaceId": order.marketplace.id,
        "OrderStatus": order.status.title(),
        "PurchaseDate": time(order.created),
        "DestinationPostalCode": order.buyer.postal_code,
        "FulfillmentType": match order.fulfilled_by {
            FulfilledBy::Merchant => "MFN",
            FulfilledBy::Amazon => "AFN",
        },
        "OrderType": "StandardOrder",
        "NumberOfItemsShipped": shipped,
        "NumberOfItemsUnshipped": open,
        "EarliestShipDate": time(order.created),
        "LatestShipDate": time(days_after(order.created, 2)),
        "OrderPrograms": if order.is_business { json!(["Business"]) } else { json!([]) },
        "OrderItems": order.items.iter().map(item).collect::<Vec<_>>(),
    });
    let is_open = !matches!(order.status, Status::Pending | Status::Cancelled);
    if order.fulfilled_by == FulfilledBy::Merchant && is_open {
        summary["EarliestDeliveryDate"] = time(days_after(order.created, 3)).into();
        summary["LatestDeliveryDate"] = time(days_after(order.created, 6)).into();
    }
    summary
}

fn item(item: &Item) -> Json {
    json!({
        "OrderItemId": item.id,
        "SellerSKU": item.sku,
        "SupplySourceId": null,
        "Quantity": item.quantity,
        "QuantityShipped": item.shipped,
        "IsBuyerRequestedCancel": item.cancel_request.is_some(),
    })
}

/// Milliseconds, in UTC.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The same with every member's name starting in lower case.
pub(super) fn camel_case(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                let name: String = first.into_iter().chain(letters).collect();
                (name, camel_case(value))
            });
            Json::Object(members.collect::<Map<_, _>>())
        }
        Json::Array(items) => items.into_iter().map(camel_case).collect(),
        other => other,
    }
}
