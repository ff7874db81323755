//! The notification itself, as both ways bring it.
//! <https://developer-docs.amazon.com/sp-api/docs/notification-type-values#order_change>

use serde_json::Value;
use sluice_core::{Hint, Refused};

use super::{BAD_JSON, FORBIDDEN};
use crate::id::Id;
use crate::order::KIND;
use crate::settings::Sellers;

/// The order that changed.
///
/// The hint says no version: a notification tells when the order changed, and nobody says that this is its
/// `lastUpdatedTime`. A later state of the order is as good; an earlier one is found by the next window.
pub(super) fn hint(notification: &Value, sellers: &Sellers) -> Result<Hint, Refused> {
    if text(notification, "NotificationType") != Some("ORDER_CHANGE") {
        return Err(BAD_JSON);
    }
    let payload = field(notification, "Payload").ok_or(BAD_JSON)?;
    let change = field(payload, "OrderChangeNotification").ok_or(BAD_JSON)?;
    let seller = text(change, "SellerId").ok_or(BAD_JSON)?;
    if !sellers.hold(seller) {
        return Err(FORBIDDEN);
    }
    let id = text(change, "AmazonOrderId").and_then(Id::parse);
    let id = id.ok_or(BAD_JSON)?;
    Ok(Hint {
        id: KIND.id(id.as_str()),
        version: None,
    })
}

/// Of some types the keys begin with a capital, of others they don't.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).or_else(|| {
        let (first, rest) = name.split_at_checked(1)?;
        value.get(format!("{}{rest}", first.to_ascii_lowercase()))
    })
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    field(value, name).and_then(Value::as_str)
}
