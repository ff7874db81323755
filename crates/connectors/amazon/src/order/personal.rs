//! Buyers' personal data: only what is read is kept. Pure.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sluice_core::{Body, Selection};

/// Where an order holds data about people, their own words, or the way to these. Two are data sets that are asked
/// for; the others come with sets that are read for something else.
const PERSONAL: [&str; 6] = [
    "buyer",
    "recipient",
    "tax.taxRegistrations",
    "orderItems.product.customization.customizedUrl",
    "orderItems.cancellation.cancellationRequest.cancelReason",
    "orderItems.fulfillment.packing.giftOption.giftMessage",
];

/// The order without what is personal and nobody selects, and with the buyer's id where there is one.
pub fn kept(mut order: Value, select: &Selection) -> Value {
    for path in PERSONAL {
        if !is_selected(path, select) {
            let names: Vec<&str> = path.split('.').collect();
            remove(&mut order, &names);
        }
    }
    if let Some(id) = buyer_id(&order)
        && let Some(Value::Object(buyer)) = order.get_mut("buyer")
    {
        buyer.insert("id".to_owned(), id.into());
    }
    order
}

/// Whether this, something of it, or something it is a part of is selected.
fn is_selected(path: &str, select: &Selection) -> bool {
    let is_below = |path: &str, other: &str| {
        let rest = path.strip_prefix(other);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let meets = |selected: &str| is_below(selected, path) || is_below(path, selected);
    let of_lists = select.lists.iter().any(|(list, fields)| {
        let mut fields = fields.iter();
        fields.any(|field| meets(&without_choice(&format!("{list}.{field}"))))
    });
    of_lists || select.fields.iter().any(|it| meets(&without_choice(it)))
}

/// `taxRegistrations[entityType=BUYER].legalName` is of `taxRegistrations`.
fn without_choice(path: &str) -> String {
    let mut depth = 0_u32;
    let outside = path.chars().filter(|letter| {
        let was = depth;
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        was == 0 && depth == 0
    });
    outside.collect()
}

/// What stands at a path, in every element of the lists on the way.
fn remove(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| remove(item, path)),
        (Value::Object(fields), [name]) => drop(fields.remove(*name)),
        (Value::Object(fields), [name, rest @ ..]) => {
            if let Some(field) = fields.get_mut(*name) {
                remove(field, rest);
            }
        }
        _ => {}
    }
}

/// What tells a buyer from others: Amazon's own address for them, which it gives with orders the seller
/// fulfils. Hashed: ids stand in links, external ids and logs, where no address belongs.
fn buyer_id(order: &Value) -> Option<String> {
    let address = order.at("buyer.buyerEmail").and_then(Value::as_str)?;
    let address = address.trim().to_lowercase();
    let digest = Sha256::digest(address.as_bytes());
    (!address.is_empty()).then(|| hex::encode(&digest[..16]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept_at(at: &str, fields: &[&str], lists: &[(&str, &str)]) -> bool {
        let order = json!({
            "buyer": {"buyerName": "N"},
            "recipient": {"deliveryAddress": {"city": "C"}},
            "tax": {"taxRegistrations": [{"entityType": "BUYER", "legalName": "N"}]},
            "orderItems": [{}, {
                "product": {"customization": {"customizedUrl": "https://x"}, "title": "T"},
                "cancellation": {"cancellationRequest": {"cancelReason": "R"}},
                "fulfillment": {"packing": {"giftOption": {
                    "giftMessage": "M", "giftWrapLevel": "Classic",
                }}},
            }],
        });
        let select = Selection {
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
            lists: lists
                .iter()
                .map(|&(list, field)| (list.to_owned(), [field.to_owned()].into()))
                .collect(),
        };
        let kept = kept(order, &select);
        assert_eq!(kept["orderItems"][1]["product"]["title"], "T");
        let option = "/orderItems/1/fulfillment/packing/giftOption/giftWrapLevel";
        assert!(kept.pointer(option).is_some(), "nothing else is taken away");
        kept.pointer(at).is_some()
    }

    #[test]
    fn what_is_personal_is_kept_only_where_it_is_read() {
        let message = "/orderItems/1/fulfillment/packing/giftOption/giftMessage";
        let url = "/orderItems/1/product/customization/customizedUrl";
        let reason = "/orderItems/1/cancellation/cancellationRequest/cancelReason";
        let tax = "/tax/taxRegistrations";
        let others = [("orderItems", "fulfillment.quantityFulfilled")];
        for at in ["/buyer", "/recipient", tax, message, url, reason] {
            assert!(
                !kept_at(at, &["orderId", "tax.taxInvoicing"], &others),
                "{at}"
            );
        }
        fn items(field: &str) -> [(&str, &str); 1] {
            [("orderItems", field)]
        }
        let option = "fulfillment.packing.giftOption";
        assert!(kept_at(
            message,
            &[],
            &items(&format!("{option}.giftMessage"))
        ));
        assert!(kept_at(message, &[], &items(option)));
        assert!(kept_at(message, &["orderItems"], &[]));
        assert!(!kept_at(
            message,
            &[],
            &items(&format!("{option}.giftWrapLevel"))
        ));
        assert!(kept_at(url, &["orderItems.product.customization"], &[]));
        assert!(kept_at(
            reason,
            &[],
            &items("cancellation.cancellationRequest")
        ));
        assert!(kept_at(
            tax,
            &["tax.taxRegistrations[entityType=BUYER].legalName"],
            &[]
        ));
        assert!(kept_at(tax, &[], &[("tax.taxRegistrations", "legalName")]));
        assert!(kept_at("/buyer", &["buyer.buyerEmail"], &[]));
        assert!(!kept_at("/buyer", &["buyers"], &[]));
    }
}
