//! What an order must be before anybody books it.

use serde_json::Value;
use sluice_core::body::exact;
use sluice_core::{BadField, Body, Moment};

/// Every field that is missing or can't be: an order without lines, an amount that is no number, a currency no
/// marketplace has or that is not the order's, a negative quantity.
pub fn bad_fields(order: &Value) -> Vec<BadField> {
    let mut bad = Vec::new();
    for field in ["createdTime", "lastUpdatedTime"] {
        let time = order.at(field).and_then(Value::as_str);
        if time.and_then(Moment::instant).is_none() {
            bad.push(BadField::new(field, "is missing or no time"));
        }
    }
    for field in ["orderId", "salesChannel.channelName"] {
        needs_text(order, field, field, &mut bad);
    }
    match order.at("orderItems").and_then(Value::as_array) {
        Some(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                let path = |field: &str| format!("orderItems[{at}].{field}");
                needs_text(item, "orderItemId", &path("orderItemId"), &mut bad);
                for field in ["quantityOrdered", "product"] {
                    if item.at(field).is_none() {
                        bad.push(BadField::new(path(field), "is missing"));
                    }
                }
            }
        }
        _ => bad.push(BadField::new("orderItems", "holds no line")),
    }
    let mut currency = order.at("proceeds.grandTotal").and_then(known_currency);
    walk(order, "", &mut currency, &mut bad);
    bad.truncate(BAD_FIELD_COUNT_MAX);
    bad
}

const BAD_FIELD_COUNT_MAX: usize = 50;

/// The currencies of Amazon's marketplaces.
const CURRENCIES: [&str; 18] = [
    "AED", "AUD", "BRL", "CAD", "CNY", "EGP", "EUR", "GBP", "INR", "JPY", "MXN", "PLN", "SAR",
    "SEK", "SGD", "TRY", "USD", "ZAR",
];

/// Counts, wherever they stand.
const COUNTS: [&str; 5] = [
    "quantityOrdered",
    "quantityFulfilled",
    "quantityUnfulfilled",
    "quantity",
    "pointsNumber",
];

fn needs_text(value: &Value, field: &str, path: &str, bad: &mut Vec<BadField>) {
    let text = value.at(field).and_then(Value::as_str);
    if text.is_none_or(str::is_empty) {
        bad.push(BadField::new(path, "is missing or no text"));
    }
}

/// Amounts and counts have one form wherever they stand, and all amounts one currency: that of the grand total,
/// else of the first amount. Whoever books them adds them up, and names their currency once.
fn walk<'a>(value: &'a Value, path: &str, currency: &mut Option<&'a str>, bad: &mut Vec<BadField>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("currencyCode") || fields.contains_key("amount") {
                money(value, path, currency, bad);
            }
            for (name, field) in fields {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                if COUNTS.contains(&name.as_str()) {
                    count(field, &path, bad);
                }
                walk(field, &path, currency, bad);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{at}]"), currency, bad);
            }
        }
        _ => {}
    }
}

fn money<'a>(
    value: &'a Value,
    path: &str,
    currency: &mut Option<&'a str>,
    bad: &mut Vec<BadField>,
) {
    if value.at("amount").and_then(exact).is_none() {
        bad.push(BadField::new(
            format!("{path}.amount"),
            "is no exact number",
        ));
    }
    let why = match known_currency(value) {
        None => "is no currency of a marketplace".to_owned(),
        Some(code) => match *currency.get_or_insert(code) {
            ours if ours == code => return,
            ours => format!("is another currency than the order's, {ours}"),
        },
    };
    bad.push(BadField::new(format!("{path}.currencyCode"), why));
}

fn known_currency(money: &Value) -> Option<&str> {
    let code = money.at("currencyCode").and_then(Value::as_str);
    code.filter(|code| CURRENCIES.contains(code))
}

fn count(value: &Value, path: &str, bad: &mut Vec<BadField>) {
    let why = match (value, exact(value)) {
        (Value::Null, _) => return,
        (Value::Number(_), Some(number)) if number.is_sign_negative() && !number.is_zero() => {
            "is negative"
        }
        (Value::Number(_), Some(number)) if number.fract().is_zero() => return,
        _ => "is no whole number",
    };
    bad.push(BadField::new(path, why));
}

#[cfg(test)]
mod tests;
